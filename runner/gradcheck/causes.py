"""What is wrong with a gradient, found by trying: each mistake that people make is held against the truth."""

import numpy as np

from duograd.runner.gradcheck.axes import another_shape, arranged, reduced, somewhere
from duograd.runner.gradcheck.comparison import Comparison
from duograd.runner.gradcheck.factors import elementwise, mistaken
from duograd.runner.gradcheck.judgement import Judgement
from duograd.runner.gradcheck.scope import CLOSE, Cause, Scope, is_plain, is_said, named
from duograd.runner.gradcheck.truth import LARGE
from duograd.runner.gradcheck.versions import Version

MOST_PATHS = 24  # intermediate values whose path is tried


def explain(judgement: Judgement, version: Version) -> Cause:
    """The first explanation that fits; `wrong; cosine 0.98` where none does."""
    twin = judgement.twin.get(version.order)
    if twin is None:
        return Cause("unknown", "wrong")
    g = version.value
    if not np.isfinite(g).all():
        return Cause("nan", "has values that are NaN or infinite")
    t = judgement.truth.full(twin)
    if g.shape != t.shape and g.size == t.size and isinstance(twin, Version):
        g = g.reshape(t.shape)  # a value of the way, laid out otherwise
    if g.shape != t.shape:
        return another_shape(g, t)
    comparison = Comparison(judgement, version, twin, g, t, Scope.of(judgement, version))
    for explanation in EXPLANATIONS:
        may = comparison.whole or explanation not in WHOLE
        if may and (cause := explanation(comparison)):
            return cause
    a, b = comparison.pair
    cosine = float(a @ b) / max(1e-300, float(np.linalg.norm(a) * np.linalg.norm(b)))
    return Cause("unknown", f"wrong; cosine {cosine:.2f}")


def _zero(c: Comparison) -> Cause | None:
    if not np.abs(c.g).max() > 1e-12 * c.scale:
        return Cause("zero", "is zero: nothing that it is made of reaches it")
    return None


def _constant(c: Comparison) -> Cause | None:
    a, b = c.pair
    times = float(a @ b) / float(b @ b) if b.any() else 0.0
    if not times or not c.fits(c.g / times) or (c.g.size == 1 and not is_said(times, c.scope)):
        return None
    if abs(times + 1) < CLOSE:
        return Cause("sign", "has the wrong sign")
    return Cause("factor", f"is {named(times, c.scope)} times what it should be")


def _of_another_input(c: Comparison) -> Cause | None:
    truth = c.judgement.truth
    for output in c.judgement.outputs:
        same_shape = output.name != c.twin and truth.value(output.name).shape == c.g.shape
        if same_shape and truth.agrees(c.g, output.name) < truth.tolerance:
            return Cause("swapped", f"is the gradient of {output.name}")
    return None


def _overwritten(c: Comparison) -> Cause | None:
    states = [v for v in c.scope.states if v.line == c.version.line and v.value.shape == c.version.value.shape]
    if len(states) > 1 and c.fits(np.sum([v.value for v in states], axis=0)):
        return Cause("overwrite", "is overwritten at each step where it should add up")
    return None


def _term(c: Comparison) -> Cause | None:
    """A term that is missing, or too many: a value in scope times a number that has a name."""
    left = np.where(c.known, c.t - c.g, 0.0)
    same = ((name, v.value) for name, v in c.scope.arrays.items() if v.value.shape == c.t.shape and v.value.any())
    values = ((word, v) for name, value in same for word, v in ((name, value), (f"sign({name})", np.sign(value))))
    for word, v in values if c.g.size > 1 else ():  # of a single number, anything is a multiple
        inner = np.where(c.known, v, 0.0).ravel()
        times = float(left.ravel() @ inner) / max(1e-300, float(inner @ inner))
        if times and c.fits(c.g + times * v):
            number = named(abs(times), c.scope).rpartition(" = ")[2]
            if number[0].isdigit() and not is_plain(abs(times), c.scope) and number != "1":
                return Cause("term", f"its term in `{word}` is wrong by {number} * {word}")
            term = word if number == "1" else f"{number} * {word}"
            return Cause("term", f"the term `{term}` is missing" if times > 0 else f"has the term `{term}` too many")
    return None


def _path(c: Comparison) -> Cause | None:
    """One of several ways from the value to the output is left out, or counted too often."""
    after = -1 if isinstance(c.twin, str) else c.twin.order
    later = [v for v in c.judgement.forward if v.order > after and v.line and str(v.access[0])[:6] != "return"]
    done: set[str] = set()
    for v in later[:MOST_PATHS] if c.t.size <= LARGE else ():
        if v.name in done and len(later) > MOST_PATHS // 2:
            continue
        done.add(v.name)
        through = c.t - c.judgement.truth.past(c.twin, v)
        size = float(np.vdot(through, through))
        if size <= (CLOSE * float(np.linalg.norm(c.t))) ** 2 or c.fits(through):
            continue
        more = float(np.vdot(c.g - c.t, through)) / size
        if more and c.fits(c.g - more * through) and (abs(more + 1) < CLOSE or is_said(more + 1, c.scope)):
            counts = _times(more + 1, c.scope)
            return Cause("path", f"right but for the path through {v.name} (line {v.line}){counts}")
    return None


def _times(times: float, scope: Scope) -> str:
    """How often a path counts, which should count once."""
    if abs(times) < CLOSE:
        return ""
    if abs(times - 2) < CLOSE:
        return ", which counts twice"
    if abs(times + 1) < CLOSE:
        return ", which has the wrong sign"
    return f", which counts {named(times, scope)} times"


EXPLANATIONS = (
    *(_zero, _constant, _of_another_input, arranged, _overwritten, elementwise, mistaken, _term, _path),
    *(reduced, somewhere),
)  # what is simplest comes first
WHOLE = (_of_another_input, arranged, _overwritten, _path, reduced)  # for which the whole truth must be known
