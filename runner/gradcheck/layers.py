"""The report's table of relative errors: its checks of layers by hand, with its own draws, and ours of all the others.

Published figures depend on the digits of printed references and on the draw; what has to hold is a ceiling.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from duograd.models.layers.activations import ACTIVATIONS, activation
from duograd.models.layers.attention import self_attention
from duograd.models.layers.batch_norm import batch_norm
from duograd.models.layers.conv import conv2d
from duograd.models.layers.dense import affine, dropout, keep_mask
from duograd.models.layers.gelu import fast_gelu
from duograd.models.layers.losses import cross_entropy, svm
from duograd.models.layers.naive import average_pool2d_naive, conv2d_naive, max_pool2d_naive
from duograd.models.layers.norm import group_norm, layer_norm
from duograd.models.layers.pool import average_pool2d, global_average_pool, max_pool2d
from duograd.models.layers.row_norm import row_norm

Array = NDArray[Any]
Layer = Callable[..., tuple[Array, Callable[[Array], Any]]]
"""x and parameters -> y, backward(dy) -> dx or (dx, gradients of the parameters in their order)."""
SEED = 231  # of NumPy's legacy generator: the report's
STEP = 1e-5  # of the central differences: the report's
CONV_Y = [  # of linspaces, as the report prints it: (2, 3, 2, 2)
    [-0.08759809, -0.10987781, -0.18387192, -0.2109216, 0.21027089, 0.21661097, 0.22847626, 0.23004637],
    [0.50813986, 0.54309974, 0.64082444, 0.67101435, -0.98053589, -1.03143541, -1.19128892, -1.24695841],
    [0.69108355, 0.66880383, 0.59480972, 0.56776003, 2.36270298, 2.36904306, 2.38090835, 2.38247847],
]


class Check(NamedTuple):
    """A relative error of ours, and the report's where it has one."""

    name: str
    published: float | None
    error: float


class Case(NamedTuple):
    """A layer whose gradients are checked, with the shapes of x and its parameters, which are drawn in this order."""

    name: str
    layer: Layer
    shapes: Sequence[tuple[int, ...]]
    gradients: str = "dx dw db"
    published: tuple[float | None, ...] = ()
    scale: tuple[float, float] = (1, 0)  # x = scale · normal + shift


def layer_checks() -> Iterator[Check]:
    """The report's rows first."""
    yield from _given_values()
    for case in REPORTED:
        yield from _against_differences(case)
    yield from _fast_against_naive()
    for case in OTHERS:
        yield from _against_differences(case)


def relative_error(x: Any, y: Any) -> float:
    """max |x - y| / max(1e-8, |x| + |y|): the report's metric."""
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y))))


