"""What an autoencoder saw, learned and says again."""

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import DataSet
from duograd.runner.engines import Engine
from duograd.runner.pictures.finished import Facts, Finished

SHOWN = 12  # reconstructions in a row


def patches(run: Finished) -> Facts:
    """Samples as they came, and as the network gets them."""
    from duograd.runner.figures.patches import patches as draw

    gallery = run.data.gallery
    draw(gallery["colour"], gallery["grey"], run.path("patches"), "Image patches", run.footer)
    return {}


def hidden_weights(run: Finished) -> Facts:
    """What each hidden unit looks for."""
    from duograd.runner.figures.weights import hidden_weights as draw

    weight = run.engine.params()["encoder.weight"]
    draw(weight, run.data.image_shape, run.path("hidden_weights"), f"Hidden weights: {run.title}", run.footer)
    return {}


def hidden_weights_frame(data: DataSet, engine: Engine) -> NDArray[np.uint8]:
    """The same as bare pixels, cheap enough to be made while training."""
    from duograd.runner.figures.weights import weight_frame

    return weight_frame(engine.params()["encoder.weight"], data.image_shape)


def reconstructions(run: Finished) -> Facts:
    """Samples said again by the network, beside the best linear reconstruction with as many components."""
    from duograd.runner.figures.pca import pca_error, pca_reconstruction
    from duograd.runner.figures.reconstructions import reconstructions as draw

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
        run.path("reconstructions"),
        f"Reconstructions: {run.title}",
        run.footer,
    )
    return {"pca": {"components": components, "mse": error}}
