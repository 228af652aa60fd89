"""Small changes of a statement, as people make mistakes: another name or axis, `=` for `+=`, a factor too many.

Each change knows how to take itself back, so that one tree serves all of them.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations
from typing import Any, NamedTuple


class Edit(NamedTuple):
    """kind; what makes the change, what takes it back; the statement as it then reads, where it is replaced whole."""

    kind: str
    make: Callable[[], None]
    undo: Callable[[], None]
    whole: ast.stmt | None = None


OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.Lt, ast.GtE),
    ast.Lt: (ast.Gt, ast.LtE),
    ast.GtE: (ast.LtE, ast.Gt),
    ast.LtE: (ast.GtE, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
TWINS = {"sum": "mean", "mean": "sum", "zeros_like": "ones_like", "maximum": "minimum", "argmax": "argmin"}


def replacements(top: ast.AST, statement: ast.stmt, names: list[str]) -> Iterator[Edit]:
    """Every small change of a statement that replaces or removes something."""
    yield from _of_target(top, statement)
    nodes = list(_inside(statement))
    for parent, key, index, node in nodes:
        yield from _of_node(parent, key, index, node, names)
    yield from _everywhere(nodes, names)
    for parent, key, index, node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not _is_function(parent, key):
            yield _swap(parent, key, index, ast.BinOp(node, ast.Pow(), ast.Constant(2)), "power")
    for parent, key, index, node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not _is_function(parent, key):
            for name in names:
                if name != node.id and name != "self":
                    yield _swap(parent, key, index, _load(name), "name")
        if _is_self(node):
            for name in names:
                if name != ast.unparse(node):
                    yield _swap(parent, key, index, _load(name), "name")


def additions(statement: ast.stmt, names: list[str]) -> Iterator[Edit]:
    """Every factor, term, sum or transpose that may be missing."""
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.Return) and statement.value is not None:
        for parts in _summands(statement):
            yield from _insertions(*parts, names)


def _everywhere(nodes: list[tuple[ast.AST, str, int | None, ast.AST]], names: list[str]) -> Iterator[Edit]:
    """A name that stands more than once, exchanged wherever it stands: `z * (1 - z)` for `h * (1 - h)`."""
    places: dict[str, list[tuple[ast.AST, str, int | None]]] = {}
    for parent, key, index, node in nodes:
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)) or _is_self(node):
            places.setdefault(ast.unparse(node), []).append((parent, key, index))
    for old, where in places.items():
        for new in names if len(where) > 1 else ():
            if new != old:
                swaps = [_swap(*place, _load(new), "name") for place in where]
                yield Edit("name", partial(_all, [s.make for s in swaps]), partial(_all, [s.undo for s in swaps]))


def _all(functions: list[Callable[[], None]]) -> None:
    for function in functions:
        function()


def _inside(statement: ast.stmt) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """The expressions of a statement with where each hangs; of a compound one, of its head."""
    ahead: list[ast.AST] = [statement]
    while ahead:
        parent = ahead.pop(0)
        for key, held in ast.iter_fields(parent):
            if parent is statement and key in ("body", "orelse", "handlers", "finalbody", "decorator_list"):
                continue
            for index, node in enumerate(held) if isinstance(held, list) else [(None, held)]:
                if isinstance(node, ast.AST) and not isinstance(node, ast.expr_context | ast.operator | ast.cmpop):
                    yield parent, key, index, node
                    ahead.append(node)


def _is_function(parent: ast.AST, key: str) -> bool:
    return isinstance(parent, ast.Call) and key == "func"


def _is_self(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _load(name: str) -> ast.expr:
    return ast.parse(name, mode="eval").body


def _swap(parent: ast.AST, key: str, index: int | slice | None, new: Any, kind: str) -> Edit:
    """An edit that hangs something else at a place: a field, an item of a list, or all of a list."""
    old = getattr(parent, key) if index is None else getattr(parent, key)[index]

    def put(value: Any) -> None:
        if index is None:
            setattr(parent, key, value)
        else:
            getattr(parent, key)[index] = value

    return Edit(kind, lambda: put(new), lambda: put(old), new if isinstance(old, ast.stmt) else None)


def _of_target(top: ast.AST, statement: ast.stmt) -> Iterator[Edit]:
    """`=` for `+=`; `dx[i] += g` where an index comes twice; a statement that should not be there."""
    for parent in ast.walk(top):
        for key, held in ast.iter_fields(parent):
            if not isinstance(held, list) or not any(item is statement for item in held):
                continue
            index = next(k for k, item in enumerate(held) if item is statement)
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                if isinstance(target, ast.Name | ast.Subscript | ast.Attribute):
                    added = ast.AugAssign(target, ast.Add(), statement.value)
                    yield _swap(parent, key, index, ast.copy_location(added, statement), "overwrite")
            if isinstance(statement, ast.AugAssign):
                plain = ast.Assign([statement.target], statement.value)
                yield _swap(parent, key, index, ast.copy_location(plain, statement), "accumulate")
                other = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}.get(
                    type(statement.op)
                )
                if other is not None:
                    changed = ast.AugAssign(statement.target, other(), statement.value)
                    yield _swap(parent, key, index, ast.copy_location(changed, statement), "sign")
                if isinstance(statement.target, ast.Subscript):
                    holder, place = copy.deepcopy((statement.target.value, statement.target.slice))
                    for inner in ast.walk(holder):
                        if hasattr(inner, "ctx"):
                            inner.ctx = ast.Load()
                    at = ast.parse("np.add.at(a, b, c)").body[0]
                    assert isinstance(at, ast.Expr)
                    assert isinstance(at.value, ast.Call)
                    at.value.args = [holder, place, statement.value]
                    yield _swap(parent, key, index, ast.copy_location(at, statement), "repeated index")
            yield _swap(parent, key, index, ast.copy_location(ast.Pass(), statement), "statement too many")


def _of_node(parent: ast.AST, key: str, index: int | None, node: ast.AST, names: list[str]) -> Iterator[Edit]:
    """Changes at one expression."""
    if isinstance(node, ast.BinOp):
        for other in OPERATORS.get(type(node.op), ()):
            yield _swap(node, "op", None, other(), "sign" if isinstance(node.op, ast.Add | ast.Sub) else "factor")
        kind = "term" if isinstance(node.op, ast.Add | ast.Sub) else "factor"
        yield _swap(parent, key, index, node.left, kind)
        yield _swap(parent, key, index, node.right, kind)
        if isinstance(node.op, ast.Sub):
            yield _swap(parent, key, index, ast.UnaryOp(ast.USub(), node.right), "term")
        if isinstance(node.op, ast.MatMult | ast.Sub | ast.Div):
            yield _swap(parent, key, index, ast.BinOp(node.right, node.op, node.left), "order")
        if isinstance(node.op, ast.MatMult):
            for side in ("left", "right"):
                inner = getattr(node, side)
                yield _swap(node, side, None, ast.Attribute(inner, "T", ast.Load()), "transpose")
            both = ast.BinOp(
                ast.Attribute(node.right, "T", ast.Load()), ast.MatMult(), ast.Attribute(node.left, "T", ast.Load())
            )
            yield _swap(parent, key, index, both, "transpose")
        if isinstance(node.op, ast.Mult):
            yield _swap(node, "op", None, ast.MatMult(), "order")
    elif isinstance(node, ast.UnaryOp):
        yield _swap(parent, key, index, node.operand, "sign")
    elif isinstance(node, ast.Constant):
        yield from _of_constant(parent, key, index, node)
    elif isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            for other_ in COMPARISONS.get(type(op), ()):
                yield _swap(node, "ops", k, other_(), "mask")
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield _swap(parent, key, index, node.value, "transpose")
    elif isinstance(node, ast.Call):
        yield from _of_call(parent, key, index, node)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield _swap(parent, key, index, node.value, "index")
        yield from _of_index(node)
    elif isinstance(node, ast.Subscript):
        yield from _of_index(node)


def _of_constant(parent: ast.AST, key: str, index: int | None, node: ast.Constant) -> Iterator[Edit]:
    value = node.value
    if isinstance(value, bool):
        yield _swap(parent, key, index, ast.Constant(not value), "flag")
    elif isinstance(value, int | float):
        others = dict.fromkeys([value + 1, value - 1, -value, 1, 2, 0, 3, 0.5, 1.0, 2.0, -0.5, -1.5, 1.5, -1, -2, -3])
        for other in others:
            if other != value:
                yield _swap(
                    parent, key, index, ast.Constant(other), "axis" if key == "value" and _axis(parent) else "number"
                )
        if _axis(parent):
            for pair in ((0, 1), (0, 2), (1, 2), (0, 2, 3), (0, 1, 2), (2, 3)):
                yield _swap(parent, key, index, ast.Tuple([ast.Constant(k) for k in pair], ast.Load()), "axis")
            yield _swap(parent, key, index, ast.Constant(None), "axis")


def _axis(parent: ast.AST) -> bool:
    return isinstance(parent, ast.keyword) and parent.arg == "axis"


def _of_call(parent: ast.AST, key: str, index: int | None, node: ast.Call) -> Iterator[Edit]:
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in TWINS:
        twin = ast.Attribute(function.value, TWINS[function.attr], ast.Load())
        yield _swap(node, "func", None, twin, "sum" if function.attr in ("sum", "mean") else "function")
    if isinstance(function, ast.Attribute) and function.attr in ("sum", "mean", "max", "min", "var", "std"):
        for axis in () if any(k.arg == "axis" for k in node.keywords) else (0, 1, -1):
            added = [*node.keywords, ast.keyword("axis", ast.Constant(axis))]
            yield _swap(node, "keywords", slice(None), added, "axis")
    if isinstance(function, ast.Attribute) and function.attr in ("transpose", "flip", "reshape", "swapaxes"):
        is_module = isinstance(function.value, ast.Name) and function.value.id in ("np", "numpy")
        yield _swap(parent, key, index, node.args[0] if is_module and node.args else function.value, "transpose")
    if isinstance(function, ast.Attribute) and function.attr in ("transpose",) and 2 <= len(node.args) <= 4:
        for order in permutations(range(len(node.args))):
            yield _swap(node, "args", slice(None), [ast.Constant(k) for k in order], "transpose")
    if isinstance(function, ast.Name) and function.id == "range":
        yield from _of_range(node)
    if len(node.args) >= 2 and isinstance(node.args[-1], ast.expr):
        for k, argument in enumerate(node.args):
            if isinstance(argument, ast.Constant):
                yield from _of_constant(node, "args", k, argument)


def _of_range(node: ast.Call) -> Iterator[Edit]:
    """Loops that leave a step out, or take one too many."""
    for k, argument in enumerate(node.args):
        for shift in () if isinstance(argument, ast.Constant) else (1, -1):
            moved = ast.BinOp(argument, ast.Add() if shift > 0 else ast.Sub(), ast.Constant(1))
            yield _swap(node, "args", k, moved, "index")
    if len(node.args) >= 2:
        yield _swap(node, "args", slice(None), [node.args[1], *node.args[2:]][:1], "index")


def _of_index(node: ast.Subscript) -> Iterator[Edit]:
    """One step earlier or later."""
    places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if isinstance(node.slice, ast.Tuple) and isinstance(node.slice.elts[0], ast.Slice):
        each = _load(f"np.arange(len({ast.unparse(node.value)}))")
        yield _swap(node.slice, "elts", 0, each, "index")
    for k, place in enumerate(places):
        if isinstance(place, ast.Slice):
            if place.step is not None:
                yield _swap(place, "step", None, None, "reversed")
            for side in ("lower", "upper"):
                if getattr(place, side) is not None:
                    yield _swap(place, side, None, None, "index")
            continue
        for shift in (1, -1):
            moved = ast.BinOp(place, ast.Add() if shift > 0 else ast.Sub(), ast.Constant(1))
            if isinstance(node.slice, ast.Tuple):
                yield _swap(node.slice, "elts", k, moved, "index")
            else:
                yield _swap(node, "slice", None, moved, "index")


def _summands(statement: Any) -> Iterator[tuple[ast.AST, str, int | None, ast.expr]]:
    """What a factor or a term may be missing at: the right side, and what is added, multiplied or summed in it."""
    places: list[tuple[ast.AST, str, int | None, ast.AST]] = [(statement, "value", None, statement.value)]
    value = statement.value
    if isinstance(value, ast.Tuple | ast.List):
        places = [(value, "elts", k, item) for k, item in enumerate(value.elts)]
    elif isinstance(value, ast.Dict):
        places = [(value, "values", k, item) for k, item in enumerate(value.values)]
    for parent, key, index, node in _inside(statement):
        added = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add | ast.Sub | ast.MatMult)
        reduced = isinstance(parent, ast.Attribute) and parent.attr in ("sum", "mean")
        given = isinstance(parent, ast.Call) and key == "args" and index == 0
        if added or reduced or given:
            places.append((parent, key, index, node))
    for parent, key, index, node in places:
        if isinstance(node, ast.expr):
            yield parent, key, index, node


def _insertions(parent: ast.AST, key: str, index: int | None, node: ast.expr, names: list[str]) -> Iterator[Edit]:
    yield _swap(parent, key, index, ast.UnaryOp(ast.USub(), node), "sign")
    yield _swap(parent, key, index, ast.Attribute(node, "T", ast.Load()), "transpose")
    for axis in (0, 1, (0, 1), (0, 2), (0, 2, 3)):
        for method in ("sum", "mean"):
            called = ast.parse(f"_.{method}(axis={axis})", mode="eval").body
            assert isinstance(called, ast.Call)
            assert isinstance(called.func, ast.Attribute)
            called.func.value = node
            yield _swap(parent, key, index, called, "sum")
    for factor in ("2", "3", *names):
        yield _swap(parent, key, index, ast.BinOp(node, ast.Mult(), _load(factor)), "missing factor")
        yield _swap(parent, key, index, ast.BinOp(node, ast.Div(), _load(factor)), "missing factor")
    for name in names:
        for text in (
            f"({name} > 0)",
            f"{name} * (1 - {name})",
            f"(1 - {name} ** 2)",
            f"(1 - {name})",
            f"np.sqrt({name})",
        ):
            yield _swap(parent, key, index, ast.BinOp(node, ast.Mult(), _load(text)), "missing factor")
        for axis in (0, 1):
            reduced = _load(f"{name}.sum(axis={axis})")
            if isinstance(node, ast.Constant):
                yield _swap(parent, key, index, reduced, "sum")
        yield _swap(parent, key, index, ast.BinOp(node, ast.Add(), _load(name)), "term")
        yield _swap(parent, key, index, ast.BinOp(node, ast.Sub(), _load(name)), "term")
