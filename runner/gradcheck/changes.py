"""Small changes of a statement, as people make mistakes: another name or axis, `=` for `+=`, a factor too many.

Each change knows how to take itself back, so that one tree serves all of them.
"""

import ast
import copy
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations, permutations

from duograd.runner.gradcheck.edits import Edit, inside, load, swap

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


def replacements(
    top: ast.AST, statement: ast.stmt, names: list[str], alike: Callable[[str, str], bool]
) -> Iterator[Edit]:
    """Every small change that replaces or removes something. alike: whether two names may be confused."""
    yield from _of_target(top, statement)
    nodes = list(inside(statement))
    for parent, key, index, node in nodes:
        yield from _of_node(parent, key, index, node, names)
    yield from _everywhere(nodes, names, alike)
    for parent, key, index, node in nodes:
        plain = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not _is_function(parent, key)
        root = isinstance(parent, ast.Subscript | ast.Attribute) and key == "value"
        if (plain and not root) or (_is_place(node, names) and isinstance(node, ast.expr)):
            assert isinstance(node, ast.expr)
            yield swap(parent, key, index, ast.BinOp(node, ast.Pow(), ast.Constant(2)), "power")
    for parent, key, index, node in nodes:
        whole = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not _is_function(parent, key)
        root = isinstance(parent, ast.Subscript | ast.Attribute) and key == "value"
        if whole or _is_place(node, names):
            for name in names:
                if name != ast.unparse(node) and (name.isidentifier() or not root) and alike(ast.unparse(node), name):
                    yield swap(parent, key, index, load(name), "name")


def _everywhere(
    nodes: list[tuple[ast.AST, str, int | None, ast.AST]], names: list[str], alike: Callable[[str, str], bool]
) -> Iterator[Edit]:
    """A name that stands more than once, exchanged wherever it stands: `z * (1 - z)` for `h * (1 - h)`."""
    places: dict[str, list[tuple[ast.AST, str, int | None]]] = {}
    for parent, key, index, node in nodes:
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)) or _is_place(node, names):
            places.setdefault(ast.unparse(node), []).append((parent, key, index))
    for old, where in places.items():
        for new in names if len(where) > 1 else ():
            if new != old and alike(old, new):
                swaps = [swap(*place, load(new), "name") for place in where]
                yield Edit("name", partial(_all, [s.make for s in swaps]), partial(_all, [s.undo for s in swaps]))


def _all(functions: list[Callable[[], None]]) -> None:
    for function in functions:
        function()


def _is_function(parent: ast.AST, key: str) -> bool:
    return isinstance(parent, ast.Call) and key == "func"


def _is_place(node: ast.AST, names: list[str]) -> bool:
    """Whether it is an attribute or an item that bears a value: self.W, cache["x"], hs[t]."""
    if not isinstance(node, ast.Attribute | ast.Subscript) or not isinstance(node.ctx, ast.Load):
        return False
    return ast.unparse(node) in names


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
                    yield swap(parent, key, index, ast.copy_location(added, statement), "overwrite")
            if isinstance(statement, ast.AugAssign):
                plain = ast.Assign([statement.target], statement.value)
                yield swap(parent, key, index, ast.copy_location(plain, statement), "accumulate")
                other = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}.get(
                    type(statement.op)
                )
                if other is not None:
                    changed = ast.AugAssign(statement.target, other(), statement.value)
                    yield swap(parent, key, index, ast.copy_location(changed, statement), "sign")
                if isinstance(statement.target, ast.Subscript):
                    holder, place = copy.deepcopy((statement.target.value, statement.target.slice))
                    for inner in ast.walk(holder):
                        if hasattr(inner, "ctx"):
                            inner.ctx = ast.Load()
                    at = ast.parse("np.add.at(a, b, c)").body[0]
                    assert isinstance(at, ast.Expr)
                    assert isinstance(at.value, ast.Call)
                    at.value.args = [holder, place, statement.value]
                    yield swap(parent, key, index, ast.copy_location(at, statement), "repeated index")
            yield swap(parent, key, index, ast.copy_location(ast.Pass(), statement), "statement too many")


