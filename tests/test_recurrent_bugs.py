"""Bugs planted in recurrent classifiers, the report's among them: the check of gradients has to catch each."""

import pytest
from recurrent_builders import (
    CEILING,
    CELLS,
    cross_entropy_loss,
    gradient_error,
    plant,
    recurrent_net,
    windows,
)

from duograd.models.layers import gru, losses, lstm, recurrence, rnn, stacked

BUGS = [
    ("tanh rnn", rnn, "dz *= dh", "pass", "the nonlinearity's slope is left out"),
    (
        "tanh rnn",
        rnn,
        'np.ascontiguousarray(w["weight_hh"].T)',
        'np.ascontiguousarray(w["weight_hh"])',
        "W_hh not transposed",
    ),
    (
        "tanh rnn",
        rnn,
        "self.s[steps.start + 1 : steps.stop + 1, : self.H]",
        "self.s[steps, : self.H]",
        "the slope at h_{t-1}",
    ),
    (
        "relu rnn",
        rnn,
        "self.phi.backward(d, h.copy())",
        "d[...] = np.minimum(h, 1)",
        "the report's row 15: slope x for 0 < x < 1",
    ),
    ("lstm", lstm, "sigmoid_slope(i, g, out=d_i)", "np.multiply(i, g, out=d_i)", "a gate's slope is left out"),
    (
        "lstm",
        lstm,
        "sigmoid_slope(f, self.c[steps], out=d_f)",
        "sigmoid_slope(f, self.c[steps.start + 1 : steps.stop + 1], out=d_f)",
        "c_t for c_{t-1}",
    ),
    ("lstm", lstm, "tanh_slope(g, i, out=d_g)", "tanh_slope(i, g, out=d_g)", "i and g exchanged"),
    ("lstm", lstm, "sigmoid_slope(o, d_c, out=d_o)", "sigmoid_slope(o, self.c[steps], out=d_o)", "c for tanh c"),
    ("lstm", lstm, "        dc *= self.gates[t, 2]\n", "", "the forget gate does not act on the error"),
    (
        "lstm",
        lstm,
        "dc += np.multiply(dh, self.tanh_c[t], out=self.part)",
        "np.multiply(dh, self.tanh_c[t], out=dc)",
        "c's own path is cut",
    ),
    ("lstm", lstm, "d[0] *= dh", "d[0] *= dc", "the output gate gets dc"),
    ("gru, reset before", gru, "sigmoid_slope(r, h, out=d_r)", "sigmoid_slope(r, n, out=d_r)", "n for h_{t-1}"),
    (
        "gru, reset before",
        gru,
        "dh += np.multiply(du, r, out=du)",
        "dh += du",
        "the reset gate does not act on the error",
    ),
    ("gru, reset before", gru, "        d[0] *= du\n", "        d[0] *= dh\n", "dh for d(r ⊙ h)"),
    (
        "gru, reset before",
        gru,
        "(d[:, H:], self.u[steps])",
        "(d[:, H:], self.s[steps])",
        "h for r ⊙ h in U_n's gradient",
    ),
    ("gru, reset before", gru, "np.subtract(h, n, out=d_z)", "np.subtract(n, h, out=d_z)", "the update gate's sign"),
    ("gru, reset after", gru, "np.multiply(d_n, r, out=d_a)", "d_a[...] = d_n", "no reset of the product's error"),
    ("gru, reset after", gru, "sigmoid_slope(r, a, out=d_r)", "sigmoid_slope(r, n, out=d_r)", "n for U_n h + b_hn"),
    ("gru, reset after", gru, "dh *= self.gates[t, 2]", "dh *= self.gates[t, 1]", "r for z in the direct path"),
    ("gru, reset after", gru, "np.roll(dA, -H, axis=0)", "dA", "gates in the wrong order"),
    (
        "gru, reset after",
        gru,
        'grads["bias_ih"][2 * H :].copy()',
        "dA_n[:, 0].copy()",
        "b_hn's gradient without the reset",
    ),
]


@pytest.mark.parametrize(
    ("cell", "module", "right", "wrong"), [b[:4] for b in BUGS], ids=[f"{b[0]}: {b[4]}" for b in BUGS]
)
def test_a_bug_in_a_cell_is_caught(cell, module, right, wrong, monkeypatch):
    plant(monkeypatch, module, right, wrong)
    assert gradient_error(recurrent_net(**CELLS[cell]), windows()) > CEILING


OUTSIDE = {
    "error enters at every step (the report's row 5)": (
        stacked,
        "backs[top](dh.T, None,",
        "backs[top](0 * dh.T, np.broadcast_to(dh.T, (x.shape[1], *dh.T.shape)),",
    ),
    "error of the layer above enters at the last step only": (stacked, "drops[l + 1](dx)", "0 * drops[l + 1](dx)"),
    "dropout forgotten on the way back": (stacked, "drops[l + 1](dx)", "dx"),
    "summed over the batch (row 8)": (losses, "return dlogits", "return dlogits * len(dlogits)"),
    "smoothing forgotten on the way back": (losses, "- a\n", "- _shares(targets, class_weights, 0, logits.shape[1])\n"),
}


@pytest.mark.parametrize("bug", OUTSIDE)
@pytest.mark.parametrize("cell", CELLS)
def test_a_bug_outside_the_cells_is_caught(cell, bug, monkeypatch):
    plant(monkeypatch, *OUTSIDE[bug])
    loss = cross_entropy_loss(label_smoothing=0.2)
    assert gradient_error(recurrent_net(loss, num_layers=2, dropout=0.3, **CELLS[cell]), windows()) > CEILING


@pytest.mark.parametrize("cell", CELLS)
def test_a_loop_that_ends_at_t_1_is_caught(cell, monkeypatch):
    """The report's row 6: x_0 gives no gradient."""
    cut = recurrence.spans
    monkeypatch.setattr(recurrence, "spans", lambda first, steps, B: cut(max(first, 1), steps, B))
    forward = recurrence.Recurrence.step
    net = recurrent_net(**CELLS[cell])
    whole = type(net.layers[0]).forward

    def forward_from_0(self, *args, **kwargs):
        with monkeypatch.context() as right:
            right.setattr(recurrence, "spans", cut)
            return whole(self, *args, **kwargs)

    monkeypatch.setattr(type(net.layers[0]), "forward", forward_from_0)
    assert forward is recurrence.Recurrence.step
    assert gradient_error(net, windows()) > CEILING
