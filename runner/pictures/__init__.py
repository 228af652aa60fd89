"""Which pictures a task asks for (`task.figures`, `task.frames`), and how each is made of a finished training."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import DataSet
from duograd.runner.engines import Engine
from duograd.runner.pictures import autoencoder, classifier, curves, images
from duograd.runner.pictures.finished import Facts, Finished

FIGURES: Mapping[str, Callable[[Finished], Facts]] = {
    "loss_curve": curves.loss_curve,
    "step_curve": curves.step_curve,
    "accuracy_curve": curves.accuracy_curve,
    "patches": autoencoder.patches,
    "hidden_weights": autoencoder.hidden_weights,
    "reconstructions": autoencoder.reconstructions,
    "confusion_matrices": classifier.confusion_matrices,
    "windows": classifier.windows,
    "gradient_norm": classifier.gradient_norm,
    "samples": images.samples,
    "filters": images.filters,
    "activation_maps": images.activation_maps,
    "mistakes": images.mistakes,
}

# What a figure finds out, where that is wanted without the picture.
FACTS: Mapping[str, Callable[[Finished], Facts]] = {"confusion_matrices": classifier.reports}

FRAMES: Mapping[str, Callable[[DataSet, Engine], NDArray[np.uint8]]] = {
    "hidden_weights": autoencoder.hidden_weights_frame,
    "filters": images.filters_frame,
}


def draw_all(names: list[str], run: Finished) -> Facts:
    """Draws each named figure into the run's folder; the facts that they found, for summary.json."""
    facts: Facts = {}
    for name in names:
        facts |= FIGURES[name](run)
    return facts


def find_facts(names: list[str], run: Finished) -> Facts:
    """The facts of the named figures without drawing any: a sweep draws once, for all its runs."""
    facts: Facts = {}
    for name in names:
        if name in FACTS:
            facts |= FACTS[name](run)
    return facts
