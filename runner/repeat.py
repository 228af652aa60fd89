"""Whether a run that was done again came to the same: to the bit, or where it first did not, and what else changed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from duograd.runner.store import lines, tensors
from duograd.runner.store.folders import RunFolder

SHORT = 10  # digits of a commit


def difference(before: RunFolder, after: RunFolder) -> str | None:
    """Where two runs first differ, in a line; None where they are the same as far as the first came.

    Raises DamagedError.
    """
    return next(_differences(before, after), None)


def _differences(before: RunFolder, after: RunFolder) -> Iterator[str]:
    rows = [lines.read(folder.metrics) for folder in (before, after)]
    yield from _of_epochs(*rows)
    (then, _), (now, _) = before.ending(), after.ending()
    if then in ("KILLED", "RUNNING"):  # it came no further
        return
    if then != now or len(rows[0]) != len(rows[1]):
        yield f"it was {then} after {len(rows[0])} epochs, and is {now} after {len(rows[1])}"
    metrics = [folder.read_summary().get("metrics") or {} for folder in (before, after)]
    yield from _of_values("after the last update", *metrics)
    for path, other in ((before.checkpoint, after.checkpoint), (before.best, after.best)):
        yield from _of_weights(path, other)


def _of_epochs(before: Sequence[lines.Row], after: Sequence[lines.Row]) -> Iterator[str]:
    for then, now in zip(before, after, strict=False):
        yield from _of_values(f"epoch {then.get('epoch')}", then, now)
    if len(after) < len(before):
        yield f"epoch {len(after) + 1} is missing now"


def _of_values(where: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys([*before, *after]):
        then, now = before.get(name), after.get(name)
        if then != now and not (then != then and now != now):  # NaN is the same as NaN
            yield f"{where}: {name} was {then}, is {now}{_relative(then, now)}"


def _relative(then: Any, now: Any) -> str:
    if not all(isinstance(value, int | float) for value in (then, now)) or not then:
        return ""
    return f", by {abs(now - then) / abs(then):.1e} of it"


def _of_weights(path: Path, other: Path) -> Iterator[str]:
    if not path.exists() or not other.exists():
        return
    (before, _), (after, _) = tensors.read(path), tensors.read(other)
    for name in dict.fromkeys([*before, *after]):
        then, now = before.get(name), after.get(name)
        if then is None or now is None or then.shape != now.shape or then.tobytes() != now.tobytes():
            yield f"{path.name}: {name} is another{_distance(then, now)}"


def _distance(then: Any, now: Any) -> str:
    comparable = then is not None and now is not None and then.shape == now.shape and then.dtype.kind == "f"
    return f", by {np.nanmax(np.abs(now - then), initial=0):.1e} at the most" if comparable else ""


def changes(before: RunFolder, after: RunFolder) -> list[str]:
    """What else is not as it was: versions, the commit, and what was changed since it. Raises DamagedError."""
    then, now = before.read_identity(), after.read_identity()
    versions = [record.get("versions") or {} for record in (then, now)]
    found = [
        f"{package} {versions[0].get(package, 'none')} -> {versions[1].get(package, 'none')}"
        for package in dict.fromkeys([*versions[0], *versions[1]])
        if versions[0].get(package) != versions[1].get(package)
    ]
    commits = [str((record.get("git") or {}).get("commit"))[:SHORT] for record in (then, now)]
    if commits[0] != commits[1]:
        found.append(f"commit {commits[0]} -> {commits[1]}")
    if _text(before.changes) != _text(after.changes):
        found.append(f"what was changed since the commit ({before.changes.name})")
    return found


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
