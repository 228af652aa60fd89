"""A gradient that is added up over several lines: which of the lines adds what it should not.

Each line of a right sum adds what reaches the output through one value, through another but not through a third, or
through none of them; the line whose share is none of these is the wrong one.
"""

from collections.abc import Iterator
from itertools import pairwise, permutations

import numpy as np

from duograd.runner.gradcheck.judgement import Judgement
from duograd.runner.gradcheck.truth import LARGE
from duograd.runner.gradcheck.versions import Array, Version, root

CLOSE = 1e-5  # relative to the largest entry
MOST_VALUES = 10  # later values, the ways through which are told apart


def wrong_share(judgement: Judgement, version: Version) -> int | None:
    """The line that adds a wrong share to a value; None where it is no such sum, or not exactly one line is wrong."""
    twin = judgement.twin.get(version.order)
    states = [
        v
        for v in judgement.backward
        if v.access == version.access and v.call == version.call and v.step <= version.step and v.line
    ]
    if twin is None or not 2 <= len(states) <= 12 or any(v.value.shape != version.value.shape for v in states):
        return None
    source = judgement.truth.sources[version.file]
    grown = (source.statements[v.line].builds for v in states[1:] if v.line in source.statements)
    if not all(root(version.access) in names for names in grown):
        return None
    if version.value.size > LARGE or len({v.line for v in states}) < len(states):
        return None
    t = judgement.truth.full(twin)
    if t.shape != version.value.shape or not np.isfinite(t).all():
        return None
    shares = [(states[0].line, states[0].value)]
    shares += [(b.line, b.value - a.value) for a, b in pairwise(states)]
    shares = [(line, share) for line, share in shares if share.any()]  # not the zeros that a sum may begin with
    if len(shares) < 2:
        return None
    ways = list(_ways(judgement, twin, t))
    scale = CLOSE * max(1e-300, float(np.abs(t).max()))
    wrong = [line for line, share in shares if not any(np.abs(share - way).max() <= scale for way in ways)]
    return wrong[0] if len(wrong) == 1 else None


def _ways(judgement: Judgement, twin: Version | str, t: Array) -> Iterator[Array]:
    """What may be a line's share: through a value, through it but not another, past one, past two."""
    after = -1 if isinstance(twin, str) else twin.order
    later = [v for v in judgement.forward if v.order > after and v.line and not str(v.access[0]).startswith("return")]
    through: list[Array] = []
    for version in later:
        way = t - judgement.truth.past(twin, version)
        fresh = all(np.abs(way - other).max() > 1e-9 for other in through)
        if np.abs(way).max() > 1e-9 * np.abs(t).max() and fresh:
            through.append(way)
        if len(through) == MOST_VALUES:
            break
    yield from through
    yield from (t - way for way in through)
    for a, b in permutations(through, 2):
        yield a - b
        yield t - a - b
    for a, b, c in permutations(through[:6], 3):
        yield t - a - b - c
        yield a - b - c
