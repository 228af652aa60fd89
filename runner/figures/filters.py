"""What the first layer of an image classifier looks for: its filters as a grid of small pictures.

Legend: F filters, C channels, KH x KW a filter's height and width, N pictures.
"""

from pathlib import Path

from duograd.runner.figures.grid import Images
from duograd.runner.figures.page import Panel, draw_page
from duograd.runner.figures.png import Pixels
from duograd.runner.figures.weights import FRAME_SIDE, PAGE_SIDE, weight_frame

MOST = 144  # pictures, a square of them: a dense layer may have thousands of units
COLOURS = 3  # channels that make a picture in colour


def filter_frame(weight: Images, side: int = FRAME_SIDE) -> Pixels:
    """The first 144 filters of weight (F, C, KH, KW) as one grid of pixels, for a frame while training.

    Three channels are red, green and blue of one picture; else each channel is a grey picture by itself. Mid grey is
    weight 0, and each picture is scaled by its own largest |weight|.
    """
    pictures = as_pictures(weight)[:MOST]
    return weight_frame(pictures, pictures.shape[1:], side)


def filters(weight: Images, what: str, path: Path, title: str, footer: str = "") -> Path:
    """Draw weight (F, C, KH, KW) under a title; `what` names them, such as "filters"; returns `path`."""
    height, width = weight.shape[2:]
    pictures = len(as_pictures(weight))
    shown = f"the first {MOST} of {pictures}" if pictures > MOST else f"{pictures}"
    notes = (
        f"{shown} {what} of {width}×{height} pixels",
        "in colour" if weight.shape[1] == COLOURS else "",
        "mid grey is weight 0, each scaled by its own largest |weight|",
    )
    subtitle = " · ".join(filter(None, notes))
    return draw_page([[Panel("", filter_frame(weight, PAGE_SIDE))]], path, title, subtitle, footer)


def as_pictures(weight: Images) -> Images:
    """(F, C, KH, KW) -> (F, KH, KW, 3) for three channels, else (F C, KH, KW)."""
    if weight.shape[1] == COLOURS:
        return weight.transpose(0, 2, 3, 1)
    return weight.reshape(-1, *weight.shape[2:])
