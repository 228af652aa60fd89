"""Every layer at its edges: one of everything, nothing at all, integers, one value for all, infinite errors."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from layer_builders import Watched, assert_same, by_autograd, by_hand, draw

from duograd.models.layers.activations import ACTIVATIONS, activation
from duograd.models.layers.attention import self_attention
from duograd.models.layers.batch_norm import batch_norm
from duograd.models.layers.conv import conv2d
from duograd.models.layers.dense import affine, hidden
from duograd.models.layers.gelu import fast_gelu, gelu
from duograd.models.layers.lines import images, lines
from duograd.models.layers.naive import average_pool2d_naive, conv2d_naive, max_pool2d_naive
from duograd.models.layers.norm import group_norm, layer_norm
from duograd.models.layers.pool import average_pool2d, global_average_pool, max_pool2d
from duograd.models.layers.row_norm import row_norm

F = torch.nn.functional
TOLERANCE = {"float32": 2e-5, "float64": 1e-9}  # sums of a few values of about 1


class Case(NamedTuple):
    """A layer, torch's, and the shapes of their arrays for C channels or features; images have S × S pixels."""

    layer: Any
    torch: Any
    shapes: Any


def of_images(C, S):
    return [(C, S + 1, S + 1)]


def convolution(C, S):
    return [(C, S, S), (C, C, 3, 3), (C,)]


def normalised(C, S):
    return [(C, S + 1, S + 1), (C,), (C,)]


def of_places(C, S):
    return [(S, 3 * C)]


def of_rows(C, S):
    return [(C,), (C,), (C,)]


def attended(qkv):
    """Torch's, of one head."""
    return F.scaled_dot_product_attention(*qkv.chunk(3, dim=2))


def dense(C, S):
    return [(C,), (S, C), (S,)]


CASES = {
    "convolution": Case(lambda *a: conv2d(*a, 1, 1), lambda *a: F.conv2d(*a, 1, 1), convolution),
    "convolution, naive": Case(lambda *a: conv2d_naive(*a, 1, 1), lambda *a: F.conv2d(*a, 1, 1), convolution),
    "max pool": Case(lambda x: max_pool2d(x, 2, 1), lambda x: F.max_pool2d(x, 2, 1), of_images),
    "max pool, naive": Case(lambda x: max_pool2d_naive(x, 2, 1), lambda x: F.max_pool2d(x, 2, 1), of_images),
    "average pool": Case(lambda x: average_pool2d(x, 2, 1), lambda x: F.avg_pool2d(x, 2, 1), of_images),
    "average pool, naive": Case(lambda x: average_pool2d_naive(x, 2, 1), lambda x: F.avg_pool2d(x, 2, 1), of_images),
    "global pool": Case(global_average_pool, lambda x: x.mean(dim=(2, 3)), of_images),
    "affine": Case(affine, F.linear, dense),
    "hidden": Case(hidden, lambda *a: torch.relu(F.linear(*a)), dense),
    "batch norm": Case(
        lambda *a: batch_norm(*a, None, training=True),
        lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
        normalised,
    ),
    "layer norm": Case(layer_norm, lambda x, w, b: F.group_norm(x, 1, w, b), normalised),
    "group norm": Case(
        lambda x, w, b: group_norm(x, len(w), w, b), lambda x, w, b: F.group_norm(x, len(w), w, b), normalised
    ),
    "row norm": Case(row_norm, lambda x, w, b: F.layer_norm(x, x.shape[1:], w, b), of_rows),
    "self-attention": Case(lambda x: self_attention(x, 1), attended, of_places),
    **{layer.__name__: Case(layer, lambda z: F.gelu(z, approximate="tanh"), of_images) for layer in (gelu, fast_gelu)},
    **{name: Case(lambda z, n=name: activation(n, z), getattr(F, name), of_images) for name in ACTIVATIONS},
}
EACH = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def arrays(case, B, C, S, dtype="float64"):
    x, *parameters = case.shapes(C, S)
    return [draw(*shape, seed=i).astype(dtype) for i, shape in enumerate([(B, *x), *parameters])]