def _of_node(parent: ast.AST, key: str, index: int | None, node: ast.AST, names: list[str]) -> Iterator[Edit]:
    """Changes at one expression."""
    if isinstance(node, ast.BinOp):
        for other in OPERATORS.get(type(node.op), ()):
            yield swap(node, "op", None, other(), "sign" if isinstance(node.op, ast.Add | ast.Sub) else "factor")
        kind = "term" if isinstance(node.op, ast.Add | ast.Sub) else "factor"
        sign = {ast.Add: "+ ", ast.Sub: "- "}.get(type(node.op))
        left, right = (f"`{ast.unparse(node.left)}` is too many", f"`{sign}{ast.unparse(node.right)}` is too many")
        yield swap(parent, key, index, node.left, kind, right if sign else "")
        yield swap(parent, key, index, node.right, kind, left if sign else "")
        if isinstance(node.op, ast.Sub):
            yield swap(parent, key, index, ast.UnaryOp(ast.USub(), node.right), "term")
        if isinstance(node.op, ast.MatMult | ast.Sub | ast.Div):
            yield swap(parent, key, index, ast.BinOp(node.right, node.op, node.left), "order")
        if isinstance(node.op, ast.Mult):
            yield from _of_factors(parent, key, index, node)
        if isinstance(node.op, ast.MatMult):
            for side in ("left", "right"):
                inner = getattr(node, side)
                yield swap(node, side, None, ast.Attribute(inner, "T", ast.Load()), "transpose")
            both = ast.BinOp(
                ast.Attribute(node.right, "T", ast.Load()), ast.MatMult(), ast.Attribute(node.left, "T", ast.Load())
            )
            yield swap(parent, key, index, both, "transpose")
        if isinstance(node.op, ast.Mult):
            yield swap(node, "op", None, ast.MatMult(), "order")
    elif isinstance(node, ast.UnaryOp):
        yield swap(parent, key, index, node.operand, "sign")
    elif isinstance(node, ast.Constant):
        yield from _of_constant(parent, key, index, node)
    elif isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            for other_ in COMPARISONS.get(type(op), ()):
                yield swap(node, "ops", k, other_(), "mask")
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield swap(parent, key, index, node.value, "transpose")
    elif isinstance(node, ast.Call):
        yield from _of_call(parent, key, index, node)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield swap(parent, key, index, node.value, "index")
        yield from _of_index(node)
    elif isinstance(node, ast.Subscript):
        yield from _of_index(node)


def _of_factors(parent: ast.AST, key: str, index: int | None, node: ast.BinOp) -> Iterator[Edit]:
    """`1 - a` for a factor `a`; of a product of several factors, two that are too many."""
    for side in ("left", "right"):
        factor = getattr(node, side)
        yield swap(node, side, None, ast.BinOp(ast.Constant(1), ast.Sub(), factor), "wrong factor")
    factors = list(_factors(node))
    if len(factors) > 2 and not (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult)):
        for pair in combinations(range(len(factors)), 2):
            left = [factor for k, factor in enumerate(factors) if k not in pair]
            whole = left[0]
            for factor in left[1:]:
                whole = ast.BinOp(whole, ast.Mult(), factor)
            yield swap(parent, key, index, whole, "extra factor")


