"""The samples an autoencoder sees: image patches in colour, and the same ones as the network gets them."""

import math
from pathlib import Path

from duograd.runner.plots.figure import Figure, FinishedRun
from duograd.runner.plots.images import Images, fit_side, tile
from duograd.runner.plots.page import Panel, draw_page
from duograd.runner.plots.text import Output

MOST = 200  # patches shown
SIDE = 1024  # pixels of the longer side of each half: 200 patches of 16x16 come out three times as large
BACKGROUND = 0.88  # light grey, not white: many patches are sky


def draw_patches(colour: Images, grey: Images, out: Output) -> Path:
    """Draw up to 200 patches, in colour (N, H, W, 3) in [0, 1] beside grey (N, H, W) in [0.1, 0.9], in the same order.

    The grey half shows 0.1 as black and 0.9 as white. Returns the path.
    """
    colour, grey = colour[:MOST], grey[:MOST]
    columns = math.ceil(math.sqrt(len(grey) / 2))  # each half twice as high as wide: both make a square
    halves = [tile(images, columns, background=BACKGROUND) for images in (colour, (grey - 0.1) / 0.8)]
    labels = (f"{len(grey)} {'patch' if len(grey) == 1 else 'patches'} in colour", "the same, as the network sees them")
    panels = [Panel(label, fit_side(half, SIDE)) for label, half in zip(labels, halves, strict=True)]
    return draw_page([panels], out)


def _draw(run: FinishedRun) -> None:
    gallery = run.data.gallery
    draw_patches(gallery["colour"], gallery["grey"], run.output("patches", "Image patches"))


FIGURE = Figure(_draw, needs=["gallery"])
