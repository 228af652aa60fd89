"""Each channel to mean 0 and standard deviation 1, as fitted on the training windows.

Legend: N windows, T time steps, S channels.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Array
from duograd.data.errors import DataError

ROUNDING = 1e-7  # of a channel's magnitude: a constant stored as float32 varies by less


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
