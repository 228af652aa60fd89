"""What the first layer of an image classifier looks for: its filters as a grid of small pictures.

Legend: F filters, C channels, KH x KW a filter's height and width, N pictures.
"""

from pathlib import Path

from duograd.data.dataset import DataSet
from duograd.runner.engines import Engine
from duograd.runner.plots.figure import Figure, FinishedRun
from duograd.runner.plots.images import FRAME_SIDE, Images, Pixels, weight_frame
from duograd.runner.plots.page import Panel, draw_page
from duograd.runner.plots.text import Output, joined

MOST = 144  # pictures, a square of them: a dense layer may have thousands of units
SIDE = 1000  # pixels of the page's grid
COLOURS = 3  # channels that make a picture in colour
CONVOLUTION = "conv0.weight"
DENSE = ("dense0.weight", "classifier.weight")  # the first layer of a network without convolutions


def filter_frame(weight: Images, side: int = FRAME_SIDE) -> Pixels:
    """The first 144 filters of weight (F, C, KH, KW) as one grid of pixels, for a frame while training.

    Three channels are red, green and blue of one picture; else each channel is a grey picture by itself. Mid grey is
    weight 0, and each picture is scaled by its own largest |weight|.
    """
    pictures = separate(weight)[:MOST]
    return weight_frame(pictures, pictures.shape[1:], side)


def draw_filters(weight: Images, what: str, out: Output) -> Path:
    """Draw weight (F, C, KH, KW) under a title; `what` names them, such as "filters"; returns the path."""
    height, width = weight.shape[2:]
    pictures = len(separate(weight))
    count = f"the first {MOST} of {pictures}" if pictures > MOST else f"{pictures}"
    subtitle = joined(
        f"{count} {what} of {width}×{height} pixels",
        "in colour" if weight.shape[1] == COLOURS else "",
        "mid grey is weight 0, each scaled by its own largest |weight|",
    )
    return draw_page([[Panel("", filter_frame(weight, SIDE))]], out, subtitle)


def separate(weight: Images) -> Images:
    """(F, C, KH, KW) -> (F, KH, KW, 3) for three channels, else (F C, KH, KW)."""
    if weight.shape[1] == COLOURS:
        return weight.transpose(0, 2, 3, 1)
    return weight.reshape(-1, *weight.shape[2:])


def _first_layer(data: DataSet, engine: Engine) -> tuple[Images, str]:
    """The first layer's weights as images (F, C, KH, KW), and what they are; a dense layer's are folded back."""
    params = engine.params()
    if CONVOLUTION in params:
        return params[CONVOLUTION], "filters"
    weight = next(params[name] for name in DENSE if name in params)
    return weight.reshape(-1, *data.train.inputs.shape[1:]), "units"


def _draw(run: FinishedRun) -> None:
    weight, what = _first_layer(run.data, run.engine)
    draw_filters(weight, what, run.output("filters", f"First layer: {run.title}"))


def _frame(data: DataSet, engine: Engine) -> Pixels:
    return filter_frame(_first_layer(data, engine)[0])


FIGURE = Figure(_draw, frame=_frame, inside=True)
