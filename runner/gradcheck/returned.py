"""Which input each gradient belongs to that a backward returned, or left in its object."""

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from duograd.runner.gradcheck.names import gradient_of, same_word
from duograd.runner.gradcheck.places import Path, gradient_beside

if TYPE_CHECKING:
    from duograd.runner.gradcheck.layer import Layer


def of_object(instance: Any, paths: Mapping[str, Path]) -> dict[str, Any]:
    """Gradients that an object keeps: dW-like attributes, and what stands in grads. paths: of its values, by name."""
    gradients: dict[str, Any] = {}
    for name, path in paths.items():
        gradient = gradient_beside(instance, path[1:], {id(value) for value in gradients.values()})
        if gradient is not None:
            gradients[name] = gradient
    return gradients


def of_result(result: Any, names: Sequence[str], layer: "Layer") -> dict[str, Any]:
    """What was returned: a dict by its keys, the rest by the returned names, else by position, else by shape."""
    if result is None:
        return {}
    if isinstance(result, Mapping):
        return _of_mapping(result, names)
    parts = list(result) if isinstance(result, tuple | list) else [result]
    words = returned_words(layer)
    gradients: dict[str, Any] = {}
    loose: dict[int, Any] = {}
    for index, part in enumerate(parts):
        left = [name for name in names if name not in gradients]
        if isinstance(part, Mapping):
            gradients |= _of_mapping(part, left)
            continue
        if isinstance(part, list):
            gradients |= _of_list(part, words[index] if len(words) == len(parts) else "", left)
            continue
        said = gradient_of(words[index]) if len(words) == len(parts) else None
        name = match(said, left) if said else None
        if name is None:
            loose[index] = part
        elif part is not None:
            gradients[name] = part
    gradients |= _by_position(loose, len(parts), [name for name in names if name not in gradients], layer)
    return {name: value for name, value in gradients.items() if value is not None}


def _by_position(loose: Mapping[int, Any], count: int, left: list[str], layer: "Layer") -> dict[str, Any]:
    """Gradients without a name: for the argument at their place, else in order, else for the one of their shape."""
    arguments = list(layer.parameters[: len(layer.arguments)])
    if count == len(arguments) and layer.form != "loss":
        return {arguments[index]: part for index, part in loose.items() if arguments[index] in left}
    arrays = [name for name in left if layer.value_of(name).ndim]
    order = arrays if len(loose) == len(arrays) else left
    if len(loose) >= len(order):
        return dict(zip(order, loose.values(), strict=False))
    gradients: dict[str, Any] = {}
    for part in loose.values():
        free = [name for name in arrays if name not in gradients]
        same = [name for name in free if layer.value_of(name).shape == np.shape(part)]
        if same or free:
            gradients[(same or free)[0]] = part
    return gradients


def _of_list(parts: list[Any], word: str, left: Sequence[str]) -> dict[str, Any]:
    """A list of gradients for a list of inputs."""
    said = gradient_of(word) or word
    bases = dict.fromkeys(name.partition("[")[0] for name in left if "[" in name)
    base = match(said, list(bases)) or next(iter(bases), None)
    return {f"{base}[{k}]": part for k, part in enumerate(parts) if f"{base}[{k}]" in left}


def _of_mapping(result: Mapping[Any, Any], names: Sequence[str]) -> dict[str, Any]:
    gradients: dict[str, Any] = {}
    for key, value in result.items():
        word = str(key)
        name = match(word, names) or ((said := gradient_of(word)) and match(said, names))
        if name and value is not None:
            gradients[name] = value
    if not gradients and len(result) <= len(names):  # `weight` for W: in the order of the arguments
        left = names[len(names) - len(result) :]
        gradients = dict(zip(left, result.values(), strict=True))
    return gradients


def match(word: str, names: Sequence[str]) -> str | None:
    """The input that a word names; the last part of an input's name counts."""
    exact = [name for name in names if name.rsplit(".", 1)[-1] == word]
    alike = [name for name in names if same_word(name.rsplit(".", 1)[-1], word)]
    loose = [name for name in names if name.rsplit(".", 1)[-1].lower() == word.lower()]
    return next(iter(exact or alike or loose), None)


def returned_words(layer: "Layer") -> list[str]:
    """The names in the backward's return statement; of a loss, those behind the loss itself."""
    function = _backward_function(layer)
    if function is None:
        return []
    returns = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    if not returns:
        return []
    value = returns[-1].value
    items = list(value.elts) if isinstance(value, ast.Tuple) else [value]
    if layer.form == "loss":
        items = items[1:]
        if len(items) == 1 and isinstance(items[0], ast.Tuple):
            items = list(items[0].elts)
    return [word_of(item) for item in items]


def return_line(layer: "Layer") -> int:
    """Where a backward returns; 0 where that is no function with a name."""
    function = _backward_function(layer)
    returns = [n for n in ast.walk(function) if isinstance(n, ast.Return)] if function else []
    return returns[-1].lineno if returns else 0


def _backward_function(layer: "Layer") -> ast.FunctionDef | None:
    """Where the backward of a layer is written."""
    function = layer.backward if layer.form == "pair" else layer.forward
    name = "backward" if layer.form == "class" else function.__name__
    tree: ast.AST = layer.source.tree
    if layer.form == "class":
        classes = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == layer.name]
        tree = classes[0] if classes else tree
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name]
    first = getattr(getattr(function, "__code__", None), "co_firstlineno", None)
    functions = [n for n in functions if n.lineno == first] or functions
    if layer.form == "closure" and functions:
        inner = [n for n in ast.walk(functions[0]) if isinstance(n, ast.FunctionDef)][1:]
        functions = [n for n in inner if n.name == _returned_function(functions[0])] or inner[-1:]
    return functions[-1] if functions else None


def _returned_function(function: ast.FunctionDef) -> str:
    """The name of the backward that a function returns last."""
    returns = [n.value for n in function.body if isinstance(n, ast.Return)]
    last = returns[-1].elts[-1] if returns and isinstance(returns[-1], ast.Tuple) else None
    return last.id if isinstance(last, ast.Name) else ""


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
