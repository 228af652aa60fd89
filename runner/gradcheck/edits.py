"""One small change of a statement, which knows how to take itself back."""

import ast
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Edit(NamedTuple):
    """kind; what makes the change, what takes it back; the statement as it then reads, where it is replaced whole."""

    kind: str
    make: Callable[[], None]
    undo: Callable[[], None]
    whole: ast.stmt | None = None
    said: str = ""  # what is wrong, where that is more than its kind


def inside(statement: ast.stmt) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
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


def load(name: str) -> ast.expr:
    """An expression from its text."""
    return ast.parse(name, mode="eval").body


def swap(parent: ast.AST, key: str, index: int | slice | None, new: Any, kind: str, said: str = "") -> Edit:
    """An edit that hangs something else at a place: a field, an item of a list, or all of a list."""
    old = getattr(parent, key) if index is None else getattr(parent, key)[index]

    def put(value: Any) -> None:
        if index is None:
            setattr(parent, key, value)
        else:
            getattr(parent, key)[index] = value

    return Edit(kind, lambda: put(new), lambda: put(old), new if isinstance(old, ast.stmt) else None, said)
