"""The lines in which a mistake may stand that made a value wrong."""

import ast
from collections.abc import Sequence

from duograd.runner.gradcheck.judgement import Judgement
from duograd.runner.gradcheck.trace import Version, root


def lines_behind(judgement: Judgement, version: Version, unproven: Sequence[Version]) -> list[int]:
    """The statements in which a mistake may stand: those of a wrong value's nameless ingredients, then its own.

    After them, the heads of the loops around it: a loop that leaves a step out is no line of any value's.
    """
    source = judgement.layer.source
    statements = source.statements
    lines = [v.line for v in unproven if v.line and v.file == version.file]
    same = [v for v in judgement.backward if v.access == version.access and v.call == version.call]
    lines += [v.line for v in same if v.line and v.step <= version.step]
    lines.append(version.line)
    for line in list(lines):
        if line in statements:
            lines = [*_masks(judgement, line), *lines]
    around = [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.For | ast.While) and node.lineno < version.line <= (node.end_lineno or 0)
    ]
    return list(dict.fromkeys([*lines, *around]))


def _masks(judgement: Judgement, line: int) -> list[int]:
    """Where masks and indices are made that a statement uses: they are no values that could be judged."""
    source = judgement.layer.source
    reads = source.statements[line].reads
    known = {str(v.access[0]) for v in judgement.versions}
    functions = [n for n in ast.walk(source.tree) if isinstance(n, ast.FunctionDef)]
    around = [n for n in functions if n.lineno <= line <= (n.end_lineno or 0)]
    if not around:
        return []
    inner = max(around, key=lambda n: n.lineno)
    return [
        statement.line
        for number, statement in source.statements.items()
        if number == statement.line
        and inner.lineno < number < line
        and isinstance(statement.node, ast.Assign)
        and (statement.writes & reads) - known
    ]


def lines_before(judgement: Judgement, version: Version) -> list[int]:
    """Where values were made that are right as gradients of something, but have no name that says of what."""
    found: dict[int, None] = {}
    ahead = list(version.reads)
    seen = set[int]()
    while ahead:
        read = ahead.pop()
        if read.order in seen or (read.phase != "backward" and read.call != version.call):
            continue
        seen.add(read.order)
        if read.line and read.file == version.file:
            found[read.line] = None
        ahead += read.reads
    return sorted(found)


def lines_written(judgement: Judgement, version: Version) -> list[int]:
    """Every statement that could have written a value that stayed as it began, and those that made what they read."""
    source = judgement.layer.source
    functions = [n for n in ast.walk(source.tree) if isinstance(n, ast.FunctionDef)]
    around = [n for n in functions if n.lineno <= version.line <= (n.end_lineno or 0)]
    inner = max(around, key=lambda n: n.lineno, default=None)
    if inner is None:
        return [version.line]
    own = [
        s for line, s in source.statements.items() if line == s.line and inner.lineno < line <= (inner.end_lineno or 0)
    ]
    wanted, size = {root(version.access)}, 0
    while size != len(wanted):
        size = len(wanted)
        wanted |= {name for s in own if s.writes & wanted for name in s.reads if any(name in o.writes for o in own)}
    return [s.line for s in own if s.writes & wanted]
