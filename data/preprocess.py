"""From colour patches to what the autoencoder learns: the steps of the report's question 1, in its order.

luminosity → remove_mean → clip at ±3 standard deviations → rescale to [0.1, 0.9] → flatten

The arithmetic is float64, whatever the input and the result: then the ends of the range are exactly 0.1 and 0.9, and
rounding differences between processors vanish when the result is cast to float32.

Legend: N patches, H height, W width.
"""

import numpy as np

from duograd.data.dataset import Array
from duograd.data.errors import DataError

LUMINOSITY = np.array([0.2126, 0.7152, 0.0722])  # red, green, blue (ITU-R BT.709)
CLIP_STDS = 3.0
TARGET_LOW, TARGET_HIGH = 0.1, 0.9  # away from 0 and 1, where a sigmoid saturates
ROUNDING = 1e-12  # of a pixel's value; removing the mean of a flat float64 image leaves about 1e-16 of it


def luminosity(colour: Array) -> Array:
    """Grey (N, H, W) = 0.2126 R + 0.7152 G + 0.0722 B, of colour (N, 3, H, W)."""
    grey: Array = np.einsum("c,nchw->nhw", LUMINOSITY, colour)
    return grey


def remove_mean(grey: Array) -> Array:
    """Each image of grey (N, H, W) minus its own mean."""
    centred: Array = grey - grey.mean(axis=(1, 2), dtype=np.float64, keepdims=True)
    return centred


def clip_to(grey: Array, limit: float) -> Array:
    """Grey with every pixel brought into [-limit, limit]."""
    return np.clip(grey, -limit, limit)


def rescale(grey: Array, low: float, high: float) -> Array:
    """The straight line that takes `low` to 0.1 and `high` to 0.9."""
    share: Array = (grey - low) / (high - low)
    return TARGET_LOW + (TARGET_HIGH - TARGET_LOW) * share


def flatten(grey: Array) -> Array:
    """Grey (N, H, W) as rows (N, H·W), pixel (r, c) at r·W + c."""
    return grey.reshape(len(grey), -1)


def fit_range(grey: Array, magnitude: float = 1.0) -> tuple[float, float]:
    """The smallest and largest pixel once grey (N, H, W) is clipped at ±3 std, one std over all pixels of all images.

    magnitude: the largest pixel before means were removed, which tells contrast from rounding.
    Raises DataError where no image has any contrast.
    """
    std = float(grey.std(dtype=np.float64))
    if std <= ROUNDING * magnitude:
        raise DataError("every image is one flat grey (standard deviation 0): give images with some contrast")
    clipped = clip_to(grey, CLIP_STDS * std)
    return float(clipped.min()), float(clipped.max())


def to_range(grey: Array, low: float, high: float) -> Array:
    """Grey clipped to [low, high], the range fitted on training images, and rescaled to [0.1, 0.9].

    On the training images this is the clip at ±3 std. Validation images take the training range as it is, so what they
    hold beyond it is cut, and both splits lie in [0.1, 0.9] on one scale.
    """
    return rescale(np.clip(grey, low, high), low, high)


def require_finite(samples: Array, what: str) -> None:
    """Raises DataError where `samples` hold NaN or infinity: how many, and where the first stands."""
    if samples.size == 0 or (np.isfinite(samples.min()) and np.isfinite(samples.max())):
        return  # NaN and infinity always reach the minimum or the maximum, which need no mask the size of the data
    bad = np.argwhere(~np.isfinite(samples))
    first = ", ".join(map(str, bad[0]))
    raise DataError(
        f"{what} has {len(bad)} values that are NaN or infinite as {samples.dtype}, the first at [{first}]: "
        "repair those samples or leave them out"
    )
