"""What a table is to teach: classes or values, recognised from the targets unless that is said.

Legend: N samples, V values of a target, C classes.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from duograd.data.dataset import Array, require_finite
from duograd.data.errors import DataError

Kind = Literal["classes", "values"]
MOST_CLASSES = 20  # of whole numbers that are taken for classes unasked
FEWEST_EACH = 5  # samples of such a number, on average
SHOWN = 5  # classes that a message names


class Targets(NamedTuple):
    """array: indices (N,) int64 of `classes`, or (N, V) float64 of `values`. recognised: it could be the other."""

    array: Array
    classes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    recognised: bool = False

    def __str__(self) -> str:
        """Such as `3 classes`, for people."""
        what = f"{len(self.classes)} classes" if self.classes else "values"
        other = "values" if self.classes else "classes"
        return f"{what} (recognised; data.target_kind={other} if they are not)" if self.recognised else what


def read_targets(raw: Array, names: Sequence[str], kind: Kind | None, classes: Sequence[str] = ()) -> Targets:
    """Targets (N,) or (N, V) of numbers, words or truth values, as a network learns them.

    names: of the target's columns. classes: names of the classes 0, 1, …, else they are called as they stand.
    Raises DataError where targets are NaN, no numbers though values, all alike, or a class has one sample only.
    """
    if raw.ndim == 2 and raw.shape[1] == 1:
        raw = raw[:, 0]
    what = f"target {', '.join(names)}"
    if raw.dtype.kind == "f":
        require_finite(raw, what)
    if (kind or recognise(raw)) == "values":
        return _values(raw, names, what, kind is None and raw.dtype.kind in "iu")
    return _classes(raw, what, classes, kind is None and raw.dtype.kind in "iu")


def recognise(raw: Array) -> Kind:
    """Classes are words, truth values, and few whole numbers that come again and again; the rest is values."""
    if raw.dtype.kind not in "iuf":
        return "classes"
    different = len(np.unique(raw))
    few = raw.ndim == 1 and different <= min(MOST_CLASSES, len(raw) / FEWEST_EACH)
    return "classes" if few and raw.dtype.kind in "iu" else "values"


def _values(raw: Array, names: Sequence[str], what: str, recognised: bool) -> Targets:
    if raw.dtype.kind not in "iufb":
        raise DataError(f"{what} holds words such as '{raw.flat[0]}', no values: use data.target_kind=classes")
    array = raw.reshape(len(raw), -1).astype(np.float64)
    if not np.ptp(array, axis=0).all():
        raise DataError(f"{what} is the same in all {len(array)} samples, there is nothing to learn: choose another")
    return Targets(array, values=tuple(names), recognised=recognised)


def _classes(raw: Array, what: str, names: Sequence[str], recognised: bool) -> Targets:
    if raw.ndim != 1:
        raise DataError(f"{what} has shape {raw.shape}: give each sample one class, or use data.target_kind=values")
    different, array, counts = np.unique(raw, return_inverse=True, return_counts=True)
    called = tuple(names) or tuple(map(_called, different.tolist()))
    if len(called) < 2:
        raise DataError(f"{what} has one class only, '{called[0]}': give samples of two at least")
    if (counts == 1).any():
        lone = [name for name, count in zip(called, counts, strict=True) if count == 1]
        more = ", …" if len(lone) > SHOWN else ""
        remedy = "" if raw.dtype.kind not in "iuf" else ", or use data.target_kind=values"
        raise DataError(
            f"{what} has one sample only of class {', '.join(lone[:SHOWN])}{more}: give two at least, one to learn "
            f"from and one to test{remedy}"
        )
    return Targets(array.astype(np.int64), classes=called, recognised=recognised)


def _called(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
