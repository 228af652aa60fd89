"""How well a classifier does, class by class: confusion matrices and scikit-learn's classification report.

Legend: N samples, C classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Split
from duograd.runner.engines import Engine
from duograd.runner.training import batches

Array = NDArray[Any]
BATCH = 500  # samples predicted at once
OVERALL = ("accuracy", "micro avg", "macro avg", "weighted avg")


def outputs(engine: Engine, split: Split) -> Array:
    """What the network says of each sample: (N, C)."""
    return np.concatenate([engine.predict(batch.inputs) for batch in batches(split, BATCH)])


def targets(split: Split) -> Array:
    """The true class of each sample: (N,)."""
    assert split.targets is not None
    return split.targets


def confusion(true: Array, predicted: Array, classes: int) -> NDArray[np.intp]:
    """Counts (C, C): rows are the true class, columns the predicted one."""
    return np.bincount(true * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def row_names(classes: Sequence[str]) -> list[str]:
    """The names of classes in scikit-learn's report, whose rows for all classes bear names that a class may have."""
    return [f"{name} (class)" if name in OVERALL else name for name in classes]


def judge(true: Array, predicted: Array, classes: Sequence[str]) -> dict[str, Any]:
    """The confusion matrix (`counts`, rows true) of classes (N,), and scikit-learn's report, as text and as data."""
    from sklearn.metrics import classification_report

    arguments: dict[str, Any] = {
        "labels": range(len(classes)),
        "target_names": row_names(classes),
        "zero_division": 0.0,
    }
    return {
        "counts": confusion(true, predicted, len(classes)),
        "text": classification_report(true, predicted, digits=3, **arguments),
        "report": classification_report(true, predicted, output_dict=True, **arguments),
    }