def numerical_gradient(f: Callable[[], Array], array: Array, dy: Array) -> Array:
    """d(Σ y ⊙ dy)/d(array) for y = f(), by moving each entry of the array by STEP either way."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + STEP
        above = f().copy()
        array[index] = kept - STEP
        gradient[index] = np.sum((above - f()) * dy) / (2 * STEP)
        array[index] = kept
    return gradient


def _against_differences(case: Case) -> Iterator[Check]:
    rng = np.random.RandomState(SEED)
    arrays = [rng.standard_normal(shape) for shape in case.shapes]
    arrays[0] = case.scale[0] * arrays[0] + case.scale[1]
    y, backward = case.layer(*arrays)
    dy = rng.standard_normal(y.shape)
    names = case.gradients.split()[: len(arrays)]
    published = case.published or (None,) * len(arrays)
    for array, gradient, name, figure in zip(arrays, _gradients(backward(dy)), names, published, strict=True):
        numerical = numerical_gradient(lambda: case.layer(*arrays)[0], array, dy)
        yield Check(f"{case.name} {name}", figure, relative_error(numerical, gradient))


def _given_values() -> Iterator[Check]:
    x, W = np.linspace(-0.1, 0.5, 96).reshape(2, 3, 4, 4), np.linspace(-0.2, 0.3, 144).reshape(3, 3, 4, 4)
    y, _ = conv2d(x, W, np.linspace(-0.1, 0.2, 3), stride=2, padding=1)
    yield Check("conv forward, given values", 2.2e-08, relative_error(y, np.reshape(CONV_Y, y.shape)))
    x = np.linspace(-0.3, 0.4, 96).reshape(2, 3, 4, 4)
    y, _ = max_pool2d(x, 2)
    printed = np.round(x[:, :, 1::2, 1::2], 8)  # x grows, so that each window's last pixel is its greatest
    yield Check("max pool forward, given values", 4.2e-08, relative_error(y, printed))


def _fast_against_naive() -> Iterator[Check]:
    image, conv = [(100, 3, 32, 32)], [(2, 3, 31, 31), (25, 3, 3, 3), (25,)]
    yield _same("max pool", image, lambda x: max_pool2d(x, 2), lambda x: max_pool2d_naive(x, 2), published=0.0)
    yield _same("average pool", image, lambda x: average_pool2d(x, 2), lambda x: average_pool2d_naive(x, 2))
    yield _same("conv", conv, partial(conv2d, stride=2, padding=1), partial(conv2d_naive, stride=2, padding=1))


def _same(
    name: str, shapes: Sequence[tuple[int, ...]], fast: Layer, naive: Layer, published: float | None = None
) -> Check:
    """The largest error of values and of gradients."""
    rng = np.random.RandomState(SEED)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    (y, backward), (expected_y, expected_backward) = fast(*arrays), naive(*arrays)
    dy = rng.standard_normal(y.shape)
    pairs = zip([y, *_gradients(backward(dy))], [expected_y, *_gradients(expected_backward(dy))], strict=True)
    return Check(f"{name}, fast against naive", published, max(relative_error(a, b) for a, b in pairs))


def _gradients(result: Any) -> list[Array]:
    """dx, and those of the parameters where a layer has any."""
    return [result[0], *result[1].values()] if isinstance(result, tuple) else [result]


def _sandwich(x: Array, W: Array, b: Array, *, pool: bool) -> tuple[Array, Callable[[Array], Any]]:
    """conv - relu, or conv - relu - 2 × 2 max pool: composed as any layers are."""
    z, conv_back = conv2d(x, W, b, stride=1, padding=1)
    a, relu_back = activation("relu", z)
    if not pool:
        return a, lambda da: conv_back(relu_back(da))
    y, pool_back = max_pool2d(a, 2)
    return y, lambda dy: conv_back(relu_back(pool_back(dy)))


def _loss(
    loss: Callable[..., tuple[float, Callable[[], Array]]], logits: Array
) -> tuple[Array, Callable[[Array], Any]]:
    """A loss in the form of a layer."""
    value, backward = loss(logits, np.arange(len(logits)) % logits.shape[1])
    return np.array([value]), lambda dy: dy * backward()


def _batch_norm(x: Array, weight: Array, bias: Array, *, training: bool) -> tuple[Array, Callable[[Array], Any]]:
    C = x.shape[1]
    running = {"mean": np.linspace(8, 14, C), "var": np.linspace(20, 30, C)}  # about those of the draw
    return batch_norm(x, weight, bias, running, training=training)


def _dropout(x: Array) -> tuple[Array, Callable[[Array], Any]]:
    return dropout(x, keep_mask(np.random.default_rng(SEED), x.shape, 0.25, x.dtype))


NORM: dict[str, Any] = {"gradients": "dx dgamma dbeta", "scale": (5, 12)}
TRAINED, EVALUATED = partial(_batch_norm, training=True), partial(_batch_norm, training=False)
SPATIAL, GROUPED = [(2, 3, 4, 5), (3,), (3,)], [(2, 6, 4, 5), (6,), (6,)]
DENSE = [(10, 6), (6,), (6,)]
REPORTED = [
    Case(
        "conv backward",
        partial(conv2d, stride=1, padding=1),
        [(4, 3, 5, 5), (2, 3, 3, 3), (2,)],
        published=(1.2e-08, 2.2e-10, 3.4e-11),
    ),
    Case("max pool backward", partial(max_pool2d, size=2), [(3, 2, 8, 8)], published=(3.3e-12,)),
    Case("spatial batch norm", TRAINED, SPATIAL, published=(3.1e-07, 7.1e-12, 3.3e-12), **NORM),
    Case(
        "spatial group norm",
        lambda x, weight, bias: group_norm(x, 2, weight, bias),
        GROUPED,
        published=(6.3e-08, 1.1e-11, 3.8e-12),
        **NORM,
    ),
]
OTHERS = [
    Case("conv-relu", partial(_sandwich, pool=False), [(2, 3, 8, 8), (3, 3, 3, 3), (3,)]),
    Case("conv-relu-pool", partial(_sandwich, pool=True), [(2, 3, 16, 16), (3, 3, 3, 3), (3,)]),
    Case("conv, stride 3 × 2", partial(conv2d, stride=(3, 2), padding=(0, 2)), [(2, 2, 7, 6), (3, 2, 2, 5), (3,)]),
    Case("max pool 3 × 3, stride 2", partial(max_pool2d, size=3, stride=2), [(3, 2, 8, 8)]),
    Case("average pool", partial(average_pool2d, size=2), [(3, 2, 8, 8)]),
    Case("average pool 3 × 3, stride 2", partial(average_pool2d, size=3, stride=2), [(3, 2, 8, 8)]),
    Case("global average pool", global_average_pool, [(3, 2, 8, 8)]),
    Case("spatial batch norm, evaluation", EVALUATED, SPATIAL, **NORM),
    Case("spatial layer norm", layer_norm, GROUPED, **NORM),
    Case("batch norm", TRAINED, DENSE, **NORM),
    Case("batch norm, evaluation", EVALUATED, DENSE, **NORM),
    Case("layer norm", layer_norm, DENSE, **NORM),
    Case("layer norm of rows", row_norm, DENSE, **NORM),
    Case("self-attention", partial(self_attention, heads=2), [(2, 5, 12)]),
    Case("gelu", fast_gelu, [(10, 10)]),
    Case("affine", affine, [(10, 6), (5, 6), (5,)]),
    *(Case(name.replace("_", " "), partial(activation, name), [(10, 10)]) for name in ACTIVATIONS),
    Case("dropout", _dropout, [(10, 10)]),
    Case("softmax cross-entropy", partial(_loss, cross_entropy), [(10, 5)]),
    Case("SVM loss", partial(_loss, svm), [(10, 5)]),
]
