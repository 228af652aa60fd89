"""What hidden units look for: each unit's incoming weights as an image.

Legend: H height, W width; an image's shape is (H, W), or (H, W, 3) with the colour channel last.
"""

import math
from pathlib import Path

from duograd.runner.figures.grid import Images, fit_side, stretch_each, tile
from duograd.runner.figures.page import Panel, draw_page
from duograd.runner.figures.png import Pixels

FRAME_SIDE = 640  # pixels of a frame's longer side
PAGE_SIDE = 1000


def weight_frame(weight: Images, image_shape: tuple[int, ...], side: int = FRAME_SIDE) -> Pixels:
    """All units' weights as one grid of pixels, for a frame while training.

    weight: (hidden, H W) for image_shape (H, W); (hidden, H W 3) or (hidden, H, W, 3) for (H, W, 3). The caller moves
    convolution filters (filters, 3, H, W) to channel-last: `weight.transpose(0, 2, 3, 1)`.
    Mid grey is weight 0; each unit is scaled by its own largest |weight|. Enlarged by a whole factor (64 units of
    16x16: 4) to at most `side` pixels, so a run's frames all have one size.
    """
    images = weight.reshape(len(weight), *_checked(weight, image_shape))
    return fit_side(tile(stretch_each(images, centre=0.0)), side)


def hidden_weights(weight: Images, image_shape: tuple[int, ...], path: Path, title: str, footer: str = "") -> Path:
    """Draw every hidden unit's incoming weights (shapes as in `weight_frame`) under a title; returns `path`."""
    units = "1 unit" if len(weight) == 1 else f"{len(weight)} units"
    scale = f"{units} · mid grey is weight 0, each unit scaled by its own largest |weight|"
    grid = weight_frame(weight, image_shape, PAGE_SIDE)
    return draw_page([[Panel("", grid)]], path, title, scale, footer)


def _checked(weight: Images, shape: tuple[int, ...]) -> tuple[int, ...]:
    """`shape`, if the weights have it: a channel-first filter would reshape to the same size without complaint."""
    if weight.shape[1:] not in (shape, (math.prod(shape),)):
        expected = " x ".join(map(str, shape))
        raise ValueError(f"weights have shape {weight.shape}: expected (units, {expected}), flattened or not")
    return shape
