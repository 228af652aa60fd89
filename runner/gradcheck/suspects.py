"""The lines in which a mistake may stand that made a value wrong."""

import ast
from collections.abc import Sequence

from duograd.runner.gradcheck.judgement import Judgement
from duograd.runner.gradcheck.versions import Version, ingredients, root


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
    loops = [node.lineno for node in source.around(version.line, ast.For, ast.While)]
    return list(dict.fromkeys([*lines, *loops]))


def _masks(judgement: Judgement, line: int) -> list[int]:
    """Where masks and indices are made that a statement uses: they are no values that could be judged."""
    source = judgement.layer.source
    reads = source.statements[line].reads
    known = {str(v.access[0]) for v in judgement.versions}
    own = source.statements_around(line)
    return [s.line for s in own if s.line < line and isinstance(s.node, ast.Assign) and (s.writes & reads) - known]


def lines_before(judgement: Judgement, version: Version) -> list[int]:
    """Where values were made that are right as gradients of something, but have no name that says of what."""
    made = ingredients(version.reads, lambda read: read.phase == "backward" or read.call == version.call)
    return sorted({read.line for read in made if read.line and read.file == version.file})


def lines_written(judgement: Judgement, version: Version) -> list[int]:
    """Every statement that could have written a value that stayed as it began, and those that made what they read."""
    own = judgement.layer.source.statements_around(version.line)
    written = {name for s in own for name in s.writes}
    names, size = {root(version.access)}, 0
    while size != len(names):
        size = len(names)
        names |= {name for s in own if s.writes & names for name in s.reads & written}
    return [s.line for s in own if s.writes & names] or [version.line]
