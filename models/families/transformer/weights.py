"""What a transformer draws, by NumPy for both backends: its parameters at the start, and dropout's masks.

Names and shapes are torch's: `embedding.weight` (D, patch · I), `blocks.0.qkv.weight` (3D, D), …

Legend: B batch, T places, I inputs of a time step, D features, F units between, K outputs of the network.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.families.transformer.config import TransformerConfig
from duograd.models.layers.dense import keep_mask
from duograd.models.layers.init import dense_layer

DROPOUT = 1  # sets the masks' random numbers apart from those of the initial weights, which have the same seed
LEARNED = 0.02  # standard deviation of learned positions at the start (Devlin et al. 2019)


def initial_weights(
    config: TransformerConfig, shape: tuple[int, ...], outputs: int, seed: int, dtype: DTypeLike
) -> dict[str, Array]:
    """The parameters at the start, by name, for samples of a shape (time steps, I). Raises ArchitectureError."""
    rng, D = np.random.default_rng(seed), config.hidden_size
    places, params = config.places(shape[0]), dict[str, Array]()
    for name, (I, O) in _layers(config, shape[1], outputs):
        pair = (np.ones(O), np.zeros(O)) if "norm" in name else dense_layer(rng, config.init, I, O)
        params |= dict(zip((f"{name}.weight", f"{name}.bias"), pair, strict=True))
        if name == "embedding" and config.positions == "learned":
            params["positions.weight"] = rng.normal(0, LEARNED, (places, D))
    return {name: np.ascontiguousarray(w, dtype) for name, w in params.items()}


def _layers(config: TransformerConfig, inputs: int, outputs: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each layer's name, and how many values it takes and gives."""
    D, F = config.hidden_size, config.feed_forward
    yield "embedding", (config.patch * inputs, D)
    of_block = {"norm1": (D, D), "qkv": (D, 3 * D), "out": (D, D), "norm2": (D, D), "up": (D, F), "down": (F, D)}
    for i in range(config.num_layers):
        yield from ((f"blocks.{i}.{name}", sizes) for name, sizes in of_block.items())
    yield from {"norm": (D, D), "classifier": (D, outputs)}.items()


def sines(T: int, D: int, dtype: DTypeLike) -> Array:
    """The places' numbers as waves, (T, D): sin(t w_i) and cos(t w_i) in turn, w_i = 10000^(-2i / D).

    Source: Vaswani et al. 2017.
    """
    angles = np.arange(T)[:, None] * 10000.0 ** (-2 * (np.arange(D) // 2) / D)
    return np.where(np.arange(D) % 2, np.cos(angles), np.sin(angles)).astype(dtype)


def masks(config: TransformerConfig, B: int, T: int, seed: int, step: int, dtype: DTypeLike) -> list[Array | None]:
    """Masks (B, T, D) of the patches and of the two layers of each block, None without dropout: a function of seed and
    step, alike in both backends."""
    count = 1 + 2 * config.num_layers
    if not config.dropout:
        return [None] * count
    rng = np.random.default_rng((seed, step, DROPOUT))
    return [keep_mask(rng, (B, T, config.hidden_size), config.dropout, dtype) for _ in range(count)]
