"""Convolution: the report's values, fast against naive, differences, torch, and planted bugs."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_builders import CEILING, assert_same, by_autograd, by_hand, draw, plant, worst

from duograd.models.layers import conv, naive, strips
from duograd.models.layers.conv import conv2d
from duograd.models.layers.naive import conv2d_naive
from duograd.models.layers.threads import Threads

GIVEN = [
    [
        [-0.08759809, -0.10987781, -0.18387192, -0.2109216],
        [0.21027089, 0.21661097, 0.22847626, 0.23004637],
        [0.50813986, 0.54309974, 0.64082444, 0.67101435],
    ],
    [
        [-0.98053589, -1.03143541, -1.19128892, -1.24695841],
        [0.69108355, 0.66880383, 0.59480972, 0.56776003],
        [2.36270298, 2.36904306, 2.38090835, 2.38247847],
    ],
]
SIDES = st.tuples(st.integers(1, 7), st.integers(1, 7))
FEW = st.integers(1, 3)
# x, W, stride, padding: square; wide kernels; strides that leave columns over, or exceed the kernel; one pixel
SHAPES = [
    ((2, 3, 5, 5), (2, 3, 3, 3), 1, 1),
    ((3, 2, 7, 5), (4, 2, 3, 2), (2, 1), (0, 2)),
    ((2, 1, 6, 8), (2, 1, 1, 5), (3, 2), (2, 1)),
    ((1, 2, 8, 8), (3, 2, 2, 2), 3, 0),
    ((2, 3, 1, 1), (2, 3, 3, 3), 2, 1),
]


def arrays(x, W):
    return draw(*x), draw(*W, seed=2), draw(W[0], seed=3)


@pytest.mark.parametrize("layer", [conv2d, conv2d_naive])
def test_the_reports_given_values(layer):
    x = np.linspace(-0.1, 0.5, 96).reshape(2, 3, 4, 4)
    W = np.linspace(-0.2, 0.3, 144).reshape(3, 3, 4, 4)
    y, _ = layer(x, W, np.linspace(-0.1, 0.2, 3), stride=2, padding=1)
    np.testing.assert_allclose(y.reshape(2, 3, 4), GIVEN, atol=5.1e-9)  # printed with eight digits


@pytest.mark.parametrize("layer", [conv2d, conv2d_naive])
@pytest.mark.parametrize(("x", "W", "stride", "padding"), SHAPES)
def test_gradients_against_differences(layer, x, W, stride, padding):
    assert worst(lambda *a: layer(*a, stride, padding), *arrays(x, W)) < CEILING


@pytest.mark.parametrize(("x", "W", "stride", "padding"), SHAPES)
def test_values_and_gradients_are_torchs(x, W, stride, padding):
    ours = by_hand(lambda *a: conv2d(*a, stride, padding), *arrays(x, W))
    assert_same(ours, by_autograd(lambda *a: torch.conv2d(*a, stride, padding), *arrays(x, W)))


@settings(max_examples=120)
@given(FEW, FEW, FEW, SIDES, SIDES, SIDES, st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_fast_is_naive_whatever_the_shape(B, C, F, image, size, stride, padding):
    assume(all(k <= i + 2 * p for k, i, p in zip(size, image, padding, strict=True)))
    given_ = arrays((B, C, *image), (F, C, *size))
    fast, plain = (by_hand(lambda *a, f=f: f(*a, stride, padding), *given_) for f in (conv2d, conv2d_naive))
    assert_same(fast, plain)


def test_without_a_bias():
    x, W, _ = arrays((2, 3, 5, 5), (2, 3, 3, 3))
    ours = by_hand(lambda x, W: conv2d(x, W, None, 1, 1), x, W)
    assert_same(ours, by_hand(lambda x, W: conv2d_naive(x, W, None, 1, 1), x, W))
    assert_same(ours, by_autograd(lambda x, W: torch.conv2d(x, W, None, 1, 1), x, W))


@pytest.mark.parametrize("layer", [conv2d, conv2d_naive])
def test_a_first_layer_can_do_without_dx(layer):
    _, (dx, dW, db) = by_hand(lambda *a: layer(*a, 2, 1, needs_dx=False), *arrays((2, 3, 5, 5), (2, 3, 3, 3)))
    _, (_, expected_dW, expected_db) = by_hand(lambda *a: layer(*a, 2, 1), *arrays((2, 3, 5, 5), (2, 3, 3, 3)))
    assert dx is None
    assert (dW == expected_dW).all()
    assert (db == expected_db).all()


@pytest.mark.parametrize("stride", [1, 2])
def test_any_number_of_threads_gives_the_same_bits(stride):
    given_ = [a.astype(np.float32) for a in arrays((37, 3, 16, 16), (8, 3, 5, 5))]
    with Threads(1).single_blas_thread():
        y, gradients = by_hand(lambda *a: conv2d(*a, stride, 2), *given_)
        for threads in (None, Threads(1), Threads(2), Threads(5)):
            other_y, others = by_hand(lambda *a, w=threads: conv2d(*a, stride, 2, threads=w), *given_)
            assert all((a == b).all() for a, b in zip([y, *gradients], [other_y, *others], strict=True))


def test_strips_that_are_cut_again_give_the_same_bits(monkeypatch):
    given_ = arrays((9, 3, 8, 8), (2, 3, 3, 3))
    _, kept = by_hand(lambda *a: conv2d(*a, 1, 1), *given_)
    monkeypatch.setattr(conv, "KEEP", 0)
    _, cut_again = by_hand(lambda *a: conv2d(*a, 1, 1), *given_)
    assert all((a == b).all() for a, b in zip(kept, cut_again, strict=True))


@pytest.mark.parametrize("small", [1, 500])
def test_larger_or_smaller_products_give_the_same(monkeypatch, small):
    given_ = arrays((12, 3, 8, 8), (4, 3, 3, 3))
    expected = by_hand(lambda *a: conv2d(*a, 2, 1), *given_)
    monkeypatch.setattr(strips, "SMALL", small)
    assert_same(by_hand(lambda *a: conv2d(*a, 2, 1), *given_), expected)


@pytest.mark.parametrize("layer", [conv2d, conv2d_naive])
@pytest.mark.parametrize(
    ("x", "W", "stride", "padding", "message"),
    [
        ((1, 3, 4, 9), (2, 3, 7, 3), 1, 1, "kernel 7x3 is larger than the input 4x9 with padding 1x1: .* at least 2"),
        ((1, 3, 4, 4), (2, 1, 3, 3), 1, 0, "the kernel is for 1 channels, the input has 3"),
        ((1, 3, 4, 4), (2, 3, 3, 3), 0, 0, "kernel 3x3 with stride 0x0 and padding 0x0: size and stride must"),
        ((1, 3, 4, 4), (2, 3, 3, 3), 1, -1, "padding at least 0"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(layer, x, W, stride, padding, message):
    with pytest.raises(ValueError, match=message):
        layer(*arrays(x, W), stride, padding)


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        (conv, "else bias, out", "else abs(bias), out"),
        (conv, "[:, :, ::-1, ::-1]", ""),
        (conv, "Reach(p - k + 1", "Reach(p - k"),
        (conv, ", ..., l : l + (OW - 1)", ", ..., k : k + (OW - 1)"),
        (conv, "+= by_tap[:, k, l]", "+= by_tap[:, l, k]"),
        (conv, "padded[PH : PH + H, ..., PW", "padded[:H, ..., PW"),
        (conv, "d.reshape(OH, n * OW, F))", "d.reshape(OH, n * OW, F)[1:])"),
        (conv, "ordered_sum(sums) for sums in", "sums[0] for sums in"),
        (conv, ".transpose(3, 2, 0, 1)", ".transpose(3, 2, 1, 0)"),
        (conv, "W.transpose(2, 3, 1, 0)", "W.transpose(3, 2, 1, 0)"),
        (strips, "(image, columns.stride * pixel, row", "(image, pixel, row"),
        (strips, "(rows.stride * row, together", "(row, together"),
        (strips, "slice(start - reach.first, end - reach.first)", "slice(start, end)"),
        (strips, "slice(start, end)", "slice(0, end - start)"),
        (strips, "min(reach.first + reach.length, size)", "size"),
    ],
)
def test_a_planted_bug_is_caught(monkeypatch, module, right, wrong):
    plant(monkeypatch, conv, module, right, wrong)
    given_ = arrays((5, 2, 5, 5), (2, 2, 3, 3))
    sliding = (2, 1), (1, 1), (1, 3)  # stride, padding
    assert any(caught(lambda *a, s=s, p=p: conv.conv2d(*a, s, p), given_, s, p) for s, p in sliding)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dW[f] += dy[n, f, i, j]", "dW[f] = dy[n, f, i, j]"),
        ("d_padded[n][window] += dy[n, f, i, j] * W[f]", "d_padded[n][window] += dy[n, f, j, i] * W[f]"),
        ("d_padded[:, :, PH : PH + x.shape[2], PW : PW + x.shape[3]]", "d_padded[:, :, : x.shape[2], : x.shape[3]]"),
    ],
)
def test_a_bug_in_the_naive_form_is_caught_too(monkeypatch, right, wrong):
    plant(monkeypatch, naive, naive, right, wrong)
    assert caught(lambda *a: naive.conv2d_naive(*a, 2, 1), arrays((2, 3, 6, 6), (2, 3, 3, 3)), 2, 1)


def caught(layer, given_, stride, padding) -> bool:
    """Whether the gradient check fails, or parity with torch where it is the values that are wrong."""
    try:
        y, _ = layer(*given_)
        expected = torch.conv2d(*(torch.tensor(a) for a in given_), stride, padding).numpy()
        return not np.allclose(y, expected, rtol=1e-9) or worst(layer, *given_) > CEILING
    except (ValueError, IndexError):  # the bug's shapes do not fit
        return True
