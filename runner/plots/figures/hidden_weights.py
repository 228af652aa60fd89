"""What an autoencoder's hidden units look for: each unit's incoming weights as an image."""

from pathlib import Path

from duograd.data.dataset import DataSet
from duograd.runner.engines import Engine
from duograd.runner.plots.figure import Figure, FinishedRun
from duograd.runner.plots.images import Images, Pixels, weight_frame
from duograd.runner.plots.page import Panel, draw_page
from duograd.runner.plots.text import Output

SIDE = 1000  # pixels of the page's grid


def draw_weights(weight: Images, image_shape: tuple[int, ...], out: Output) -> Path:
    """Draw every hidden unit's incoming weights (shapes as in `weight_frame`) under a title; returns the path."""
    units = "1 unit" if len(weight) == 1 else f"{len(weight)} units"
    scale = f"{units} · mid grey is weight 0, each unit scaled by its own largest |weight|"
    return draw_page([[Panel("", weight_frame(weight, image_shape, SIDE))]], out, scale)


def _draw(run: FinishedRun) -> None:
    out = run.output("hidden_weights", f"Hidden weights: {run.title}")
    draw_weights(run.engine.params()["encoder.weight"], run.data.image_shape, out)


def _frame(data: DataSet, engine: Engine) -> Pixels:
    return weight_frame(engine.params()["encoder.weight"], data.image_shape)


FIGURE = Figure(_draw, frame=_frame, needs=["image_shape"], inside=True)
