"""How well a classifier does, class by class: confusion matrices and scikit-learn's classification report.

Legend: N samples, C classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Split
from runner.engines import Engine
from runner.training import batches

Array = NDArray[Any]
BATCH = 500  # samples predicted at once


def predicted_classes(engine: Engine, split: Split) -> NDArray[np.intp]:
    """The likeliest class of each sample: (N,)."""
    return np.concatenate([engine.predict(batch.inputs).argmax(axis=1) for batch in batches(split, BATCH)])


def confusion(true: Array, predicted: Array, classes: int) -> NDArray[np.intp]:
    """Counts (C, C): rows are the true class, columns the predicted one."""
    return np.bincount(true * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def judge(engine: Engine, split: Split, classes: Sequence[str]) -> dict[str, Any]:
    """A split's confusion matrix (`counts`, rows true) and scikit-learn's report, as text and as data."""
    from sklearn.metrics import classification_report

    assert split.targets is not None
    predicted = predicted_classes(engine, split)
    arguments: dict[str, Any] = {"labels": range(len(classes)), "target_names": list(classes), "zero_division": 0.0}
    return {
        "counts": confusion(split.targets, predicted, len(classes)),
        "text": classification_report(split.targets, predicted, digits=3, **arguments),
        "report": classification_report(split.targets, predicted, output_dict=True, **arguments),
    }
