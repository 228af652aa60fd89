"""Recurrent layers: the clear version against differences, the fast one against the clear."""

import math

import numpy as np
import pytest
from recurrent_builders import CELLS, HIDDEN, INPUTS, T, mutant, recurrent_config

from duograd.models.families.recurrent.weights import initial_weights, recurrent_weights
from duograd.models.layers import gru, lstm, rnn
from duograd.models.layers.gru import ResetAfter, ResetBefore, gru_step
from duograd.models.layers.lstm import LSTM, lstm_step
from duograd.models.layers.recurrence import Buffers, spans
from duograd.models.layers.rnn import RNN, rnn_step
from duograd.models.layers.stacked import stacked
from duograd.models.layers.threads import Background
from duograd.models.layers.unroll import unroll

B = 3
EXACT = 1e-12  # float64: only the order of sums differs
CEILING = 1e-6  # float64, central differences
STEP = 1e-6
CLEAR = {
    "tanh rnn": rnn_step("tanh"),
    "relu rnn": rnn_step("relu"),
    "lstm": lstm_step,
    "gru, reset before": gru_step(reset_after=False),
    "gru, reset after": gru_step(reset_after=True),
}


def fast(cell, thread=False, H=HIDDEN, dtype=float):
    background = Background(thread)
    makers = {
        "tanh rnn": lambda: RNN("tanh", H, dtype, background),
        "relu rnn": lambda: RNN("relu", H, dtype, background),
        "lstm": lambda: LSTM(H, dtype, background),
        "gru, reset before": lambda: ResetBefore(H, dtype, background),
        "gru, reset after": lambda: ResetAfter(H, dtype, background),
    }
    return makers[cell]()


def weights(cell, seed=0, H=HIDDEN, I=INPUTS, dtype=float):
    return recurrent_weights(initial_weights(recurrent_config(**CELLS[cell], hidden_size=H), I, 2, seed, dtype), 0)


def start(cell, batch=B, H=HIDDEN, dtype=float):
    return (np.zeros((batch, H), dtype),) * (2 if cell == "lstm" else 1)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def differences(f, array):
    """df/d(array), entry by entry."""
    found = np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        ends = []
        for sign in (1, -1):
            array[index] = kept + sign * STEP
            ends.append(f())
        array[index] = kept
        found[index] = (ends[0] - ends[1]) / (2 * STEP)
    return found


def clear_error(step, cell):
    """The largest relative error of the clear version's gradients: L = Σ h ⊙ R over all steps."""
    x, w, R = draw(T, B, INPUTS), weights(cell), draw(T, B, HIDDEN, seed=1)

    def loss():
        return (unroll(step, x, start(cell), w)[0] * R).sum()

    dx, grads = unroll(step, x, start(cell), w)[1](R)
    pairs = [(differences(loss, x), dx), *((differences(loss, w[name]), grads[name]) for name in w)]
    return max(np.abs(a - b).max() / np.abs(b).max() for a, b in pairs)


@pytest.mark.parametrize("cell", CELLS)
def test_the_clear_version_against_differences(cell):
    assert clear_error(CLEAR[cell], cell) < CEILING


def test_lstm_by_hand():
    """One unit, all products zero: gates from the biases alone."""
    w = {"weight_ih": np.zeros((4, 1)), "weight_hh": np.zeros((4, 1)), "bias_ih": np.array([0.0, 1.0, 2.0, 3.0])}
    (h, c), _ = lstm_step(np.ones((1, 1)), (np.zeros((1, 1)), np.full((1, 1), 0.5)), w)
    forget, output = 1 / (1 + math.exp(-1)), 1 / (1 + math.exp(-3))
    expected = 0.5 * forget + 0.5 * math.tanh(2)
    assert c.item() == pytest.approx(expected, rel=EXACT)
    assert h.item() == pytest.approx(output * math.tanh(expected), rel=EXACT)


@pytest.mark.parametrize("reset_after", [False, True])
def test_gru_by_hand(reset_after):
    """One unit, h = 2, U_n = 3, b_hn = 5: the bias is reset only where the reset comes after the product."""
    w = {"weight_ih": np.zeros((3, 1)), "weight_hh": np.array([[0.0], [0.0], [3.0]]), "bias_ih": np.zeros(3)}
    w["bias_hn"] = np.array([5.0])
    (h,), _ = gru_step(reset_after)(np.ones((1, 1)), (np.full((1, 1), 2.0),), w)
    n = math.tanh(0.5 * (3 * 2 + 5) if reset_after else 3 * 0.5 * 2)
    assert h.item() == pytest.approx(0.5 * 2 + 0.5 * n, rel=EXACT)


