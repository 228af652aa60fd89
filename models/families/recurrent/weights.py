"""A recurrent network's parameters at the start, drawn by NumPy for both backends.

Names and shapes are torch's. Torch's second bias acts only in the sum with the first, and training both would double
that step: it stays zero and is no parameter. The exception is its part b_hn in a GRU that resets after the product,
which the reset gate multiplies: that is the parameter `bias_hn` (H,).

Legend: I inputs, O outputs, H hidden, G = H times the number of gates.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.families.recurrent.cell import find_cell
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.layers.init import orthogonal, xavier_limit
from duograd.models.layers.unroll import Weights

Weight = TypeVar("Weight")  # an array of either backend
FORGET = 1  # its place in torch's order i, f, g, o


def initial_weights(
    config: RecurrentConfig, input_size: int, outputs: int, seed: int, dtype: DTypeLike
) -> dict[str, Array]:
    """The parameters at the start, by name.

    init=report draws weights and biases alike, each from the Xavier range of its own layer; xavier_uniform draws the
    weights so and sets the biases to zero; torch is torch's default, ± 1/√H and in dense layers ± 1/√I.
    """
    rng = np.random.default_rng(seed)
    params: dict[str, Array] = {}
    for l in range(config.num_layers):
        layer = _recurrent(config, rng, config.hidden_size if l else input_size)
        params |= {f"recurrent.{key}_l{l}": w for key, w in layer.items()}
    sizes = [config.hidden_size, *config.dense, outputs]
    for name, (fan_in, fan_out) in zip(dense_names(config), pairwise(sizes), strict=True):
        params |= {f"{name}.{key}": w for key, w in _dense(config, rng, fan_in, fan_out).items()}
    return {name: np.ascontiguousarray(w, dtype) for name, w in params.items()}


def dense_names(config: RecurrentConfig) -> Iterator[str]:
    """The dense layers, in order; the last gives the outputs."""
    yield from (f"dense.{i}" for i in range(len(config.dense)))
    yield "classifier"


def recurrent_weights(params: Mapping[str, Weight], layer: int) -> dict[str, Weight]:
    """One recurrent layer's weights, under the names that all layers share."""
    suffix = f"_l{layer}"
    return {
        name.removeprefix("recurrent.").removesuffix(suffix): w for name, w in params.items() if name.endswith(suffix)
    }


def _recurrent(config: RecurrentConfig, rng: np.random.Generator, I: int) -> Weights:
    H = config.hidden_size
    G = H * find_cell(config.cell).gates
    of_input, of_hidden = _limits(config, I)
    w = {"weight_ih": _draw(rng, of_input, G, I), "weight_hh": _draw(rng, of_hidden, G, H)}
    bias = config.init != "xavier_uniform"
    w["bias_ih"] = _draw(rng, of_input * bias, G)
    if config.reset_after:
        w["bias_hn"] = _draw(rng, of_hidden * bias, H)
    if config.recurrent_init == "orthogonal":
        w["weight_hh"] = np.concatenate([orthogonal(rng, H) for _ in range(find_cell(config.cell).gates)])
    if config.forget_bias is not None:
        w["bias_ih"][FORGET * H : (FORGET + 1) * H] = config.forget_bias
    return w


def _limits(config: RecurrentConfig, I: int) -> tuple[float, float]:
    """The ranges of what is multiplied with x, and with h."""
    H = config.hidden_size
    if config.init == "torch":
        return 1 / math.sqrt(H), 1 / math.sqrt(H)
    stacked = config.init == "report" and config.cell == "lstm"  # the report gives [x, h]'s one matrix the range of x
    return xavier_limit(I, H), xavier_limit(I, H) if stacked else xavier_limit(H, H)


def _dense(config: RecurrentConfig, rng: np.random.Generator, I: int, O: int) -> Weights:
    limit = 1 / math.sqrt(I) if config.init == "torch" else xavier_limit(I, O)
    bias = config.init != "xavier_uniform"
    return {"weight": _draw(rng, limit, O, I), "bias": _draw(rng, limit * bias, O)}


def _draw(rng: np.random.Generator, limit: float, *shape: int) -> Array:
    return rng.uniform(-limit, limit, shape)
