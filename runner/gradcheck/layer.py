"""Layers as people write them, four ways, behind one face: run it forward, run it backward, name its gradients.

1. a function that returns (y, backward)          2. NAME_forward(…) -> (out, cache) and NAME_backward(dout, cache)
3. a class with forward(x) and backward(dout)     4. a loss f(W, …) -> (scalar, gradients)
"""

import ast
import copy
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.errors import UserError
from duograd.runner.gradcheck.names import HOLDERS_OF_GRADIENTS, gradient_of, same_word
from duograd.runner.gradcheck.source import Source
from duograd.runner.gradcheck.trace import is_value

Array = NDArray[Any]
SEED = 0


class ForwardError(Exception):
    """The user's own code raised; the cause is its exception."""


@dataclass
class Pass:
    """One run. y: the output, or all of them; result: what backward returned; layer: the object, where it is one."""

    y: tuple[Array, ...]
    result: Any = None
    layer: Any = None
    backward: Callable[..., Any] | None = None


@dataclass
class Layer:
    """One layer of a file. owner: the function or class at the top of the file that holds its backward."""

    name: str
    form: str  # closure | pair | class | loss
    forward: Any
    backward: Any
    source: Source
    module: Any  # whose __dict__ holds the file's names
    parameters: tuple[str, ...] = ()
    example: Callable[[], Any] | None = None
    doc: str = ""
    arguments: tuple[Any, ...] = field(default=(), repr=False)
    instance: Any = None

    def inputs(self) -> dict[str, Array]:
        """All that a gradient can be asked for, by the user's names: float arrays among arguments and parameters."""
        return {name: reach_input(self, name) for name in _inputs(self)}

    def start(self, changed: Mapping[str, Array] | None = None) -> Pass:
        """Forward, from the same start each time. Raises ForwardError."""
        random.seed(SEED)
        np.random.seed(SEED)
        instance, arguments = copy.deepcopy((self.instance, self.arguments))
        for name, value in (changed or {}).items():
            _put_input(self, instance, arguments, name, value)
        try:
            if self.form == "class":
                y = instance.forward(*arguments)
                return Pass(_outputs(y), layer=instance, backward=instance.backward)
            value = self.forward(*arguments)
        except RecursionError:
            raise
        except Exception as error:
            raise ForwardError(f"the layer's own code raised {error!r}") from error
        first = value[0]
        second: Any = value[1] if len(value) == 2 else tuple(value[1:])
        if self.form == "closure":
            return Pass(_outputs(first), backward=second)
        if self.form == "pair":
            return Pass(_outputs(first), backward=lambda dy: self.backward(dy, second))
        return Pass(_outputs(first), result=second)

    def finish(self, run: Pass, dy: tuple[Array, ...]) -> Pass:
        """Backward from dy. Raises ForwardError."""
        if run.backward is not None:
            try:
                given = [np.array(d, copy=True) for d in dy]
                run.result = run.backward(*given)
            except Exception as error:
                raise ForwardError(f"the layer's own code raised {error!r}") from error
        return run

    def gradients(self, run: Pass) -> dict[str, Any]:
        """The gradients that came out of a pass, by the input that each belongs to. Raises UserError."""
        names = list(_inputs(self))
        found: dict[str, Any] = {}
        if run.layer is not None:
            found |= dict(_of_object(run.layer, names))
        left = [name for name in names if name not in found and name.partition(".")[0] != "self"]
        found |= _of_result(run.result, left or names, self)
        if not found:
            raise UserError(
                f"{self.name}: its backward returns no gradient that belongs to an input: return one for each of "
                f"{', '.join(names)}, or put them into attributes such as dW"
            )
        return found


def floating(value: Any) -> Any:
    """Single precision is too coarse to judge a gradient by: the example is tried in float64."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.array(value, dtype=np.float64)
    if isinstance(value, dict):
        return {key: floating(item) for key, item in value.items()}
    return value


def _outputs(y: Any) -> tuple[Array, ...]:
    if isinstance(y, tuple | list):
        return tuple(
            np.asarray(part, dtype=np.float64 if np.ndim(part) == 0 else None) for part in y if part is not None
        )
    return (np.asarray(y, dtype=np.float64 if np.ndim(y) == 0 else None),)


def _inputs(layer: Layer) -> Iterator[str]:
    """x and W of arguments, self.W and self.params['W'] of an object, params['W'] of a dict that is an argument."""
    for name, value in zip(layer.parameters, layer.arguments, strict=False):
        if isinstance(value, np.ndarray) and is_value(value):
            yield name
        elif isinstance(value, dict):
            yield from (
                f"{name}.{key}" for key, item in value.items() if isinstance(item, np.ndarray) and is_value(item)
            )
    if layer.instance is not None:
        for key, value in vars(layer.instance).items():
            if isinstance(value, np.ndarray) and is_value(value) and not gradient_of(key):
                yield f"self.{key}"
            elif isinstance(value, dict) and key not in HOLDERS_OF_GRADIENTS:
                inner = (k for k, item in value.items() if isinstance(item, np.ndarray) and is_value(item))
                yield from (f"self.{key}.{k}" for k in inner)


def reach_input(layer: Layer, name: str) -> Array:
    """The value of an input by its name."""
    holder, key = _holder(layer, layer.instance, layer.arguments, name)
    return np.asarray(holder[key] if isinstance(holder, dict | list | tuple) else getattr(holder, str(key)))


def _holder(layer: Layer, instance: Any, arguments: Any, name: str) -> tuple[Any, Any]:
    first, *rest = name.split(".")
    if first == "self":
        holder = instance
        if len(rest) == 1:
            return holder, rest[0]
        return getattr(holder, rest[0]), _key(getattr(holder, rest[0]), rest[1])
    index = layer.parameters.index(first)
    return (arguments[index], _key(arguments[index], rest[0])) if rest else (arguments, index)


def _key(holder: Mapping[Any, Any], text: str) -> Any:
    return next(key for key in holder if str(key) == text)


def _put_input(layer: Layer, instance: Any, arguments: Any, name: str, value: Array) -> None:
    holder, key = _holder(layer, instance, arguments, name)
    target = holder[key] if isinstance(holder, dict | list | tuple) else getattr(holder, key)
    target[...] = value


def _match(word: str, names: list[str]) -> str | None:
    """The input that a word names; the last part of an input's name counts."""
    exact = [name for name in names if name.rsplit(".", 1)[-1] == word]
    alike = [name for name in names if same_word(name.rsplit(".", 1)[-1], word)]
    loose = [name for name in names if name.rsplit(".", 1)[-1].lower() == word.lower()]
    return next(iter(exact or alike or loose), None)


