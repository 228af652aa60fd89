"""The arrays that layers take and give, and which of them are refused rather than rounded or broadcast."""

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


def check_floating(what: str, x: Array) -> None:
    """Raises ValueError: not floating-point. An image's bytes would wrap, and results be cut to integers."""
    if x.dtype.kind != "f":
        raise ValueError(f"{what} of {x.dtype}: convert it first, such as by x.astype(np.float32)")


def check_vectors(n: int, what: str, **vectors: Array | None) -> None:
    """Raises ValueError: one of them, unless it is None, has not one value for each of the n. One for all is none."""
    for name, v in vectors.items():
        if v is not None and v.shape != (n,):
            raise ValueError(f"{name} has shape {v.shape}: expected ({n},), a value for each {what}")


def check_classes(targets: Array, n: int, C: int) -> None:
    """Raises ValueError: targets that are not n classes, 0 … C - 1. As an index, a negative one counts from the end."""
    if targets.shape != (n,):
        raise ValueError(f"targets have shape {targets.shape}: expected ({n},), one for each sample")
    if targets.dtype.kind not in "iu":
        raise ValueError(f"targets of {targets.dtype}: expected indices of classes, integers from 0 to {C - 1}")
    if (outside := targets[(targets < 0) | (targets >= C)]).size:
        raise ValueError(f"target {outside[0]} is no class: expected an integer from 0 to {C - 1}")


def whole_numbers(a: Array) -> Array:
    """A view of the bits of a. Times 1 or 0 they are a or 0, whatever a is; as a number, 0 · ∞ would be NaN."""
    return a.view(f"u{a.itemsize}")
