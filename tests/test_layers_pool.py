"""Pooling: the report's values, fast against naive, differences, torch - also where pixels tie - and planted bugs."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_builders import CEILING, assert_same, by_autograd, by_hand, draw, plant, worst

from duograd.models.layers import naive, pool
from duograd.models.layers.naive import average_pool2d_naive, max_pool2d_naive
from duograd.models.layers.pool import average_pool2d, global_average_pool, max_pool2d
from duograd.models.layers.threads import Threads

F = torch.nn.functional
FORMS = {
    "max": (max_pool2d, max_pool2d_naive, F.max_pool2d),
    "average": (average_pool2d, average_pool2d_naive, F.avg_pool2d),
}
BOTH = pytest.mark.parametrize("kind", FORMS)
# image, window, stride: tiles; overlap; gaps; left-over border; one window only; as many taps as do not fit in a byte
SHAPES = [
    ((8, 8), 2, 2),
    ((7, 9), (3, 2), (2, 1)),
    ((9, 8), 2, 3),
    ((5, 7), 2, 2),
    ((4, 3), (4, 3), 1),
    ((17, 18), 17, 1),
]
SIDES = st.tuples(st.integers(1, 7), st.integers(1, 7))


@pytest.mark.parametrize("layer", [max_pool2d, max_pool2d_naive])
def test_the_reports_given_values(layer):
    y, _ = layer(np.linspace(-0.3, 0.4, 96).reshape(2, 3, 4, 4), 2, 2)
    np.testing.assert_allclose(y[0, 0].ravel(), [-0.26315789, -0.24842105, -0.20421053, -0.18947368], atol=5.1e-9)
    np.testing.assert_allclose(y[-1, -1].ravel(), [0.32631579, 0.34105263, 0.38526316, 0.4], atol=5.1e-9)


@BOTH
@pytest.mark.parametrize(("image", "size", "stride"), SHAPES)
def test_values_and_gradients_are_torchs(kind, image, size, stride):
    fast, naive, theirs = FORMS[kind]
    x = draw(2, 3, *image)
    expected = by_autograd(lambda x: theirs(x, size, stride), x)
    assert_same(by_hand(lambda x: fast(x, size, stride), x), expected)
    assert_same(by_hand(lambda x: naive(x, size, stride), x), expected)


@BOTH
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 1), (2, 3)])
def test_gradients_against_differences(kind, size, stride):
    for layer in FORMS[kind][:2]:
        assert worst(lambda x, f=layer: f(x, size, stride), draw(2, 2, 5, 6)) < CEILING


@BOTH
@settings(max_examples=100)
@given(image=SIDES, size=SIDES, stride=st.none() | SIDES, values=st.sampled_from([0, 2, 100]), seed=st.integers(0, 9))
def test_fast_is_naive_whatever_the_shape(kind, image, size, stride, values, seed):
    assume(all(k <= i for k, i in zip(size, image, strict=True)))
    x = np.random.default_rng(seed).integers(-values, values + 1, (2, 2, *image)).astype(float)  # few values: many ties
    fast, naive = (by_hand(lambda x, f=f: f(x, size, stride), x) for f in FORMS[kind][:2])
    assert_same(fast, naive)


@pytest.mark.parametrize("values", [[1.0], [0.0, -0.0], [-0.0, 0.0], [1.0, 1.0, 2.0, 2.0], [2.0, 1.0, 2.0]])
def test_ties_go_where_torch_sends_them(values):
    x = np.resize(np.array(values), (1, 1, 5, 6))
    for size, stride in [(2, 2), (3, 1), (3, 2)]:
        expected = by_autograd(lambda x, k=size, s=stride: F.max_pool2d(x, k, s), x)
        for layer in (max_pool2d, max_pool2d_naive):
            assert_same(by_hand(lambda x, f=layer, k=size, s=stride: f(x, k, s), x), expected)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 1), (2, 3)])
def test_what_is_no_number_is_passed_on_and_its_error_goes_where_torch_sends_it(size, stride, seed):
    x = draw(2, 3, 7, 8, seed=seed)
    x[np.random.default_rng(seed).random(x.shape) < 0.2] = np.nan
    expected = by_autograd(lambda x: F.max_pool2d(x, size, stride), x)
    for layer in (max_pool2d, max_pool2d_naive):
        assert_same(by_hand(lambda x, f=layer: f(x, size, stride), x), expected)


def test_global_average():
    x = draw(2, 3, 4, 5)
    y, _ = global_average_pool(x)
    np.testing.assert_allclose(y, x.mean(axis=(2, 3)))
    assert worst(global_average_pool, x) < CEILING
    assert_same(by_hand(global_average_pool, x), by_autograd(lambda x: x.mean(dim=(2, 3)), x))


@BOTH
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 1)])
def test_any_number_of_threads_gives_the_same_bits(kind, size, stride):
    x = draw(30, 3, 64, 64).astype(np.float32)
    y, [dx] = by_hand(lambda x: FORMS[kind][0](x, size, stride), x)
    for threads in (1, 2, 5):
        other_y, [other_dx] = by_hand(lambda x, t=threads: FORMS[kind][0](x, size, stride, threads=Threads(t)), x)
        assert (y == other_y).all()
        assert (dx == other_dx).all()
    assert y.dtype == dx.dtype == np.float32


@BOTH
def test_a_window_must_fit(kind):
    for layer in FORMS[kind][:2]:
        with pytest.raises(ValueError, match="pooling window 3x3 is larger than the input 2x4"):
            layer(np.zeros((1, 1, 2, 4)), 3)


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        (pool, "tap > greatest", "tap >= greatest"),
        (pool, "winner[part] == t", "winner[part] <= t"),
        (pool, "k <= s for k, s", "k >= s for k, s"),
        (pool, "np.maximum(greatest, tap, out=greatest)", "np.minimum(greatest, tap, out=greatest)"),
        (pool, "l : l + (OW - 1) * SW + 1 : SW", "k : k + (OW - 1) * SW + 1 : SW"),
        (naive, "np.argmax(window)", "window.size - 1 - np.argmax(window[::-1, ::-1])"),
        (naive, "[winner] += dy", "[winner] = dy"),
    ],
)
def test_a_planted_bug_is_caught(monkeypatch, module, right, wrong):
    plant(monkeypatch, module, module, right, wrong)
    layer = module.max_pool2d if module is pool else module.max_pool2d_naive
    assert any(caught(lambda x, s=stride: layer(x, 2, s), stride) for stride in (1, 2))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("y[part] *= share", "y[part] /= 4.5"), ("(dy[part], share)", "(dy[part], 2 * share)")],
)
def test_a_bug_in_the_average_is_caught(monkeypatch, right, wrong):
    plant(monkeypatch, pool, pool, right, wrong)
    x = draw(2, 2, 4, 4)
    with pytest.raises(AssertionError):
        assert_same(by_hand(lambda x: pool.average_pool2d(x, 2), x), by_autograd(lambda x: F.avg_pool2d(x, 2), x))


def caught(layer, stride) -> bool:
    """Whether parity with torch fails, on distinct values or on ties."""
    for x in (draw(2, 2, 4, 5), np.ones((2, 2, 4, 5))):
        try:
            assert_same(by_hand(layer, x), by_autograd(lambda x: F.max_pool2d(x, 2, stride), x))
        except AssertionError:
            return True
    return False
