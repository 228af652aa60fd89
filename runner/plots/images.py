"""Many small images as one array of pixels. NumPy and Pillow only, cheap enough to run while training.

Legend: N images, H height, W width. Images are (N, H, W) grey or (N, H, W, 3) colour, floating point;
pixels are uint8, (height, width) or (height, width, 3).
"""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from duograd.runner.store.files import write_bytes

Images = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]

FRAME_SIDE = 640  # pixels of a frame's longer side


def tile(images: Images, columns: int | None = None, gap: int = 1, background: float = 1.0) -> Pixels:
    """Lay images (N, H, W) or (N, H, W, 3) in [0, 1] out in rows, `gap` pixels apart, without an outer border.

    Without `columns` the picture comes out near-square (ceil(sqrt(N)) columns for square images). The last row is
    filled up with `background`, a grey level in [0, 1], which also shows in the gaps. Values outside [0, 1] are
    clipped, NaN is black. Returns (rows (H + gap) - gap, columns (W + gap) - gap[, 3]).
    """
    cells = _to_pixels(images)
    count, height, width, *channels = cells.shape
    columns = min(count, max(1, math.ceil(math.sqrt(count * height / width)))) if columns is None else columns
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
    low, high = (np.nan_to_num(pick.reduce(finite, axis=axes, keepdims=True)) for pick in (np.fmin, np.fmax))
    if centre is None:
        middle, reach = low / 2 + high / 2, high / 2 - low / 2  # halves first: high - low may overflow
    else:
        middle, reach = np.full_like(low, centre), np.maximum(high - centre, centre - low)
    stretched: Images = 0.5 + 0.5 * (x - middle) / np.where(reach > 0, reach, 1.0)
    return stretched


def fit_side(array: Pixels, side: int, largest: int = 16) -> Pixels:
    """Scale by a whole factor so that the longer side comes near `side` pixels and not above it: edges stay sharp.

    Enlarges at most `largest` times (one tiny image need not fill a page); what is too large is averaged in blocks.
    """
    longest = max(array.shape[:2])
    if longest <= side:
        factor = min(side // longest, largest)
        return array.repeat(factor, axis=0).repeat(factor, axis=1)
    return np.asarray(Image.fromarray(array).reduce(math.ceil(longest / side)))


def weight_frame(weight: Images, image_shape: tuple[int, ...], side: int = FRAME_SIDE) -> Pixels:
    """All units' weights as one grid of pixels, for a frame while training.

    weight: (hidden, H W) for image_shape (H, W); (hidden, H W 3) or (hidden, H, W, 3) for (H, W, 3). The caller moves
    convolution filters (filters, 3, H, W) to channel-last: `weight.transpose(0, 2, 3, 1)`.
    Mid grey is weight 0; each unit is scaled by its own largest |weight|. Enlarged by a whole factor (64 units of
    16x16: 4) to at most `side` pixels, so a run's frames all have one size.
    """
    if weight.shape[1:] not in (image_shape, (math.prod(image_shape),)):  # channel-first would reshape in silence
        expected = " x ".join(map(str, image_shape))
        raise ValueError(f"weights have shape {weight.shape}: expected (units, {expected}), flattened or not")
    return fit_side(tile(stretch_each(weight.reshape(len(weight), *image_shape), centre=0.0)), side)


def as_pictures(inputs: NDArray[Any]) -> Images:
    """Images as data sets keep them, uint8 (N, C, H, W) -> (N, H, W, 3) in [0, 1], or (N, H, W) where C is 1."""
    images: Images = inputs.transpose(0, 2, 3, 1) / 255.0
    return images[..., 0] if images.shape[-1] == 1 else images


def save_png(array: Pixels, path: Path) -> Path:
    """Write uint8 pixels, (H, W) grey or (H, W, 3) colour, as PNG, atomically; returns `path`."""
    if array.dtype != np.uint8:
        raise ValueError(f"pixels are {array.dtype}: a PNG takes uint8, as tile() returns them")
    return save_image(Image.fromarray(array), path)


def save_image(image: Image.Image, path: Path) -> Path:
    """Write a Pillow image as PNG, atomically; returns `path`."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return save_content(buffer.getvalue(), path)


def save_content(png: bytes, path: Path) -> Path:
    """Write a file, atomically, and make the folders that it lies in; returns `path`."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, png)
    return path


def _to_pixels(images: Images) -> Pixels:
    """Floats in [0, 1] -> uint8, the same shape."""
    colour = images.ndim == 4 and images.shape[-1] == 3
    if not (images.ndim == 3 or colour) or 0 in images.shape:
        raise ValueError(f"images have shape {images.shape}: expected (N, H, W) or (N, H, W, 3), none of them 0")
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"images are {images.dtype}: expected floating point in [0, 1]")
    return np.rint(255 * np.clip(np.nan_to_num(images, nan=0.0), 0, 1)).astype(np.uint8)
