"""The debugger's verdicts: each layer's gradients, and the first line that is wrong with what is wrong in it."""

import ast
import contextlib
import io
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from duograd.runner.errors import UserError
from duograd.runner.gradcheck.causes import explain
from duograd.runner.gradcheck.discovery import layer_of
from duograd.runner.gradcheck.inputs import Shape, give_inputs
from duograd.runner.gradcheck.judge import judge
from duograd.runner.gradcheck.judgement import FOLLOWS, GIVEN, RIGHT, UNKNOWN, WRONG, Judgement
from duograd.runner.gradcheck.layer import Layer, changed_inputs
from duograd.runner.gradcheck.repairs import Budget, Repair, repairs
from duograd.runner.gradcheck.scope import Cause
from duograd.runner.gradcheck.sums import wrong_share
from duograd.runner.gradcheck.suspects import lines_before, lines_behind, lines_written
from duograd.runner.gradcheck.trace import TooLongError
from duograd.runner.gradcheck.truth import Truth
from duograd.runner.gradcheck.verdict import Finding, LayerCheck, OutputCheck
from duograd.runner.gradcheck.versions import Version

CHANGES = 2000  # that are tried for one wrong value
SECONDS = 6.0  # after which no more are tried, however few they were
MOST_FINDINGS = 3


def gradcheck(layer: Any, *inputs: Any) -> LayerCheck:
    """Whether a layer's gradients are right on these inputs; if not, the first line that is wrong, and what is.

    layer: a function that returns (y, backward); NAME_forward with NAME_backward beside it; a class or an object with
    forward and backward; or a loss that returns (scalar, gradients). Raises UserError where it is none of them.
    """
    return check_layer(layer_of(layer, inputs))


def check_layer(layer: Layer, shapes: Mapping[str, Shape] | None = None, seed: int = 0) -> LayerCheck:
    """Everything about one layer. Raises UserError, ForwardError."""
    with _quiet():
        if not layer.arguments:
            give_inputs(layer, shapes, seed)
        truth = _truth(layer, seed)
        try:
            judgement = judge(layer, truth.sources, truth)
        except TooLongError:
            raise UserError(f"{layer.name}: its loops are too long to be followed: give smaller inputs") from None
        findings = [] if judgement.ok else _findings(judgement)
    words = [o.name.rsplit(".", 1)[-1] for o in judgement.outputs]
    names = words if len(set(words)) == len(words) else [o.name for o in judgement.outputs]
    outputs = [
        OutputCheck(name, o.ok, min(float(o.error), 1.0)) for name, o in zip(names, judgement.outputs, strict=True)
    ]
    notes = [f"no gradient was returned for {name}" for name in judgement.missing if layer.form != "loss"]
    notes += [f"forward changes its own input {name} in place" for name in changed_inputs(layer)]
    marks = _marks(judgement, findings)
    lines = {line: layer.source.lines[line - 1] for line in _lines_of_backward(judgement, marks)}
    return LayerCheck(layer.name, judgement.ok, outputs, findings, str(layer.source.path), marks, notes, lines)


@contextlib.contextmanager
def _quiet() -> Any:
    """The user's prints and NumPy's warnings come once for each of hundreds of passes: none is shown."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _truth(layer: Layer, seed: int) -> Truth:
    """The layer's loss. Raises UserError where forward is not the same twice."""
    first, second = layer.start(), layer.start()
    for a, b in zip(first.y, second.y, strict=True):
        if a.shape != b.shape or not np.array_equal(a, b, equal_nan=True):
            raise UserError(f"{layer.name}: forward is not repeatable: seed it (its random draws differ between runs)")
    if not all(np.isfinite(y).all() for y in first.y):
        raise UserError(f"{layer.name}: forward gives NaN or infinity on these inputs: give it others")
    rng = np.random.default_rng([2, seed])
    dy = tuple(
        np.ones(y.shape) if not layer.takes_upstream else np.asarray(rng.standard_normal(y.shape), dtype=y.dtype)
        for y in first.y
    )
    return Truth(layer, dy, {str(layer.source.path): layer.source}, any(y.dtype == np.float32 for y in first.y))


