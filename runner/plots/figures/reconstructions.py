"""An autoencoder's reconstructions beside the best linear ones: principal components, as many as hidden units.

Legend: K samples shown, H height, W width.
"""

from collections.abc import Mapping
from pathlib import Path

from duograd.runner.plots.figure import Facts, Figure, FinishedRun
from duograd.runner.plots.images import Images, Pixels, fit_side, tile
from duograd.runner.plots.page import Panel, draw_page
from duograd.runner.plots.pca import pca_error, pca_reconstruction
from duograd.runner.plots.text import Output

SHOWN, MOST = 12, 16  # samples of a run, and columns at the most
SIDE = 1200  # pixels of a row


def draw_reconstructions(
    originals: Images,
    by_network: Images,
    by_pca: Images,
    errors: Mapping[str, float],
    out: Output,
    unit: str = "error: 1/(2N) Σ‖original − reconstruction‖²",
) -> Path:
    """Draw originals, network and PCA reconstructions, each (K, H, W), as three labelled rows; returns the path.

    errors: label -> error for the network's row and PCA's, in this order, such as
    {"network": 0.0123, "PCA, 64 components": 0.0101}; `unit` says what the error is.
    All rows share one grey scale, from the originals' minimum to their maximum. The first 16 samples are shown.
    """
    numbers = {name: f"{error:#.3g}".rstrip(".") for name, error in errors.items()}
    labels = ["originals", *(f"{name}: {error}" for name, error in numbers.items())]
    low, high = float(originals[:MOST].min()), float(originals[:MOST].max())
    rows = (_row(images[:MOST], low, high) for images in (originals, by_network, by_pca))
    panels = [[Panel(label, row)] for label, row in zip(labels, rows, strict=True)]
    return draw_page(panels, out, unit)


def _row(images: Images, low: float, high: float) -> Pixels:
    """Images (K, H, W) in one row of pixels, `low` black and `high` white."""
    span = high - low
    scaled = (images - low) / span if span > 0 else 0.5 + images - low
    return fit_side(tile(scaled, columns=len(images)), SIDE)


def _facts(run: FinishedRun) -> Facts:
    """The error of a linear reconstruction with as many components as hidden units."""
    components = len(run.engine.params()["encoder.weight"])
    return {"pca": {"components": components, "mse": pca_error(run.data.train.inputs, components)}}


def _draw(run: FinishedRun) -> None:
    train, pca = run.data.train.inputs, run.facts["pca"]
    samples = run.data.gallery["grey"][:SHOWN]
    flat = samples.reshape(len(samples), -1).astype(train.dtype)
    network = run.engine.predict(flat).reshape(samples.shape)
    linear = pca_reconstruction(train, flat, pca["components"]).reshape(samples.shape)
    errors = {"network": run.metrics["train/mse"], f"PCA, {pca['components']} components": pca["mse"]}
    out = run.output("reconstructions", f"Reconstructions: {run.title}")
    draw_reconstructions(samples, network, linear, errors, out)


FIGURE = Figure(_draw, _facts, needs=["gallery"], inside=True)
