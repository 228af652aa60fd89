"""What a statement may be missing: a sign, a transpose, a sum, a factor or a term."""

import ast
from collections.abc import Iterator
from itertools import product
from typing import Any

from duograd.runner.gradcheck.edits import Edit, inside, load, swap

METHODS = ("sum", "mean", "reshape", "transpose", "ravel", "T")  # of a value that may miss something first
LAYOUTS = ((0, 2, 3, 1), (0, 3, 1, 2), (1, 0, 2, 3), (1, 0, 2), (0, 2, 1), (2, 1, 0))  # channels last, time first


def additions(statement: ast.stmt, names: list[str]) -> Iterator[Edit]:
    """Every sign, factor, sum or transpose that may be missing."""
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.Return) and statement.value is not None:
        for parts in _summands(statement):
            yield from _insertions(*parts, names)


def compositions(statement: ast.stmt, names: list[str]) -> Iterator[Edit]:
    """Every term, slope or product of names that may be missing."""
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.Return) and statement.value is not None:
        for parts in _summands(statement):
            yield from _composed(*parts, names)
        for parent, key, index, node in inside(statement):
            if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult) and isinstance(node, ast.expr):
                for name in names:  # a factor of two terms, of which one is missing
                    yield swap(parent, key, index, ast.BinOp(node, ast.Sub(), load(name)), "term")
                    yield swap(parent, key, index, ast.BinOp(node, ast.Add(), load(name)), "term")
        for parts in _summands(statement):
            yield from _products(*parts, _own_names(statement))


def _summands(statement: Any) -> Iterator[tuple[ast.AST, str, int | None, ast.expr]]:
    """What a factor or a term may be missing at: the right side, and what is added, multiplied or summed in it."""
    places: list[tuple[ast.AST, str, int | None, ast.AST]] = [(statement, "value", None, statement.value)]
    value = statement.value
    if isinstance(value, ast.Tuple | ast.List):
        places = [(value, "elts", k, item) for k, item in enumerate(value.elts)]
    elif isinstance(value, ast.Dict):
        places = [(value, "values", k, item) for k, item in enumerate(value.values)]
    for parent, key, index, node in inside(statement):
        added = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add | ast.Sub | ast.MatMult)
        reduced = isinstance(parent, ast.Attribute) and parent.attr in METHODS
        given = isinstance(parent, ast.Call) and key == "args" and (index == 0 or _chooses(parent))
        if added or reduced or given:
            places.append((parent, key, index, node))
    for parent, key, index, node in places:
        if isinstance(node, ast.expr):
            yield parent, key, index, node


def _own_names(statement: ast.stmt) -> list[str]:
    """The variables that a statement reads."""
    read = (n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    return [name for name in dict.fromkeys(read) if name not in ("np", "numpy", "self")]


def _products(parent: ast.AST, key: str, index: int | None, node: ast.expr, names: list[str]) -> Iterator[Edit]:
    """A term that is a product of what stands there already: `- s @ s.T`."""
    for one, two in product(names, names):
        for text in (f"{one} @ {two}.T", f"{one} * {two}", f"{one}.T @ {two}"):
            yield swap(parent, key, index, ast.BinOp(node, ast.Sub(), load(text)), "term")
            yield swap(parent, key, index, ast.BinOp(node, ast.Add(), load(text)), "term")


def _chooses(call: ast.Call) -> bool:
    """Whether each of its arguments may be the value: where, maximum, minimum, outer."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("where", "maximum", "minimum", "outer", "einsum")


def _insertions(parent: ast.AST, key: str, index: int | None, node: ast.expr, names: list[str]) -> Iterator[Edit]:
    yield swap(parent, key, index, ast.UnaryOp(ast.USub(), node), "sign")
    yield swap(parent, key, index, ast.Attribute(node, "T", ast.Load()), "transpose")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reshape":
        for order in LAYOUTS:  # a layout that was to change before the values are taken in a row
            moved = load(f"_.transpose{order}")
            assert isinstance(moved, ast.Call)
            assert isinstance(moved.func, ast.Attribute)
            moved.func.value = node.func.value
            yield swap(node.func, "value", None, moved, "transpose")
    for axis in (0, 1, (0, 1), (0, 2), (0, 2, 3)):
        for method in ("sum", "mean"):
            called = ast.parse(f"_.{method}(axis={axis})", mode="eval").body
            assert isinstance(called, ast.Call)
            assert isinstance(called.func, ast.Attribute)
            called.func.value = node
            yield swap(parent, key, index, called, "sum")
    for factor in ("2", "3", *names):
        yield swap(parent, key, index, ast.BinOp(node, ast.Mult(), load(factor)), "missing factor")
        yield swap(parent, key, index, ast.BinOp(node, ast.Div(), load(factor)), "missing factor")


def _composed(parent: ast.AST, key: str, index: int | None, node: ast.expr, names: list[str]) -> Iterator[Edit]:
    for name in names:
        for text in (
            f"({name} > 0)",
            f"{name} * (1 - {name})",
            f"(1 - {name} ** 2)",
            f"(1 - {name})",
            f"np.sqrt({name})",
        ):
            yield swap(parent, key, index, ast.BinOp(node, ast.Mult(), load(text)), "missing factor")
        for axis in (0, 1):
            reduced = load(f"{name}.sum(axis={axis})")
            if isinstance(node, ast.Constant):
                yield swap(parent, key, index, reduced, "sum")
        yield swap(parent, key, index, ast.BinOp(node, ast.Add(), load(name)), "term")
        yield swap(parent, key, index, ast.BinOp(node, ast.Sub(), load(name)), "term")