def _findings(judgement: Judgement) -> list[Finding]:
    """The first wrong value, and others that do not follow from it."""
    findings: list[Finding] = []
    wrong = {output.name for output in judgement.outputs if not output.ok}
    latest = time.process_time() + SECONDS
    for version in judgement.first_wrong():
        finding, mended = _finding(judgement, version, Budget(CHANGES, latest))
        if all(finding.line != other.line for other in findings):
            findings.append(finding)
        if wrong <= set(mended):
            return [finding]
        if len(findings) == MOST_FINDINGS or time.process_time() > latest:
            break
    return findings or [_unplaced(judgement)]


def _finding(judgement: Judgement, version: Version, budget: Budget) -> tuple[Finding, tuple[str, ...]]:
    """What is said of a wrong value, and which gradients the change would mend that was found for it."""
    cause = explain(judgement, version)
    share = wrong_share(judgement, version)
    lines = lines_behind(judgement, version, judgement.unproven(version)) if share is None else [share]
    if cause.kind == "zero":
        lines = lines_written(judgement, version)
    unsure = cause.kind in ("unknown", "index", "wrong value")
    if not unsure and len(lines) == 1:
        budget.changes = CHANGES // 10  # the mistake is known; how the line should read is an extra
    repair = _best(repairs(judgement, lines, budget), judgement)
    if share is None and unsure and (repair is None or len(repair.mended) < _count_wrong(judgement)):
        before = [line for line in lines_before(judgement, version) if line not in lines]
        repair = _best([*filter(None, [repair]), *repairs(judgement, before, budget)], judgement)
    line = repair.line if repair else share or version.line
    if cause.kind == "zero" and not repair:
        line = next((v.line for v in judgement.backward if v.line in lines and v.reads and not v.value.any()), line)
    if repair:
        own = line == version.line and cause.kind not in ("unknown", "index", "shape")
        fixed = f"right as `{repair.text}`"
        if repair.said and cause.kind in ("term", "unknown", "index", "shape"):
            cause = Cause("term", f"{repair.said}; {fixed}")
        else:
            cause = Cause(cause.kind, f"{cause.text}; {fixed}") if own else Cause(repair.kind, fixed)
    source = judgement.layer.source
    name = version.name if line == version.line else _name_at(judgement, line) or version.name
    finding = Finding(str(source.path), line, source.text_of(line), name, cause.text, cause.kind)
    return finding, repair.mended if repair else ()


def _count_wrong(judgement: Judgement) -> int:
    return sum(not output.ok for output in judgement.outputs)


def _best(candidates: Any, judgement: Judgement) -> Repair | None:
    """The change that mends the most; of equals, the first that was tried: it removes rather than adds."""
    most = _count_wrong(judgement)
    best: Repair | None = None
    for repair in candidates:
        if best is None or len(repair.mended) > len(best.mended):
            best = repair
        if len(best.mended) == most:
            break
    return best


def _name_at(judgement: Judgement, line: int) -> str | None:
    return next((v.name for v in judgement.backward if v.line == line), None)


def _unplaced(judgement: Judgement) -> Finding:
    """A wrong gradient of which nothing on the way was seen."""
    output = next(o for o in judgement.outputs if not o.ok)
    source = judgement.layer.source
    last = max((v.line for v in judgement.backward if v.file == str(source.path)), default=0)
    return Finding(str(source.path), last, source.text_of(last), output.name, "wrong", "unknown")


def _marks(judgement: Judgement, findings: Sequence[Finding]) -> dict[int, str]:
    """What is said of each line of the backward pass; the worst of its values counts."""
    order = [WRONG, FOLLOWS, UNKNOWN, RIGHT]
    marks: dict[int, str] = {}
    if judgement.ok:
        return {v.line: RIGHT for v in judgement.backward if v.line}
    for version in judgement.backward:
        status = judgement.status.get(version.order, UNKNOWN)
        if version.line and status != GIVEN:
            old = marks.get(version.line)
            marks[version.line] = status if old is None else min(old, status, key=order.index)
    first = {finding.line for finding in findings}
    for line, status in marks.items():
        if status == WRONG and line not in first:
            marks[line] = FOLLOWS
    marks |= dict.fromkeys(first & set(judgement.layer.source.statements), WRONG)
    return marks


def _lines_of_backward(judgement: Judgement, marks: Mapping[int, str]) -> list[int]:
    """The lines of the functions that a backward pass went through."""
    around = (judgement.layer.source.around(line, ast.FunctionDef, ast.Lambda)[-1:] for line in marks)
    return sorted({line for [*inner] in around for f in inner for line in range(f.lineno, f.end_lineno + 1)})
