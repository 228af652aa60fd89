"""Small changes of what stands between brackets: axes, orders, numbers and indices; and of the function before them."""

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from typing import Any

from duograd.runner.gradcheck.edits import Edit, Place, at, fill, load

TWINS = {"sum": "mean", "mean": "sum", "zeros_like": "ones_like", "maximum": "minimum", "argmax": "argmin"}
NUMBERS = (1, 2, 0, 3, 0.5, 1.0, 2.0, -0.5, -1.5, 1.5, -1, -2, -3)
AXES = ("(0, 1)", "(0, 2)", "(1, 2)", "(0, 2, 3)", "(0, 1, 2)", "(2, 3)", "None")


def _exchanged(items: Sequence[Any]) -> Iterator[list[Any]]:
    """The items with two of them in each other's place, in every way."""
    for one, two in combinations(range(len(items)), 2):
        order = [*range(len(items))]
        order[one], order[two] = two, one
        yield [items[k] for k in order]


def of_constant(place: Place, value: object) -> Iterator[Edit]:
    """Another number, axis, flag or order of an einsum's letters."""
    is_axis = isinstance(place.parent, ast.keyword) and place.parent.arg == "axis"
    if isinstance(value, bool):
        yield place.swap(ast.Constant(not value), "flag")
    elif isinstance(value, str) and "->" in value:  # of an einsum: two letters of an operand, or of what comes out
        parts = re.split(r"(,|->)", value)
        for k, letters in enumerate(parts):
            for exchanged in _exchanged(letters):
                yield place.swap(ast.Constant("".join([*parts[:k], *exchanged, *parts[k + 1 :]])), "transpose")
    elif isinstance(value, int | float):
        for other in dict.fromkeys([value + 1, value - 1, -value, *NUMBERS]):
            if other != value:
                yield place.swap(ast.Constant(other), "axis" if is_axis else "number")
        for axes in AXES if is_axis else ():
            yield place.swap(load(axes), "axis")


def of_call(place: Place, node: ast.Call) -> Iterator[Edit]:
    """Another function, or other arguments."""
    if isinstance(node.func, ast.Attribute):
        yield from _of_method(place, node, node.func)
    elif isinstance(node.func, ast.Name) and node.func.id == "range":
        yield from _of_range(node)
    for k, argument in enumerate(node.args if len(node.args) >= 2 else ()):
        if isinstance(argument, ast.Constant):
            yield from of_constant(at(node, "args", k), argument.value)


def _of_method(place: Place, node: ast.Call, function: ast.Attribute) -> Iterator[Edit]:
    """Of x.sum(…), or np.sum(x, …)."""
    name, keywords, arguments = function.attr, at(node, "keywords", slice(None)), at(node, "args", slice(None))
    if name in TWINS:
        yield at(function, "attr").swap(TWINS[name], "sum" if name in ("sum", "mean") else "function")
    if name in ("sum", "mean", "max", "min", "var", "std"):
        kept = [k for k in node.keywords if k.arg != "keepdims"]
        added = [ast.keyword("keepdims", ast.Constant(True))] if len(kept) == len(node.keywords) else []
        yield keywords.swap([*kept, *added], "shape")
        for axis in () if any(k.arg == "axis" for k in node.keywords) else ("0", "1", "-1"):
            yield keywords.swap([*node.keywords, ast.keyword("axis", load(axis))], "axis")
    if name in ("transpose", "flip", "reshape", "swapaxes"):
        is_module = isinstance(function.value, ast.Name) and function.value.id in ("np", "numpy")
        yield place.swap(node.args[0] if is_module and node.args else function.value, "transpose")
    if name == "transpose" and len(node.args) >= 2:
        numbers = permutations(map(ast.Constant, range(len(node.args))))
        for order in numbers if len(node.args) <= 4 else _exchanged(node.args):
            yield arguments.swap([*order], "transpose")
    if name in ("zeros_like", "ones_like") and node.args:
        yield place.swap(node.args[0], "zero")


def _of_range(node: ast.Call) -> Iterator[Edit]:
    """Loops that leave a step out, or take one too many."""
    for k, argument in enumerate(node.args):
        for text in () if isinstance(argument, ast.Constant) else ("this + 1", "this - 1"):
            yield at(node, "args", k).write(text, "index")
    if len(node.args) >= 2:
        yield at(node, "args", slice(None)).swap([node.args[1]], "index")


def _moved(index: ast.expr, shift: int) -> ast.expr:
    """An index one later or earlier: t of t + 1."""
    back = ast.Sub if shift > 0 else ast.Add
    if isinstance(index, ast.BinOp) and isinstance(index.op, back) and ast.unparse(index.right) == "1":
        return index.left
    return fill("index + 1" if shift > 0 else "index - 1", index=index)


def of_index(node: ast.Subscript) -> Iterator[Edit]:
    """One step earlier or later; two indices in each other's place."""
    places = [at(node, "slice")]
    if isinstance(node.slice, ast.Tuple):
        indices = node.slice.elts
        places = [at(node.slice, "elts", k) for k in range(len(indices))]
        if isinstance(indices[0], ast.Slice):
            yield places[0].write("np.arange(len(holder))", "index", holder=node.value)
        for exchanged in _exchanged(indices):
            if all(new is old for new, old in zip(exchanged, indices, strict=True) if isinstance(old, ast.Slice)):
                yield at(node.slice, "elts", slice(None)).swap(exchanged, "index")
    for place in places:
        if isinstance(place.node, ast.Slice):
            if place.node.step is not None:
                yield at(place.node, "step").swap(None, "reversed")
            for side in ("lower", "upper"):
                if getattr(place.node, side) is not None:
                    yield at(place.node, side).swap(None, "index")
        else:
            for shift in (1, -1):
                yield place.swap(_moved(place.node, shift), "index")
