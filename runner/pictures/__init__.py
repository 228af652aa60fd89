"""Which pictures a task asks for (`task.figures`, `task.frames`), and how each is made of a finished training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import DataSet
from runner.engines import Engine

Array = NDArray[Any]
SHOWN = 12  # reconstructions in a row


@dataclass(frozen=True)
class Finished:
    """A finished training, as its pictures need it.

    metrics: everything evaluated after the last update; history: metrics.jsonl by column.
    """

    engine: Engine
    data: DataSet
    history: Mapping[str, list[float | None]]
    metrics: Mapping[str, float]
    title: str
    footer: str
    folder: Path


Facts = dict[str, Any]
"""What a picture found out on the way, for summary.json."""


def patches(run: Finished) -> Facts:
    """Samples as they came and as the network gets them."""
    from runner.figures.patches import patches as draw

    gallery = run.data.gallery
    draw(gallery["colour"], gallery["grey"], run.folder / "patches.png", "Image patches", run.footer)
    return {}


def loss_curve(run: Finished) -> Facts:
    """The loss and its terms over epochs."""
    from runner.figures.curves import loss_curve as draw

    terms = [name.removeprefix("train/") for name in run.history if name.startswith("train/") and name != "train/loss"]
    history = {name: np.array(values, dtype=float) for name, values in run.history.items()}
    draw(history, run.folder / "loss_curve.png", f"Loss: {run.title}", terms, run.footer)
    return {}


def hidden_weights(run: Finished) -> Facts:
    """What each hidden unit looks for."""
    from runner.figures.weights import hidden_weights as draw

    weight = run.engine.params()["encoder.weight"]
    title = f"Hidden weights: {run.title}"
    draw(weight, run.data.image_shape, run.folder / "hidden_weights.png", title, run.footer)
    return {}


def reconstructions(run: Finished) -> Facts:
    """Samples said again by the network, beside the best linear reconstruction with as many components."""
    from runner.figures.pca import pca_error, pca_reconstruction
    from runner.figures.reconstructions import reconstructions as draw

    train = run.data.train.inputs
    components = len(run.engine.params()["encoder.weight"])
    samples = run.data.gallery["grey"][:SHOWN]
    flat = samples.reshape(len(samples), -1).astype(train.dtype)
    error = pca_error(train, components)
    draw(
        samples,
        run.engine.predict(flat).reshape(samples.shape),
        pca_reconstruction(train, flat, components).reshape(samples.shape),
        {"network": run.metrics["train/mse"], f"PCA, {components} components": error},
        run.folder / "reconstructions.png",
        f"Reconstructions: {run.title}",
        run.footer,
    )
    return {"pca": {"components": components, "mse": error}}


FIGURES: Mapping[str, Callable[[Finished], Facts]] = {
    "patches": patches,
    "loss_curve": loss_curve,
    "hidden_weights": hidden_weights,
    "reconstructions": reconstructions,
}


def hidden_weights_frame(data: DataSet, engine: Engine) -> NDArray[np.uint8]:
    """The hidden weights as pixels, cheap enough to be made while training."""
    from runner.figures.weights import weight_frame

    return weight_frame(engine.params()["encoder.weight"], data.image_shape)


FRAMES: Mapping[str, Callable[[DataSet, Engine], NDArray[np.uint8]]] = {"hidden_weights": hidden_weights_frame}


def draw_all(names: list[str], run: Finished) -> Facts:
    """Draws each named figure into the folder; the facts that they found."""
    facts: Facts = {}
    for name in names:
        facts |= FIGURES[name](run)
    return facts
