"""How much each class counts in the loss.

Legend: C classes.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from duograd.models.errors import ArchitectureError
from duograd.models.losses.config import ClassifierLossConfig, CrossEntropyConfig


def resolve_class_weights(
    loss: ClassifierLossConfig, classes: int, balanced: ArrayLike | None
) -> NDArray[np.float64] | None:
    """The weights (C,) that the loss names; balanced ones are handed in. Raises ArchitectureError: they do not fit."""
    if not isinstance(loss, CrossEntropyConfig):
        return None
    if loss.class_weights == "balanced" and balanced is None:
        raise ArchitectureError("class_weights=balanced needs the weights of the training labels")
    chosen: Any = balanced if loss.class_weights == "balanced" else loss.class_weights
    found = None if chosen is None else np.asarray(chosen, float)
    if found is not None and len(found) != classes:
        raise ArchitectureError(
            f"class_weights={found.tolist()} has {len(found)} weights: expected one for each of {classes} classes"
        )
    return found
