"""What a statement may be missing: a sign, a transpose, a sum, a factor or a term."""

import ast
from collections.abc import Iterator
from itertools import product
from typing import Any

from duograd.runner.gradcheck.edits import Edit, Place, at, inside, load

METHODS = ("sum", "mean", "reshape", "transpose", "ravel", "T")  # of a value that may miss something first
CHOOSING = ("where", "maximum", "minimum", "outer", "einsum")  # functions each of whose arguments may be the value
LAYOUTS = ((0, 2, 3, 1), (0, 3, 1, 2), (1, 0, 2, 3), (1, 0, 2), (0, 2, 1), (2, 1, 0))  # channels last, time first
SLOPES = ("(v > 0)", "v * (1 - v)", "1 - v**2", "1 - v", "np.sqrt(v)")
PRODUCTS = ("v @ w.T", "v * w", "v.T @ w")


def additions(statement: ast.stmt, names: list[str]) -> Iterator[Edit]:
    """Every sign, factor, sum or transpose that may be missing."""
    for place in _summands(statement):
        yield from _insertions(place, names)


def compositions(statement: ast.stmt, names: list[str]) -> Iterator[Edit]:
    """Every term, slope or product of names that may be missing."""
    for place in _summands(statement):
        yield from _composed(place, names)
    for place in inside(statement) if _has_value(statement) else ():
        if isinstance(place.parent, ast.BinOp) and isinstance(place.parent.op, ast.Mult):
            for name in names:  # a factor of two terms, of which one is missing
                yield place.write("this - v", "term", v=load(name))
                yield place.write("this + v", "term", v=load(name))
    own = _own_names(statement)
    for place in _summands(statement):
        for one, two, term in product(own, own, PRODUCTS):
            for sign in "-+":  # a term that is a product of what stands there already: `- s @ s.T`
                yield place.write(f"this {sign} {term}", "term", v=load(one), w=load(two))


def _has_value(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign | ast.AugAssign | ast.Return) and statement.value is not None


def _summands(statement: Any) -> Iterator[Place]:
    """What a factor or a term may be missing at: the right side, and what is added, multiplied or summed in it."""
    if not _has_value(statement):
        return
    match statement.value:
        case ast.Tuple(elts=items) | ast.List(elts=items):
            yield from (at(statement.value, "elts", k) for k in range(len(items)))
        case ast.Dict(values=items):
            yield from (at(statement.value, "values", k) for k in range(len(items)))
        case _:
            yield at(statement, "value")
    for place in list(inside(statement)):
        match place.parent:
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.MatMult()):
                yield place
            case ast.Attribute(attr=name) if name in METHODS:
                yield place
            case ast.Call() as call if place.key == "args" and (place.number == 0 or _chooses(call)):
                yield place


def _own_names(statement: ast.stmt) -> list[str]:
    """The variables that a statement reads."""
    read = (n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    return [name for name in dict.fromkeys(read) if name not in ("np", "numpy", "self")]


def _chooses(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in CHOOSING


def _insertions(place: Place, names: list[str]) -> Iterator[Edit]:
    yield place.write("-this", "sign")
    yield place.write("this.T", "transpose")
    match place.node:
        case ast.Call(func=ast.Attribute(attr="reshape") as reshape):
            for order in LAYOUTS:  # a layout that was to change before the values are taken in a row
                yield at(reshape, "value").write(f"this.transpose{order}", "transpose")
    for axis, method in product((0, 1, (0, 1), (0, 2), (0, 2, 3)), ("sum", "mean")):
        yield place.write(f"this.{method}(axis={axis})", "sum")
    for factor, operator in product(("2", "3", *names), "*/"):
        yield place.write(f"this {operator} v", "missing factor", v=load(factor))


def _composed(place: Place, names: list[str]) -> Iterator[Edit]:
    for name in names:
        v = load(name)
        for slope in SLOPES:
            yield place.write(f"this * ({slope})", "missing factor", v=v)
        if isinstance(place.node, ast.Constant):
            for axis in (0, 1):
                yield place.write(f"v.sum(axis={axis})", "sum", v=v)
        yield place.write("this + v", "term", v=v)
        yield place.write("this - v", "term", v=v)