def _of_object(layer: Any, names: list[str]) -> Iterator[tuple[str, Any]]:
    """dW-like attributes, and what stands in grads."""
    for key, value in vars(layer).items():
        if isinstance(value, dict):
            for inner, item in value.items():
                said = gradient_of(str(inner))
                if key in HOLDERS_OF_GRADIENTS and said is None:
                    said = str(inner)
                if key in HOLDERS_OF_GRADIENTS and _match(str(inner), names):
                    said = str(inner)
                if said and is_value(item) and (name := _match(said, [n for n in names if n.startswith("self.")])):
                    yield name, item
        elif is_value(value) and (said := gradient_of(key)):
            name = _match(said, [n for n in names if n.startswith("self.")])
            if name:
                yield name, value


def _of_result(result: Any, names: list[str], layer: Layer) -> dict[str, Any]:
    """What was returned: a dict by its keys, the rest by the returned names, else by position."""
    if result is None:
        return {}
    if isinstance(result, Mapping):
        return _of_mapping(result, names)
    parts = list(result) if isinstance(result, tuple | list) else [result]
    words = returned_words(layer)
    found: dict[str, Any] = {}
    loose: list[Any] = []
    for index, part in enumerate(parts):
        if isinstance(part, Mapping):
            found |= _of_mapping(part, [name for name in names if name not in found])
            continue
        word = words[index] if len(words) == len(parts) else None
        said = word and gradient_of(word)
        name = said and _match(said, [n for n in names if n not in found])
        if name and part is not None:
            found[name] = part
        elif part is not None:
            loose.append(part)
    for part, name in zip(loose, (n for n in names if n not in found), strict=False):
        found[name] = part
    return found


def _of_mapping(result: Mapping[Any, Any], names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in result.items():
        word = str(key)
        name = _match(word, names) or ((said := gradient_of(word)) and _match(said, names))
        if name and value is not None:
            found[name] = value
    if not found and len(result) <= len(names):  # `weight` for W: in the order of the arguments
        left = names[len(names) - len(result) :]
        found = dict(zip(left, result.values(), strict=True))
    return found


def returned_words(layer: Layer) -> list[str]:
    """The names in the backward's return statement; of a loss, those behind the loss itself."""
    function = layer.backward if layer.form in ("pair",) else layer.forward
    wanted = layer.forward.__name__ if layer.form in ("closure", "loss") else "backward"
    tree: ast.AST = layer.source.tree
    if layer.form == "class":
        tree = next(n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == layer.name)
    elif layer.form == "pair":
        wanted = function.__name__
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == wanted]
    first = getattr(getattr(function, "__code__", None), "co_firstlineno", None)
    functions = [n for n in functions if n.lineno == first] or functions
    if layer.form == "closure" and functions:
        inner = [n for n in ast.walk(functions[0]) if isinstance(n, ast.FunctionDef | ast.Lambda)][1:]
        functions = [n for n in inner if isinstance(n, ast.FunctionDef)][-1:]
    if not functions:
        return []
    returns = [n for n in ast.walk(functions[-1]) if isinstance(n, ast.Return) and n.value is not None]
    if not returns:
        return []
    value = returns[-1].value
    items = list(value.elts) if isinstance(value, ast.Tuple) else [value]
    if layer.form == "loss":
        items = items[1:]
        if len(items) == 1 and isinstance(items[0], ast.Tuple):
            items = list(items[0].elts)
    return [word_of(item) for item in items]


def word_of(node: ast.AST | None) -> str:
    """The name that an expression bears: dx of `dx`, W of `grads['W']`, dW of `self.dW`; else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return f"d{node.slice.value!s}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):  # dx.reshape(x.shape)
        return word_of(node.func.value)
    return ""
