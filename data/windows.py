"""Windows of movement: cut from recordings, checked, and made into a data set.

Legend: N windows, T time steps of a window, S channels, R rows of a recording, K windows shown.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from duograd.data.augment import VariationConfig, vary
from duograd.data.dataset import Array, DataSet, Split
from duograd.data.errors import DataError
from duograd.data.folds import FoldedConfig
from duograd.data.source import Augmentation
from duograd.data.splits import Splits

ACTIVITIES = ("downstairs", "jogging", "sitting", "standing", "upstairs", "walking")  # the course's order
ROUNDING = 1e-7  # of a channel's magnitude: a constant stored as float32 varies by less


class WindowsConfig(FoldedConfig):
    """Windows of sensor channels, each one of several activities.

    standardise: each channel to mean 0 and std 1. augment: how far training windows are varied each time.
    """

    validation_fraction: float = Field(default=0.1, ge=0, lt=1)
    standardise: bool = False
    augment: VariationConfig = VariationConfig()

    def augmentation(self) -> Augmentation | None:
        return partial(vary, self.augment) if self.augment.varies else None


class PeopleConfig(WindowsConfig):
    """Movement whose people are known: no person is in two splits, and fractions are of the people."""

    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    window: int = Field(default=150, ge=2, le=100_000)


class Places(NamedTuple):
    """Where windows lie: each one's recording and its first row, both (N,)."""

    recording: NDArray[np.intp]
    row: NDArray[np.intp]


def window_places(lengths: Sequence[int], window: int, step: int) -> Places:
    """Every window of recordings with so many rows: the first at row 0, then every `step` rows, none past the end.

    A window lies in one recording, whole. One that is shorter than the window gives none.
    """
    counts = [max(0, (length - window) // step + 1) for length in lengths]
    rows = [np.arange(count) * step for count in counts]
    return Places(np.repeat(np.arange(len(lengths)), counts), np.concatenate(rows))


def cut_windows(recordings: Sequence[Array], places: Places, window: int) -> Array:
    """Windows (N, T, S), C-contiguous, copied out of recordings (R, S) at `places`: no array but the result."""
    windows = np.empty((len(places.row), window, recordings[0].shape[1]), recordings[0].dtype)
    for out, recording, row in zip(windows, places.recording, places.row, strict=True):
        out[:] = recordings[recording][row : row + window]
    return windows


def window_dataset(
    config: WindowsConfig,
    source: str,
    splits: Splits,
    dtype: np.dtype[Any],
    *,
    classes: tuple[str, ...],
    channels: tuple[str, ...],
    units: str,
    synthetic: bool = False,
) -> DataSet:
    """The windows as networks see them, standardised where `config` asks; the gallery shows one of each class, raw.

    Raises DataError where a split lacks a class, or a channel to standardise does not vary.
    """
    for name, one in splits._asdict().items():
        _require_classes(one, classes, f"data={config.name}: the {name} split")
    gallery = {"windows": one_of_each(splits.train, len(classes)).astype(dtype)}
    scale = fit_scale(splits.train.inputs, channels) if config.standardise else None

    def finish(split: Split) -> Split:
        inputs = split.inputs if scale is None else standardise(split.inputs, scale, dtype)
        return Split(np.ascontiguousarray(inputs, dtype), split.targets)

    return DataSet(
        name=config.name,
        source=source,
        **splits.map(finish)._asdict(),
        classes=classes,
        synthetic=synthetic,
        gallery=gallery,
        channels=channels,
        units=", ".join(filter(None, [units, "standardised" if config.standardise else ""])),
        prepare=None if scale is None else partial(standardise, scale=scale, dtype=dtype),
    )


def one_of_each(split: Split, classes: int) -> Array:
    """The first window of each class, (K, T, S) with K = classes, in class order."""
    assert split.targets is not None
    first = [int(np.argmax(split.targets == index)) for index in range(classes)]
    return split.inputs[first]


def _require_classes(split: Split | None, classes: Sequence[str], where: str) -> None:
    if split is None or split.targets is None:
        return
    counts = np.bincount(split.targets, minlength=len(classes))
    if not counts.all():
        missing = classes[int(np.argmin(counts))]
        raise DataError(
            f"{where} has no windows of class '{missing}': give data that holds each of {', '.join(classes)}"
        )


class Scale(NamedTuple):
    """A channel's mean and standard deviation, each (S,) float64."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]


def fit_scale(windows: Array, channels: Sequence[str]) -> Scale:
    """Mean and standard deviation of each channel of windows (N, T, S), over windows and time, in float64.

    Raises DataError where a channel does not vary, and names it.
    """
    columns = [windows[..., s].astype(np.float64) for s in range(windows.shape[-1])]  # contiguous: pairwise sums
    scale = Scale(np.array([c.mean() for c in columns]), np.array([c.std() for c in columns]))
    flat = scale.std <= ROUNDING * np.abs(scale.mean)
    if flat.any():
        s = int(np.flatnonzero(flat)[0])
        raise DataError(
            f"channel '{channels[s]}' is {scale.mean[s]:g} in every training window, so it cannot be standardised: "
            "leave that channel out, or set data.standardise=false"
        )
    return scale


def standardise(windows: Array, scale: Scale, dtype: np.dtype[Any]) -> Array:
    """(windows - mean) / std, per channel of windows (N, T, S); float64 arithmetic, one channel at a time."""
    scaled = np.empty(windows.shape, dtype)
    for s, (mean, std) in enumerate(zip(*scale, strict=True)):
        scaled[..., s] = (windows[..., s].astype(np.float64) - mean) / std
    return scaled
