"""The layers of a file, in whichever of four ways each is written."""

import ast
import copy
import inspect
import linecache
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import decode_source
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from duograd.runner.errors import UserError
from duograd.runner.gradcheck.layer import ForwardError, Layer, floating
from duograd.runner.gradcheck.names import gradient_of
from duograd.runner.gradcheck.returned import word_of
from duograd.runner.gradcheck.source import Source

BACKWARD = re.compile(r"back|bwd|pullback|vjp")  # what people call a function that goes back


def layers_of(module: ModuleType, source: Source, layer_name: str | None = None) -> list[Layer]:
    """Every layer of a file, in its order. Raises UserError where there is none, or none of that name."""
    order = {node.name: node.lineno for node in source.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    members = {name: getattr(module, name) for name in sorted(order, key=order.__getitem__) if hasattr(module, name)}
    space = vars(module)
    layers = [layer for name, value in members.items() for layer in _layer(name, value, space, source, module)]
    names = [layer.name for layer in layers]
    if layer_name is not None:
        layers = [
            layer for layer in layers if layer_name in (layer.name, f"{layer.name}_forward", f"{layer.name}_backward")
        ]
    if not layers and names:
        raise UserError(f"{source.path.name} has no layer '{layer_name}': it has {', '.join(names)}")
    if not layers:
        raise UserError(
            f"{source.path.name} has no layer: write a function that returns (y, backward), a pair NAME_forward and "
            "NAME_backward, a class with forward and backward, or a loss that returns (scalar, gradients)"
        )
    return layers


def _layer(name: str, value: Any, members: Mapping[str, Any], source: Source, module: ModuleType) -> Iterator[Layer]:
    example = members.get(f"example_{name}") or members.get(f"example_{name.removesuffix('_forward')}")
    if name.startswith(("example_", "_", "test_")):
        return
    if inspect.isclass(value):
        if callable(getattr(value, "forward", None)) and callable(getattr(value, "backward", None)):
            yield class_layer(value, source, module, example)
        elif callable(loss := getattr(value, "loss", None)):
            doc = " ".join(filter(None, (value.__doc__, value.__init__.__doc__, loss.__doc__)))
            yield Layer(name, "loss", value, value, source, module, _words(loss)[1:], example, doc)
        return
    doc = inspect.getdoc(value) or ""
    if name.endswith("_forward"):
        stem = name.removesuffix("_forward")
        backward = members.get(f"{stem}_backward")
        if backward is not None:
            example = members.get(f"example_{stem}") or example
            yield Layer(stem, "pair", value, backward, source, module, _words(value), example, doc)
        return
    form = _form(name, source)
    if form:
        yield Layer(name, form, value, value, source, module, _words(value), example, doc)


def class_layer(kind: Any, source: Source, module: ModuleType, example: Callable[[], Any] | None = None) -> Layer:
    """The layer that a class is."""
    doc = " ".join(filter(None, (kind.__doc__, kind.__init__.__doc__, kind.forward.__doc__)))
    return Layer(kind.__name__, "class", kind, kind, source, module, _words(kind.forward)[1:], example, doc)


def _words(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def layer_of(thing: Any, inputs: tuple[Any, ...]) -> Layer:
    """The layer of an object at hand, of a notebook or a test: its inputs are given. Raises UserError, ForwardError."""
    arguments = tuple(floating(value) for value in inputs)
    if inspect.isclass(thing) or (hasattr(thing, "forward") and hasattr(thing, "backward")):
        kind: Any = thing if inspect.isclass(thing) else type(thing)
        layer = class_layer(kind, _source_of(kind.forward), _namespace(kind.forward))
        layer.instance = kind() if thing is kind else thing
    else:
        layer = _function_layer(thing, arguments)
    layer.arguments = arguments
    return layer


def _function_layer(function: Any, arguments: tuple[Any, ...]) -> Layer:
    """A function as a layer: what it is shows when it is called."""
    source, module, name = _source_of(function), _namespace(function), function.__name__
    backward = function.__globals__.get(f"{name.removesuffix('_forward')}_backward")
    if name.endswith("_forward") and backward is not None:
        return Layer(name.removesuffix("_forward"), "pair", function, backward, source, module, _words(function))
    try:
        result = function(*copy.deepcopy(arguments))
    except Exception as error:
        raise ForwardError(f"the layer's own code raised {error!r}") from error
    form = None
    if isinstance(result, tuple) and len(result) >= 2:
        form = "closure" if callable(result[-1]) else "loss" if np.ndim(result[0]) == 0 else None
    if form is None:
        raise UserError(
            f"{name} is no layer: it returns neither (y, backward) nor (scalar, gradients), and there is no "
            f"{name.removesuffix('_forward')}_backward beside it"
        )
    return Layer(name, form, function, function, source, module, _words(function))


class _Namespace:
    """A function's globals in the form of a module."""


def _namespace(function: Any) -> Any:
    space = _Namespace()
    space.__dict__ = inspect.unwrap(function).__globals__
    return space


def _source_of(function: Any) -> Source:
    """The text of its file, or of its notebook's cell. Raises UserError where Python does not have it."""
    filename = inspect.unwrap(function).__code__.co_filename
    text = "".join(linecache.getlines(filename))
    if not text:
        raise UserError(f"the code of {filename} is not at hand: write the layer into a file or a notebook's cell")
    return Source(Path(filename), text)


def _form(name: str, source: Source) -> str | None:
    """What a plain function is: one that returns a function of its own beside y, or a loss with its gradients."""
    node = next(n for n in source.tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    inner = {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef)} - {name}
    own = [n for n in _own_returns(node) if isinstance(n.value, ast.Tuple) and len(n.value.elts) >= 2]
    for statement in own:
        assert isinstance(statement.value, ast.Tuple)
        last = statement.value.elts[-1]
        named = isinstance(last, ast.Name) and (last.id in inner | _lambdas(node) or BACKWARD.search(last.id))
        if named or isinstance(last, ast.Lambda):
            return "closure"
    if name.endswith("_backward") or not own or inner:
        return None
    tuple_ = own[-1].value
    assert isinstance(tuple_, ast.Tuple)
    rest = tuple_.elts[1:]
    if len(rest) == 1 and isinstance(rest[0], ast.Tuple):
        rest = rest[0].elts
    words = [word_of(item) for item in rest]
    if all(gradient_of(word) or any(part in word.lower() for part in ("grad", "dict")) for word in words if word):
        return "loss" if any(words) or isinstance(rest[0], ast.Dict | ast.Call) else None
    return None


def _own_returns(node: ast.FunctionDef) -> Iterator[ast.Return]:
    """The return statements of a function that are not those of functions inside it."""
    ahead: list[ast.AST] = list(node.body)
    while ahead:
        inner = ahead.pop(0)
        if isinstance(inner, ast.Return):
            yield inner
        elif not isinstance(inner, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            ahead = [*ast.iter_child_nodes(inner), *ahead]


def _lambdas(node: ast.FunctionDef) -> set[str]:
    """Names that a lambda is bound to."""
    return {
        target.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Assign) and isinstance(inner.value, ast.Lambda)
        for target in inner.targets
        if isinstance(target, ast.Name)
    }


def load_module(path: Path) -> tuple[ModuleType, Source]:
    """Runs a user's file as a module. Raises UserError: no such file, or not Python; ForwardError: it raised."""
    if not path.is_file():
        raise UserError(f"{path} does not exist: give a Python file with layers")
    try:
        text = decode_source(path.read_bytes())
    except (SyntaxError, UnicodeDecodeError):
        raise UserError(f"{path} is not written in UTF-8: save it as UTF-8") from None
    try:
        source = Source(path.resolve(), text)
        code = compile(source.text, str(source.path), "exec")
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{path} is no Python file: {error}") from None
    module = ModuleType(path.stem)
    module.__file__ = str(source.path)
    sys.modules.setdefault(path.stem, module)  # dataclasses and pickles of the file look it up there
    sys.path.insert(0, str(source.path.parent))  # its neighbours, as `python my_layer.py` would find them
    try:
        exec(code, module.__dict__)
    except Exception as error:
        raise ForwardError(f"the layer's own code raised {error!r}") from error
    finally:
        sys.path.remove(str(source.path.parent))
    return module, source
