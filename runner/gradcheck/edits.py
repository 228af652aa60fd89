"""One small change of a statement, which knows how to take itself back."""

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple


class Edit(NamedTuple):
    """kind; what makes the change, what takes it back; the statement as it then reads, where it is replaced whole."""

    kind: str
    make: Callable[[], None]
    undo: Callable[[], None]
    whole: ast.stmt | None = None
    said: str = ""  # what is wrong, where that is more than its kind


class Place(NamedTuple):
    """Where something hangs in a tree: a field of its parent, an item of the list there, or all of that list."""

    parent: ast.AST
    key: str
    number: int | slice | None
    node: Any

    def swap(self, new: Any, kind: str, said: str = "") -> Edit:
        """An edit that hangs something else there."""

        def put(value: Any) -> None:
            if self.number is None:
                setattr(self.parent, self.key, value)
            else:
                getattr(self.parent, self.key)[self.number] = value

        whole = new if isinstance(self.node, ast.stmt) else None
        return Edit(kind, lambda: put(new), lambda: put(self.node), whole, said)

    def write(self, text: str, kind: str, **parts: ast.expr) -> Edit:
        """An edit that writes an expression there; `this` in its text is what is there now, and so are other parts."""
        return self.swap(fill(text, this=self.node, **parts), kind)


def at(parent: ast.AST, key: str, index: int | slice | None = None) -> Place:
    """A place, with what hangs there now."""
    held = getattr(parent, key)
    return Place(parent, key, index, held if index is None else held[index])


def load(text: str) -> ast.expr:
    """An expression from its text."""
    return ast.parse(text, mode="eval").body


class _Filler(ast.NodeTransformer):
    def __init__(self, parts: Mapping[str, ast.expr]) -> None:
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.parts.get(node.id, node)


def fill(text: str, **parts: ast.expr) -> ast.expr:
    """An expression from its text, with other expressions for some of its names."""
    filled: ast.expr = _Filler(parts).visit(load(text))
    return filled


def inside(statement: ast.stmt) -> Iterator[Place]:
    """The expressions of a statement where they hang; of a compound one, of its head."""
    ahead: list[ast.AST] = [statement]
    while ahead:
        parent = ahead.pop(0)
        for key, held in ast.iter_fields(parent):
            if parent is statement and key in ("body", "orelse", "handlers", "finalbody", "decorator_list"):
                continue
            for index, node in enumerate(held) if isinstance(held, list) else [(None, held)]:
                if isinstance(node, ast.AST) and not isinstance(node, ast.expr_context | ast.operator | ast.cmpop):
                    yield Place(parent, key, index, node)
                    ahead.append(node)