def both_ways(cell, batch, steps, truncate, thread=False, layer=None):
    """(h, dx, grads) by the clear version and by the fast one, error entering at every step."""
    x, w, R = draw(steps, batch, INPUTS), weights(cell), draw(steps, batch, HIDDEN, seed=1)
    h, backward = unroll(CLEAR[cell], x, start(cell, batch), w, truncate)
    dx, grads = backward(R)
    fast_h, fast_backward = (layer or fast(cell, thread)).forward(x.transpose(0, 2, 1), w)
    R = R.transpose(0, 2, 1)
    first = max(0, steps - truncate) if truncate else 0
    fast_dx, fast_grads = fast_backward(R[-1], np.concatenate([R[:-1], 0 * R[-1:]]), first, need_dx=True)
    fast_dx[:first] = 0
    return (h, dx, grads), (fast_h.transpose(0, 2, 1), fast_dx.transpose(0, 2, 1), fast_grads)


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize(
    ("batch", "steps", "truncate"),
    [(3, 6, None), (1, 1, None), (1, 9, 4), (200, 7, None), (200, 7, 3), (3, 6, 1), (3, 6, 99)],
)
@pytest.mark.parametrize("cell", CELLS)
def test_fast_equals_clear(cell, batch, steps, truncate, thread):
    """A batch of 200 is cut into chunks of two steps."""
    clear, quick = both_ways(cell, batch, steps, truncate, thread)
    np.testing.assert_allclose(quick[0], clear[0], rtol=1e-10, atol=EXACT)
    np.testing.assert_allclose(quick[1], clear[1], rtol=1e-10, atol=EXACT)
    assert quick[2].keys() == clear[2].keys()
    for name, g in clear[2].items():
        np.testing.assert_allclose(quick[2][name], g, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1, 1), (1, 3, 5, 2), (3, 1, 5, 2), (3, 2, 1, 2), (3, 2, 5, 1), (3, 0, 4, 2)], ids=str
)
@pytest.mark.parametrize("cell", CELLS)
def test_one_of_everything_in_both_precisions(cell, sizes, dtype):
    """One unit, sample, step or input, or no sample: clear and fast are the clear version in float64."""
    H, N, steps, I = sizes
    x, R, w = draw(steps, N, I), draw(steps, N, H, seed=1), weights(cell, H=H, I=I)
    expected_h, backward = unroll(CLEAR[cell], x, start(cell, N, H), w)
    expected = [expected_h, *(lambda dx, grads: [dx, *grads.values()])(*backward(R))]
    x, R, w = x.astype(dtype), R.astype(dtype), {name: W.astype(dtype) for name, W in w.items()}
    h, backward = unroll(CLEAR[cell], x, start(cell, N, H, dtype), w)
    dx, grads = backward(R)
    fast_h, fast_backward = fast(cell, H=H, dtype=dtype).forward(x.transpose(0, 2, 1), w)
    fast_dx, fast_grads = fast_backward(0 * R[-1].T, R.transpose(0, 2, 1), need_dx=True)
    quick = [fast_h.transpose(0, 2, 1), fast_dx.transpose(0, 2, 1), *(fast_grads[name] for name in grads)]
    for results in ([h, dx, *grads.values()], quick):
        for a, b in zip(results, expected, strict=True):
            assert a.dtype == dtype
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("x", [1e-2, 1e-4, 1e-6, 1e-8, 1e-20])
@pytest.mark.parametrize("cell", CELLS)
def test_small_values_keep_their_digits(cell, x):
    """One unit, weights 1 and 0: single precision is right to all its digits near zero."""
    w = {name: np.full_like(W, name == "weight_ih") for name, W in weights(cell, H=1, I=1).items()}
    expected, _ = unroll(CLEAR[cell], np.full((2, 1, 1), x), start(cell, 1, 1), w)
    single = {name: W.astype(np.float32) for name, W in w.items()}
    h, _ = fast(cell, H=1, dtype=np.float32).forward(np.full((2, 1, 1), x, np.float32), single)
    np.testing.assert_allclose(h, expected, rtol=1e-6)  # float32: 6e-8 an operation


@pytest.mark.parametrize("cell", CELLS)
def test_backward_is_refused_where_its_memory_is_gone(cell):
    """It works in place: a second one, or one after another forward, would be wrong."""
    layer, x, w, dh = fast(cell), draw(T, INPUTS, B), weights(cell), draw(HIDDEN, B)
    _, first = layer.forward(x, w)
    _, second = layer.forward(x, w)
    second(dh)
    _, forgetful = layer.forward(x, w, keep=False)
    for backward in (first, second, forgetful):
        with pytest.raises(RuntimeError, match="backward of a pass that is forgotten: call it once for each forward"):
            backward(dh)


@pytest.mark.parametrize("cell", CELLS)
def test_buffers_of_a_greater_batch_leave_nothing_behind(cell):
    layer = fast(cell)
    both_ways(cell, 7, 11, None, layer=layer)
    clear, quick = both_ways(cell, 2, 5, None, layer=layer)
    np.testing.assert_allclose(quick[1], clear[1], rtol=1e-10, atol=EXACT)


