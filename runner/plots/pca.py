"""Principal components: the best that a linear autoencoder of one hidden layer can do, to hold ours against.

Legend: N samples, D dimensions, K samples to reconstruct, C components. Float64 throughout, a chunk of rows at a time,
so that the data is never copied as a whole.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Float64 = NDArray[np.float64]

CHUNK = 512  # rows at a time


def pca_reconstruction(train: Floats, samples: Floats, components: int) -> Float64:
    """Samples (K, D) projected on the first `components` principal axes of train (N, D): (K, D).

    o = m + V V^T (d - m), V the eigenvectors of the covariance with the largest eigenvalues, m the mean.
    With `components` >= D nothing is lost and the samples come back as they are.
    """
    if components >= train.shape[1]:
        return samples.astype(np.float64)
    mean, axes = principal_axes(train, components)
    return mean + (samples - mean) @ axes @ axes.T


def pca_error(data: Floats, components: int) -> float:
    """1/(2N) sum ||d - o||^2 over data (N, D), o its own reconstruction: the unit of the autoencoder's mse term.

    Equals half the sum of the eigenvalues left out, of the covariance with divisor N.
    """
    if components >= data.shape[1]:
        return 0.0
    mean, axes = principal_axes(data, components)
    left_out = sum(_squares(rows - (rows @ axes) @ axes.T) for rows in _centred(data, mean))
    return left_out / (2 * len(data))


def principal_axes(data: Floats, components: int) -> tuple[Float64, Float64]:
    """The mean (D,) of data (N, D) and its first principal axes (D, C), largest variance first."""
    if components < 0:
        raise ValueError(f"components is {components}: expected 0 or more")
    mean = data.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((data.shape[1], data.shape[1]))
    for rows in _centred(data, mean):
        covariance += rows.T @ rows
    axes = np.linalg.eigh(covariance / len(data)).eigenvectors  # ascending eigenvalues
    return mean, axes[:, ::-1][:, :components]


def _centred(data: Floats, mean: Float64) -> Iterator[Float64]:
    """Chunks of data - mean. The mean comes off before any square, else large means would cost the small variances."""
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK] - mean


def _squares(x: Float64) -> float:
    return float(np.vdot(x, x))
