"""Many small images as one array of pixels. NumPy and Pillow only, cheap enough to run while training.

Legend: N images, H height, W width. Images are (N, H, W) grey or (N, H, W, 3) colour, floating point;
pixels are uint8, (height, width) or (height, width, 3).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from duograd.runner.figures.png import Pixels
from duograd.runner.figures.png import save_png as save_png  # offered here, beside what makes the arrays

Images = NDArray[np.floating[Any]]


def tile(images: Images, columns: int | None = None, gap: int = 1, background: float = 1.0) -> Pixels:
    """Lay images (N, H, W) or (N, H, W, 3) in [0, 1] out in rows, `gap` pixels apart, without an outer border.

    Without `columns` the picture comes out near-square (ceil(sqrt(N)) columns for square images). The last row is
    filled up with `background`, a grey level in [0, 1], which also shows in the gaps. Values outside [0, 1] are
    clipped, NaN is black. Returns (rows (H + gap) - gap, columns (W + gap) - gap[, 3]).
    """
    cells = _to_pixels(images)
    count, height, width, *channels = cells.shape
    columns = _near_square(count, height, width) if columns is None else columns
    rows = math.ceil(count / columns)
    paper = np.full((rows * columns, height + gap, width + gap, *channels), round(255 * background), np.uint8)
    paper[:count, :height, :width] = cells
    paper = paper.reshape(rows, columns, *paper.shape[1:]).swapaxes(1, 2)
    sheet = paper.reshape(rows * (height + gap), columns * (width + gap), *channels)
    return sheet[: len(sheet) - gap, : sheet.shape[1] - gap]


def stretch_each(images: Images, centre: float | None = None) -> Images:
    """Give each image (N, ...) the full contrast of [0, 1] by itself: its minimum -> 0, its maximum -> 1.

    With `centre` (0 for weights) both sides are scaled alike, by the image's largest distance from it: `centre` is
    always mid grey, brighter is above it and darker below, so that the sign can be read off. An image without contrast
    (constant; with `centre`, equal to it everywhere) is mid grey. Only finite values set the scale; NaN stays NaN.
    """
    x = np.asarray(images, np.float64)
    axes = tuple(range(1, x.ndim))
    finite = np.where(np.isfinite(x), x, np.nan)
    low, high = (_extreme(pick, finite, axes) for pick in (np.fmin, np.fmax))
    if centre is None:
        middle, reach = low / 2 + high / 2, high / 2 - low / 2  # halves first: high - low may overflow
    else:
        middle, reach = np.full_like(low, centre), np.maximum(high - centre, centre - low)
    return 0.5 + 0.5 * (x - middle) / np.where(reach > 0, reach, 1.0)


def enlarge(array: Pixels, factor: int) -> Pixels:
    """Repeat every pixel `factor` times both ways (nearest neighbour): edges stay sharp."""
    return array.repeat(factor, axis=0).repeat(factor, axis=1)


def fit_side(array: Pixels, side: int, largest: int = 16) -> Pixels:
    """Scale by a whole factor so that the longer side comes near `side` pixels and not above it.

    Enlarges at most `largest` times (one tiny image need not fill a page); what is too large is averaged in blocks.
    """
    longest = max(array.shape[:2])
    if longest <= side:
        return enlarge(array, min(side // longest, largest))
    return np.asarray(Image.fromarray(array).reduce(math.ceil(longest / side)))


def _near_square(count: int, height: int, width: int) -> int:
    """Columns for which rows * height is about columns * width."""
    return min(count, max(1, math.ceil(math.sqrt(count * height / width))))


def _to_pixels(images: Images) -> Pixels:
    """Floats in [0, 1] -> uint8, the same shape."""
    colour = images.ndim == 4 and images.shape[-1] == 3
    if not (images.ndim == 3 or colour) or 0 in images.shape:
        raise ValueError(f"images have shape {images.shape}: expected (N, H, W) or (N, H, W, 3), none of them 0")
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"images are {images.dtype}: expected floating point in [0, 1]")
    return np.rint(255 * np.clip(np.nan_to_num(images, nan=0.0), 0, 1)).astype(np.uint8)


def _extreme(pick: np.ufunc, x: Images, axes: tuple[int, ...]) -> Images:
    """The extreme of each image (N, 1, ...) past its NaN; 0 where nothing else is there."""
    extreme: Images = np.nan_to_num(pick.reduce(x, axis=axes, keepdims=True), nan=0.0)
    return extreme