@pytest.mark.parametrize("cell", CELLS)
def test_without_memory_h_is_the_same(cell):
    x, w = draw(5, INPUTS, 4), weights(cell)
    kept, _ = fast(cell).forward(x, w)
    np.testing.assert_array_equal(fast(cell).forward(x, w, keep=False)[0], kept)


@pytest.mark.parametrize("cell", CELLS)
def test_truncation_is_the_full_gradient_of_the_last_steps(cell):
    """The last three steps, from a state that is given."""
    x, w, dh = draw(7, B, INPUTS), weights(cell), draw(3, B, HIDDEN, seed=1)
    state = start(cell)
    for x_t in x[:4]:
        state, _ = CLEAR[cell](x_t, state, w)
    _, expected = unroll(CLEAR[cell], x[4:], state, w)[1](dh)
    errors = np.concatenate([np.zeros((4, B, HIDDEN)), dh])
    _, truncated = unroll(CLEAR[cell], x, start(cell), w, truncate=3)[1](errors)
    for name, g in expected.items():
        np.testing.assert_allclose(truncated[name], g, rtol=EXACT)


@pytest.mark.parametrize("cell", CELLS)
def test_layers_on_one_another(cell):
    """Two layers with dropout between them, many to one, as two clear layers."""
    x, mask, dh = draw(B, T, INPUTS), draw(B, T, HIDDEN, seed=2), draw(B, HIDDEN, seed=1)
    below, above = weights(cell), weights(cell, seed=1)
    above = {**above, "weight_ih": draw(len(above["bias_ih"]), HIDDEN)}
    h1, backward1 = unroll(CLEAR[cell], x.swapaxes(0, 1), start(cell), below)
    h2, backward2 = unroll(CLEAR[cell], h1 * mask.swapaxes(0, 1), start(cell), above)
    dx2, grads2 = backward2(np.concatenate([np.zeros((T - 1, B, HIDDEN)), dh[None]]))
    _, grads1 = backward1(dx2 * mask.swapaxes(0, 1))
    h, backward = stacked([fast(cell), fast(cell)], [below, above], x, [mask])
    np.testing.assert_allclose(h, h2[-1], rtol=1e-10)
    for found, expected in zip(backward(dh), (grads1, grads2), strict=True):
        for name, g in expected.items():
            np.testing.assert_allclose(found[name], g, rtol=1e-10, atol=1e-11)


BUGS = [
    ("tanh rnn", rnn, "phi.backward(d_state[0].copy(), h.copy())", "d_state[0]"),
    ("tanh rnn", rnn, "zh, product_backward = product(state[0]", "zh, product_backward = product(0.9 * state[0]"),
    ("lstm", lstm, "dc + dh * o * (1 - tanh_c**2)", "dc + dh * (1 - tanh_c**2)"),
    ("lstm", lstm, "dc + dh * o * (1 - tanh_c**2)", "dh * o * (1 - tanh_c**2)"),
    ("lstm", lstm, "di * i * (1 - i)", "di * i"),
    ("lstm", lstm, "dc * g, dc * c_before, dc * i", "dc * g, dc * c, dc * i"),
    ("lstm", lstm, "do * o * (1 - o)", "do * (1 - o)"),
    ("lstm", lstm, "dc * f), grads", "dc), grads"),
    ("gru, reset before", gru, "dh * (h_before - n) * z", "dh * (n - h_before) * z"),
    ("gru, reset before", gru, "return drh * h, drh * r,", "return drh * h, drh,"),
    ("gru, reset before", gru, "dh * z + dh_by_n + dh_by_gates", "dh_by_n + dh_by_gates"),
    ("gru, reset before", gru, "dr * r * (1 - r)", "dr * (1 - r)"),
    ("gru, reset after", gru, "return da * y, dh,", "return da * h, dh,"),
    ("gru, reset after", gru, "affine_backward(da * r)", "affine_backward(da)"),
]


@pytest.mark.parametrize(("cell", "module", "right", "wrong"), BUGS)
def test_a_bug_in_the_clear_version_is_caught(cell, module, right, wrong):
    bugged = mutant(module, right, wrong)
    steps = {
        "tanh rnn": lambda: bugged.rnn_step("tanh"),
        "lstm": lambda: bugged.lstm_step,
        "gru, reset before": lambda: bugged.gru_step(reset_after=False),
        "gru, reset after": lambda: bugged.gru_step(reset_after=True),
    }
    assert clear_error(steps[cell](), cell) > CEILING


def test_a_buffer_is_kept_and_grows():
    buffer = Buffers(np.float32)
    first = buffer("a", 2, 3)
    assert np.shares_memory(first, buffer("a", 3, 2))
    assert buffer("a", 4, 5).shape == (4, 5)
    assert not np.shares_memory(buffer("a", 2), buffer("b", 2))


def test_spans_cover_every_step_once():
    assert [t for s in spans(3, 40, 100) for t in range(s.start, s.stop)] == list(range(3, 40))