def _factors(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _factors(node.left)
        yield from _factors(node.right)
    else:
        yield node


def _of_subscripts(parent: ast.AST, key: str, index: int | None, text: str) -> Iterator[Edit]:
    """Two letters of one operand of an einsum, or of what comes out, exchanged."""
    parts = re.split(r"(,|->)", text)
    for number, letters in enumerate(parts):
        for one, two in combinations(range(len(letters)), 2):
            exchanged = [*letters]
            exchanged[one], exchanged[two] = letters[two], letters[one]
            text = "".join([*parts[:number], *exchanged, *parts[number + 1 :]])
            yield swap(parent, key, index, ast.Constant(text), "transpose")


def _of_constant(parent: ast.AST, key: str, index: int | None, node: ast.Constant) -> Iterator[Edit]:
    value = node.value
    if isinstance(value, bool):
        yield swap(parent, key, index, ast.Constant(not value), "flag")
    elif isinstance(value, str) and "->" in value:
        yield from _of_subscripts(parent, key, index, value)
    elif isinstance(value, int | float):
        others = dict.fromkeys([value + 1, value - 1, -value, 1, 2, 0, 3, 0.5, 1.0, 2.0, -0.5, -1.5, 1.5, -1, -2, -3])
        for other in others:
            if other != value:
                yield swap(
                    parent, key, index, ast.Constant(other), "axis" if key == "value" and _axis(parent) else "number"
                )
        if _axis(parent):
            for pair in ((0, 1), (0, 2), (1, 2), (0, 2, 3), (0, 1, 2), (2, 3)):
                yield swap(parent, key, index, ast.Tuple([ast.Constant(k) for k in pair], ast.Load()), "axis")
            yield swap(parent, key, index, ast.Constant(None), "axis")


def _axis(parent: ast.AST) -> bool:
    return isinstance(parent, ast.keyword) and parent.arg == "axis"


def _of_call(parent: ast.AST, key: str, index: int | None, node: ast.Call) -> Iterator[Edit]:
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in TWINS:
        twin = ast.Attribute(function.value, TWINS[function.attr], ast.Load())
        yield swap(node, "func", None, twin, "sum" if function.attr in ("sum", "mean") else "function")
    if isinstance(function, ast.Attribute) and function.attr in ("sum", "mean", "max", "min", "var", "std"):
        kept = [k for k in node.keywords if k.arg != "keepdims"]
        if len(kept) == len(node.keywords):
            kept.append(ast.keyword("keepdims", ast.Constant(True)))
        yield swap(node, "keywords", slice(None), kept, "shape")
        for axis in () if any(k.arg == "axis" for k in node.keywords) else (0, 1, -1):
            added = [*node.keywords, ast.keyword("axis", ast.Constant(axis))]
            yield swap(node, "keywords", slice(None), added, "axis")
    if isinstance(function, ast.Attribute) and function.attr in ("transpose", "flip", "reshape", "swapaxes"):
        is_module = isinstance(function.value, ast.Name) and function.value.id in ("np", "numpy")
        yield swap(parent, key, index, node.args[0] if is_module and node.args else function.value, "transpose")
    if isinstance(function, ast.Attribute) and function.attr in ("transpose",) and 2 <= len(node.args) <= 4:
        for order in permutations(range(len(node.args))):
            yield swap(node, "args", slice(None), [ast.Constant(k) for k in order], "transpose")
    elif isinstance(function, ast.Attribute) and function.attr == "transpose":
        for one, two in combinations(range(len(node.args)), 2):
            exchanged = [*node.args]
            exchanged[one], exchanged[two] = node.args[two], node.args[one]
            yield swap(node, "args", slice(None), exchanged, "transpose")
    if isinstance(function, ast.Attribute) and function.attr in ("zeros_like", "ones_like") and node.args:
        yield swap(parent, key, index, node.args[0], "zero")
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
            yield swap(node, "args", k, moved, "index")
    if len(node.args) >= 2:
        yield swap(node, "args", slice(None), [node.args[1], *node.args[2:]][:1], "index")


def _moved(place: ast.expr, shift: int) -> ast.expr:
    """An index one later or earlier: t of t + 1."""
    back = ast.Sub if shift > 0 else ast.Add
    if isinstance(place, ast.BinOp) and isinstance(place.op, back) and ast.unparse(place.right) == "1":
        return place.left
    return ast.BinOp(place, ast.Add() if shift > 0 else ast.Sub(), ast.Constant(1))


def _of_index(node: ast.Subscript) -> Iterator[Edit]:
    """One step earlier or later."""
    places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if isinstance(node.slice, ast.Tuple) and isinstance(node.slice.elts[0], ast.Slice):
        each = load(f"np.arange(len({ast.unparse(node.value)}))")
        yield swap(node.slice, "elts", 0, each, "index")
    for one, two in combinations(range(len(places)), 2):
        if not isinstance(places[one], ast.Slice) and not isinstance(places[two], ast.Slice):
            exchanged = [*places]
            exchanged[one], exchanged[two] = places[two], places[one]
            yield swap(node.slice, "elts", slice(None), exchanged, "index")
    for k, place in enumerate(places):
        if isinstance(place, ast.Slice):
            if place.step is not None:
                yield swap(place, "step", None, None, "reversed")
            for side in ("lower", "upper"):
                if getattr(place, side) is not None:
                    yield swap(place, side, None, None, "index")
            continue
        for shift in (1, -1):
            moved = _moved(place, shift)
            if isinstance(node.slice, ast.Tuple):
                yield swap(node.slice, "elts", k, moved, "index")
            else:
                yield swap(node, "slice", None, moved, "index")
