"""What each convolution makes of one image: its activation maps.

Legend: F filters, H height, W width.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from duograd.runner.classification import targets
from duograd.runner.plots.figure import Figure, FinishedRun
from duograd.runner.plots.images import Images, as_pictures, fit_side, stretch_each, tile
from duograd.runner.plots.page import Panel, draw_page
from duograd.runner.plots.text import Output, joined

MOST, COLUMNS = 32, 16  # maps of a convolution, and in a row
SIDE = 1200  # pixels of a row of maps
IMAGE_SIDE = 256
BACKGROUND = 0.75  # between maps, and for what fills their last row: neither black nor white, as maps are
READ = "in each map black is its smallest value and white its largest; a map of one value is mid grey"


def draw_maps(image: Images, label: str, maps: Mapping[str, Images], out: Output) -> Path:
    """Draw an image (H, W, 3) or (H, W) in [0, 1], and below it the maps (F, H, W) of each layer; returns the path."""
    rows = [[Panel(label, fit_side(tile(image[None]), IMAGE_SIDE))]]
    for name, values in maps.items():
        grid = tile(stretch_each(values[:MOST]), min(COLUMNS, len(values)), background=BACKGROUND)
        rows.append([Panel(_label(name, values), fit_side(grid, SIDE))])
    return draw_page(rows, out, READ)


def _label(name: str, maps: Images) -> str:
    """How many maps of which size and range, and how many of them are flat."""
    count, height, width = maps.shape
    first = maps[:MOST]
    flat = int((np.ptp(first.reshape(len(first), -1), axis=1) == 0).sum())
    return joined(
        f"{name}: {f'the first {MOST} of ' if count > MOST else ''}{count} maps of {width}×{height}",
        f"values {first.min():.3g} to {first.max():.3g}",
        f"{flat} of one value" if flat else "",
    )


def _draw(run: FinishedRun) -> None:
    """The first image that was held out; nothing for a network without convolutions."""
    split = run.data.splits[run.data.held_out]
    batch = split.batch(slice(1))
    maps = {name: a[0] for name, a in run.engine.probe(batch).items()}
    if not maps:
        return
    classes = run.data.classes
    true, said = classes[targets(split)[0]], classes[int(run.engine.predict(batch.inputs)[0].argmax())]
    label = f"{true}, recognised" if true == said else f"{true}, taken for {said}"
    [image] = as_pictures(split.inputs[:1])
    draw_maps(image, label, maps, run.output("activation_maps", f"Activation maps: {run.title}"))


FIGURE = Figure(_draw, needs=["classes"], inside=True)
