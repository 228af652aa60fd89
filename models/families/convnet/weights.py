"""What an image classifier draws, by NumPy for both backends: its parameters at the start, and dropout's masks.

Names and shapes are torch's: `conv0.weight` (F, C, K, K), `norm0.weight` (F,), `dense0.weight` (O, I). Masks are
functions of seed and step: both backends draw the same, and a resumed run draws them again.

Legend: C channels, F filters, K kernel, I inputs, O outputs, D features.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.families.convnet.architecture import Affine, Conv, Dropout, Layer, Norm, Shape, architecture
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.layers.dense import keep_mask
from duograd.models.layers.init import DRAWS, fans

DROPOUT = 1  # sets the masks' random numbers apart from those of the initial weights, which have the same seed


def initial_weights(config: ConvNetConfig, image: Shape, classes: int, seed: int, dtype: DTypeLike) -> dict[str, Array]:
    """The parameters at the start, by name. Raises ArchitectureError."""
    rng = np.random.default_rng(seed)
    params: dict[str, Array] = {}
    for layer in architecture(config, image, classes):
        match layer:
            case Conv(name, C, F, K):
                params |= _layer(rng, config, name, (F, C, K, K), layer.bias)
            case Affine(name, I, O):
                params |= _layer(rng, config, name, (O, I), layer.bias)
            case Norm(name, _, D):
                params |= {f"{name}.weight": np.ones(D), f"{name}.bias": np.zeros(D)}
    return {name: np.ascontiguousarray(w, dtype) for name, w in params.items()}


def initial_buffers(layers: Iterable[Layer], dtype: DTypeLike) -> dict[str, Array]:
    """The running averages of batch normalisation at the start, mean 0 and variance 1 (D,), by torch's names."""
    norms = [layer for layer in layers if isinstance(layer, Norm) and layer.kind == "batch"]
    means = {f"{norm.name}.running_mean": np.zeros(norm.features, dtype) for norm in norms}
    return means | {f"{norm.name}.running_var": np.ones(norm.features, dtype) for norm in norms}


def masks(layers: Iterable[Layer], B: int, seed: int, step: int, dtype: DTypeLike) -> list[Array]:
    """One mask (B, …) a dropout layer, in order."""
    rng = np.random.default_rng((seed, step, DROPOUT))
    acting = (layer for layer in layers if isinstance(layer, Dropout))
    return [keep_mask(rng, (B, *layer.shape), layer.p, dtype) for layer in acting]


def _layer(
    rng: np.random.Generator, config: ConvNetConfig, name: str, shape: tuple[int, ...], bias: bool
) -> dict[str, Array]:
    limit = _torch_limit(shape)
    b = rng.uniform(-limit, limit, shape[0]) if bias and config.init == "torch" else np.zeros(shape[0])
    return {f"{name}.weight": _draw(rng, config, shape)} | ({f"{name}.bias": b} if bias else {})


def _draw(rng: np.random.Generator, config: ConvNetConfig, shape: tuple[int, ...]) -> Array:
    """A weight (outputs, inputs, …)."""
    if config.init == "normal":
        return rng.normal(0, config.weight_scale or 0, shape)
    if config.init == "torch":
        limit = _torch_limit(shape)
        return rng.uniform(-limit, limit, shape)
    return DRAWS[config.init](rng, shape)


def _torch_limit(shape: tuple[int, ...]) -> float:
    """w of torch's U[-w, w], for a weight of that shape and its bias."""
    return 1 / math.sqrt(fans(shape)[0])
