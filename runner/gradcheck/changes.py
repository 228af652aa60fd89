"""Small changes of a statement, as people make mistakes: another name or axis, `=` for `+=`, a factor too many.

Each change knows how to take itself back, so that one tree serves all of them.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from itertools import combinations

from duograd.runner.gradcheck.argument_changes import of_call, of_constant, of_index
from duograd.runner.gradcheck.edits import Edit, Place, at, fill, inside, load

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.Lt, ast.GtE),
    ast.Lt: (ast.Gt, ast.LtE),
    ast.GtE: (ast.LtE, ast.Gt),
    ast.LtE: (ast.GtE, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}


def replacements(
    top: ast.AST, statement: ast.stmt, names: list[str], alike: Callable[[str, str], bool]
) -> Iterator[Edit]:
    """Every small change that replaces or removes something. alike: whether two names may be confused."""
    yield from _of_statement(top, statement)
    places = list(inside(statement))
    for place in places:
        yield from _of_expression(place)
    values = [place for place in places if _bears_value(place, names)]
    yield from _everywhere(values, names, alike)
    for place in values:
        if not (_is_root(place) and isinstance(place.node, ast.Name)):
            yield place.write("this**2", "power")
    for place in values:
        old = ast.unparse(place.node)
        for new in names:
            if new != old and (new.isidentifier() or not _is_root(place)) and alike(old, new):
                yield place.swap(load(new), "name")


def _everywhere(values: Sequence[Place], names: list[str], alike: Callable[[str, str], bool]) -> Iterator[Edit]:
    """A name that stands more than once, exchanged wherever it stands: `z * (1 - z)` for `h * (1 - h)`."""
    by_name: dict[str, list[Place]] = {}
    for place in values:
        by_name.setdefault(ast.unparse(place.node), []).append(place)
    for old, places in by_name.items():
        for new in names if len(places) > 1 else ():
            if new != old and alike(old, new):
                swaps = [place.swap(load(new), "name") for place in places]
                yield Edit("name", partial(_all, [s.make for s in swaps]), partial(_all, [s.undo for s in swaps]))


def _all(functions: list[Callable[[], None]]) -> None:
    for function in functions:
        function()


def _bears_value(place: Place, names: list[str]) -> bool:
    """Whether a variable stands there, or an attribute or item that bears a value: self.W, cache["x"], hs[t]."""
    if isinstance(place.node, ast.Attribute | ast.Subscript):
        return isinstance(place.node.ctx, ast.Load) and ast.unparse(place.node) in names
    is_function = isinstance(place.parent, ast.Call) and place.key == "func"
    return isinstance(place.node, ast.Name) and isinstance(place.node.ctx, ast.Load) and not is_function


def _is_root(place: Place) -> bool:
    """Whether what stands there holds what is meant: W in W.T, hs in hs[t]."""
    return isinstance(place.parent, ast.Subscript | ast.Attribute) and place.key == "value"


def _of_statement(top: ast.AST, statement: ast.stmt) -> Iterator[Edit]:
    """`=` for `+=`; `dx[i] += g` where an index comes twice; a statement that should not be there."""
    lists = ((parent, key, held) for parent in ast.walk(top) for key, held in ast.iter_fields(parent))
    whole = next(
        Place(parent, key, k, item)
        for parent, key, held in lists
        for k, item in enumerate(held if isinstance(held, list) else ())
        if item is statement
    )
    match statement:
        case ast.Assign(targets=[ast.Name() | ast.Subscript() | ast.Attribute() as target], value=value):
            yield whole.swap(ast.AugAssign(target, ast.Add(), value), "overwrite")
        case ast.AugAssign(target=target, op=op, value=value):
            yield whole.swap(ast.Assign([target], value), "accumulate")
            if other := OPERATORS.get(type(op)):
                yield whole.swap(ast.AugAssign(target, other(), value), "sign")
            if isinstance(target, ast.Subscript):
                parts = {"holder": load(ast.unparse(target.value)), "place": target.slice}
                added = fill("np.add.at(holder, place, value)", **parts, value=value)
                yield whole.swap(ast.Expr(added), "repeated index")
    yield whole.swap(ast.Pass(), "statement too many")


def _of_expression(place: Place) -> Iterator[Edit]:
    """Changes at one expression."""
    match place.node:
        case ast.BinOp():
            yield from _of_operation(place, place.node)
        case ast.UnaryOp(operand=operand):
            yield place.swap(operand, "sign")
        case ast.Constant(value=value):
            yield from of_constant(place, value)
        case ast.Compare(ops=operators):
            for k, operator in enumerate(operators):
                for other in COMPARISONS.get(type(operator), ()):
                    yield at(place.node, "ops", k).swap(other(), "mask")
        case ast.Attribute(value=value, attr="T"):
            yield place.swap(value, "transpose")
        case ast.Call():
            yield from of_call(place, place.node)
        case ast.Subscript(value=value, ctx=context):
            if isinstance(context, ast.Load):
                yield place.swap(value, "index")
            yield from of_index(place.node)


def _of_operation(place: Place, node: ast.BinOp) -> Iterator[Edit]:
    left, operator, right = node.left, node.op, node.right
    sign = {ast.Add: "+ ", ast.Sub: "- "}.get(type(operator))
    if other := OPERATORS.get(type(operator)):
        yield at(node, "op").swap(other(), "sign" if sign else "factor")
    for kept, text in ((left, f"{sign}{ast.unparse(right)}"), (right, ast.unparse(left))):
        yield place.swap(kept, "term" if sign else "factor", f"`{text}` is too many" if sign else "")
    if isinstance(operator, ast.Sub):
        yield place.write("-right", "term", right=right)
    if isinstance(operator, ast.MatMult | ast.Sub | ast.Div):
        yield place.swap(ast.BinOp(right, operator, left), "order")
    if isinstance(operator, ast.Mult):
        yield from _of_factors(place, node)
        yield at(node, "op").swap(ast.MatMult(), "order")
    if isinstance(operator, ast.MatMult):
        for side in ("left", "right"):
            yield at(node, side).write("this.T", "transpose")
        yield place.write("right.T @ left.T", "transpose", right=right, left=left)


def _of_factors(place: Place, node: ast.BinOp) -> Iterator[Edit]:
    """`1 - a` for a factor `a`; of a product of several factors, two that are too many."""
    for side in ("left", "right"):
        yield at(node, side).write("1 - this", "wrong factor")
    factors = list(_factors(node))
    is_part = isinstance(place.parent, ast.BinOp) and isinstance(place.parent.op, ast.Mult)
    for pair in () if is_part or len(factors) < 3 else combinations(range(len(factors)), 2):
        left = [factor for k, factor in enumerate(factors) if k not in pair]
        yield place.swap(reduce(lambda a, b: ast.BinOp(a, ast.Mult(), b), left), "extra factor")


def _factors(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _factors(node.left)
        yield from _factors(node.right)
    else:
        yield node
