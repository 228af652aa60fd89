"""Which samples train and which validate."""

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError


def split_indices(
    n: int, validation_fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the training and the validation samples among `n`: disjoint, complete, each in ascending order.

    Validation gets round(n · fraction) samples, drawn at random; a fraction of 0 draws nothing and gives it none.
    Raises DataError where a fraction above 0 leaves one side empty.
    """
    if validation_fraction == 0:
        return np.arange(n), np.arange(0)
    held_out = round(n * validation_fraction)
    if not 0 < held_out < n:
        side = "training" if held_out else "validation"
        raise DataError(
            f"data.validation_fraction={validation_fraction} of {n} samples leaves none for {side}: "
            "choose another fraction, or 0 for no validation split"
        )
    order = rng.permutation(n)
    return np.sort(order[held_out:]), np.sort(order[:held_out])