@EACH
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 1, 2), (1, 3, 2), (3, 2, 1)], ids=str)
def test_one_of_everything_in_both_precisions(case, sizes, dtype):
    """One sample, channel, pixel, feature or output; every result, also on the way, keeps its dtype."""
    given = arrays(case, *sizes, dtype)
    y, gradients = by_hand(case.layer, *(a.view(Watched) for a in given))
    assert {a.dtype for a in (y, *gradients)} == {np.dtype(dtype)}
    expected = by_autograd(case.torch, *(a.astype(float) for a in given))
    ours = np.array(y), [np.array(g) for g in gradients]
    assert_same(ours, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@EACH
def test_an_empty_batch_gives_nothing_and_no_gradient(case):
    given = arrays(case, 0, 3, 2)
    y, [dx, *gradients] = by_hand(case.layer, *given)
    assert len(y) == 0
    assert dx.shape == given[0].shape
    assert [g.shape for g in gradients] == [a.shape for a in given[1:]]
    assert not any(g.any() for g in gradients)


@EACH
def test_integers_are_refused(case):
    x, *parameters = arrays(case, 2, 3, 2)
    with pytest.raises(ValueError, match=r" of uint8: convert it first, such as by x.astype\(np.float32\)"):
        case.layer(np.abs(x).astype(np.uint8), *parameters)


@EACH
def test_one_value_for_all_is_refused(case):
    given = arrays(case, 2, 3, 4)
    for i, vector in [(i, a) for i, a in enumerate(given) if a.ndim == 1]:
        with pytest.raises(ValueError, match=rf"has shape \(1,\): expected \({len(vector)},\), a value for each "):
            case.layer(*given[:i], vector[:1], *given[i + 1 :])


@pytest.mark.parametrize("wrong", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (2, 1), (3, 2), (1, 3), (2, 3), (5, 4)])
@pytest.mark.parametrize("name", ["convolution", "max pool", "average pool"])
def test_an_error_that_is_not_finite_goes_where_the_naive_form_sends_it(name, size, stride, wrong):
    x, W, b = draw(2, 2, 7, 8), draw(3, 2, size, size), draw(3)
    fast, naive = {
        "convolution": (lambda x: conv2d(x, W, b, stride, 1), lambda x: conv2d_naive(x, W, b, stride, 1)),
        "max pool": (lambda x: max_pool2d(x, size, stride), lambda x: max_pool2d_naive(x, size, stride)),
        "average pool": (lambda x: average_pool2d(x, size, stride), lambda x: average_pool2d_naive(x, size, stride)),
    }[name]
    y, backward = fast(x)
    dy = draw(*y.shape, seed=5)
    dy[0, 0, -1, -1] = dy[1, -1, 0, 0] = wrong
    with np.errstate(invalid="ignore"):
        results = backward(dy), naive(x)[1](dy)
    for a, b in zip(*(flat(result) for result in results), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_an_infinite_error_ends_where_a_unit_is_off(name):
    z, dy = np.array([-1.0, 0.0, 1.0]), np.array([np.inf, -np.inf, np.inf])
    tensor = torch.tensor(z, requires_grad=True)
    getattr(F, name)(tensor).backward(torch.tensor(dy))
    assert activation(name, z)[1](dy).tolist() == tensor.grad.tolist()


@EACH
@pytest.mark.parametrize("order", ["fortran", "reversed", "every second", "wide", "lines"])
def test_any_layout_in_memory_will_do(case, order):
    """Of inputs, parameters and errors: the values are those of arrays that lie as usual."""
    layouts = {
        "fortran": np.asfortranarray,
        "reversed": lambda a: np.flip(np.flip(a).copy()),
        "every second": lambda a: np.repeat(a, 2, axis=0)[::2],
        "wide": lambda a: np.repeat(a, 4, axis=-1)[..., ::4],
        "lines": lambda a: images(np.ascontiguousarray(lines(a))) if a.ndim == 4 else a,
    }
    given = arrays(case, 3, 2, 4)
    y, backward = case.layer(*given)
    other_y, other_backward = case.layer(*(layouts[order](a) for a in given))
    dy = draw(*y.shape, seed=7)
    for a, b in zip([y, *flat(backward(dy))], [other_y, *flat(other_backward(layouts[order](dy)))], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def flat(result):
    return [result[0], *result[1].values()] if isinstance(result, tuple) else [result]


def test_numpys_integers_are_strides_as_good_as_pythons():
    x, W, two = draw(1, 2, 7, 7), draw(2, 2, 3, 3), np.uint8(2)
    assert (conv2d(x, W, None, two, np.int64(1))[0] == conv2d(x, W, None, 2, 1)[0]).all()
    assert (max_pool2d(x, (two, two), np.array(2)[()])[0] == max_pool2d(x, 2, 2)[0]).all()
    with pytest.raises(TypeError):
        conv2d(x, W, None, 2.0, 1)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_in_place_are_right_on_any_view(name, dtype):
    """NumPy 2.4.6 has np.negative wrong in place, on views with a stride of 4 float32 or 8 float64."""
    function = ACTIVATIONS[name]
    for stride in range(1, 10):
        for n in (1, 4, 33):
            z, dy = (draw(n * stride, seed=seed).astype(dtype) for seed in (0, 1))
            y = function.forward(z[::stride].copy())
            dz = function.backward(dy[::stride].copy(), y.copy())
            np.testing.assert_allclose(function.forward(z[::stride]), y, rtol=1e-6)
            np.testing.assert_allclose(function.backward(dy[::stride], z[::stride]), dz, rtol=1e-5, atol=1e-7)
