"""A user's file, statement by statement: what each reads and writes."""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Statement:
    """A statement's lines, and what it reads and writes, by the first name: `dx[i] += g` reads and writes dx."""

    line: int
    end: int
    node: ast.stmt
    reads: frozenset[str]
    writes: frozenset[str]

    @property
    def builds(self) -> frozenset[str]:
        """What it makes out of itself: `dx += …`, `dx[i] = …`, `dx = dx + …`, `np.add.at(dx, …)`."""
        return self.reads & self.writes


class Source:
    """A user's file, by statements."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text
        self.lines = text.splitlines()
        self.tree = ast.parse(text, str(path))

    @cached_property
    def statements(self) -> dict[int, Statement]:
        """The innermost statement of each line."""
        statements: dict[int, Statement] = {}
        for node in ast.walk(self.tree):  # outer statements come before the inner ones, which replace them
            if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef):
                body = getattr(node, "body", None)
                end = node.end_lineno or node.lineno
                if isinstance(body, list) and body:
                    end = max(node.lineno, body[0].lineno - 1)
                statement = Statement(node.lineno, end, node, *_names(node))
                statements.update((line, statement) for line in range(node.lineno, end + 1))
        return statements

    def statement(self, line: int) -> Statement | None:
        """The statement that a line belongs to."""
        return self.statements.get(line)

    def around(self, line: int, *kinds: type[ast.stmt | ast.expr]) -> list[Any]:
        """The nodes of these kinds in which a line lies, the innermost last."""
        nodes = [n for n in ast.walk(self.tree) if isinstance(n, kinds) and n.lineno <= line <= (n.end_lineno or 0)]
        return sorted(nodes, key=lambda node: node.lineno)

    def statements_around(self, line: int) -> list[Statement]:
        """All statements of the innermost function in which a line lies; none where it lies in none."""
        inner = range(0)
        for function in self.around(line, ast.FunctionDef)[-1:]:
            inner = range(function.lineno + 1, (function.end_lineno or 0) + 1)
        return [statement for number, statement in self.statements.items() if number == statement.line in inner]

    def text_of(self, line: int) -> str:
        """A line's text, without its indentation."""
        return self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""


def _names(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """The first names that a simple statement, or the head of a compound one, reads and writes."""
    heads: list[ast.AST] = [node]
    if isinstance(node, ast.For):
        heads = [node.target, node.iter]
    elif isinstance(node, ast.If | ast.While):
        heads = [node.test]
    elif isinstance(node, ast.With):
        heads = list(node.items)
    reads, writes = set[str](), set[str]()
    for inner in (n for head in heads for n in ast.walk(head)):
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "self":
            (reads if isinstance(inner.ctx, ast.Load) else writes).add(f"self.{inner.attr}")
        elif isinstance(inner, ast.Name) and inner.id != "self":
            (reads if isinstance(inner.ctx, ast.Load) else writes).add(inner.id)
        if isinstance(inner, ast.Subscript | ast.Attribute) and isinstance(inner.ctx, ast.Store):
            writes |= _roots(inner)
        if isinstance(inner, ast.AugAssign):
            reads |= _roots(inner.target)
            writes |= _roots(inner.target)
        if isinstance(inner, ast.Call):
            writes |= _filled(inner)
    return frozenset(reads), frozenset(writes)


def _roots(node: ast.AST) -> set[str]:
    """The variable that a place belongs to; an attribute of self is one by itself."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            return {f"self.{node.attr}"}
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _filled(call: ast.Call) -> set[str]:
    """What a call changes in place: `np.add.at(dx, …)`, `out=dx`, `dxs.append(…)`."""
    changed = {name for keyword in call.keywords if keyword.arg == "out" for name in _roots(keyword.value)}
    if isinstance(call.func, ast.Attribute) and call.args and call.func.attr in ("at", "copyto", "fill_diagonal"):
        changed |= _roots(call.args[0])
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "insert", "fill"):
        changed |= _roots(call.func.value)
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "self":
        changed.add("self")  # a method may change any of its attributes
    return changed
