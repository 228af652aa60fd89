"""What a dense stack draws, by NumPy for both backends: its parameters at the start, and dropout's masks.

Names and shapes are torch's: `dense0.weight` (O, I), `norm0.weight` (O,), …, `output.weight` (K, I).

Legend: B batch, I inputs, O outputs of a layer, K outputs of the network.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.families.mlp.config import MlpConfig
from duograd.models.layers.dense import keep_mask
from duograd.models.layers.init import dense_layer

DROPOUT = 1  # sets the masks' random numbers apart from those of the initial weights, which have the same seed


def sizes(config: MlpConfig, inputs: int, outputs: int) -> Iterator[tuple[int, int]]:
    """I and O of each hidden layer, and of the last."""
    return pairwise([inputs, *config.dense, outputs])


def initial_weights(config: MlpConfig, inputs: int, outputs: int, seed: int, dtype: DTypeLike) -> dict[str, Array]:
    """The parameters at the start, by name."""
    rng = np.random.default_rng(seed)
    params: dict[str, Array] = {}
    for i, (I, O) in enumerate(sizes(config, inputs, outputs)):
        last = i == len(config.dense)
        name = "output" if last else f"dense{i}"
        params |= dict(zip((f"{name}.weight", f"{name}.bias"), dense_layer(rng, config.init, I, O), strict=True))
        if config.dense_norm and not last:
            params |= {f"norm{i}.weight": np.ones(O), f"norm{i}.bias": np.zeros(O)}
    return {name: np.ascontiguousarray(w, dtype) for name, w in params.items()}


def initial_buffers(config: MlpConfig, dtype: DTypeLike) -> dict[str, Array]:
    """The running averages of batch normalisation at the start, mean 0 and variance 1 (O,), by torch's names."""
    widths = config.dense if config.dense_norm == "batch" else []
    means = {f"norm{i}.running_mean": np.zeros(O, dtype) for i, O in enumerate(widths)}
    return means | {f"norm{i}.running_var": np.ones(O, dtype) for i, O in enumerate(widths)}


def masks(config: MlpConfig, B: int, seed: int, step: int, dtype: DTypeLike) -> list[Array | None]:
    """A mask (B, O) a hidden layer, None without dropout: a function of seed and step, alike in both backends."""
    if not config.dropout:
        return [None] * len(config.dense)
    rng = np.random.default_rng((seed, step, DROPOUT))
    return [keep_mask(rng, (B, O), config.dropout, dtype) for O in config.dense]
