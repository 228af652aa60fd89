"""An autoencoder's reconstructions beside the best linear ones: principal components, as many as hidden units.

Legend: K samples shown, H height, W width.
"""

from collections.abc import Mapping
from pathlib import Path

from duograd.runner.figures.grid import Images, fit_side, tile
from duograd.runner.figures.page import Panel, draw_page
from duograd.runner.figures.png import Pixels

MOST = 16  # columns
SIDE = 1200  # pixels of a row


def reconstructions(
    originals: Images,
    by_network: Images,
    by_pca: Images,
    errors: Mapping[str, float],
    path: Path,
    title: str,
    footer: str = "",
    unit: str = "error: 1/(2N) Σ‖original − reconstruction‖²",
) -> Path:
    """Draw originals, network and PCA reconstructions, each (K, H, W), as three labelled rows; returns `path`.

    errors: label -> error for the network's row and PCA's, in this order, such as
    {"network": 0.0123, "PCA, 64 components": 0.0101}; `unit` says what the error is.
    All rows share one grey scale, from the originals' minimum to their maximum. The first 16 samples are shown.
    """
    labels = ["originals", *(f"{name}: {_error(error)}" for name, error in errors.items())]
    low, high = float(originals[:MOST].min()), float(originals[:MOST].max())
    rows = (_row(images[:MOST], low, high) for images in (originals, by_network, by_pca))
    panels = [[Panel(label, row)] for label, row in zip(labels, rows, strict=True)]
    return draw_page(panels, path, title, unit, footer)


def _error(error: float) -> str:
    """Three significant digits, in decimals where they are readable."""
    return f"{error:#.3g}".rstrip(".")


def _row(images: Images, low: float, high: float) -> Pixels:
    """Images (K, H, W) in one row of pixels, `low` black and `high` white."""
    span = high - low
    scaled = (images - low) / span if span > 0 else 0.5 + images - low
    return fit_side(tile(scaled, columns=len(images)), SIDE)
