"""One recurrent layer in torch: by its own kernels, those of nn.RNN, nn.LSTM and nn.GRU, and step by step.

Step by step serves what the kernels lack: the GRU that resets before the product, and a look at each h_t.

Legend: B batch, T time, I input, H hidden, G = H times the number of gates.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from duograd.models.families.recurrent.config import RecurrentConfig

Weights = dict[str, Tensor]
State = tuple[Tensor, ...]
"""h (B, H), and for an LSTM c (B, H)."""
Layer = Callable[[Tensor, State, Weights], tuple[Tensor, State]]
"""x (B, T, I), state before -> h of every step (B, T, H), state after."""
Step = Callable[[Tensor, State, Weights], State]
"""W_ih x_t + b (B, G), state before -> state after."""


def by_kernel(config: RecurrentConfig) -> Layer:
    """The layer by torch's kernel."""
    rnn = torch.rnn_relu if config.nonlinearity == "relu" else torch.rnn_tanh
    kernel: Any = {"rnn": rnn, "lstm": torch.lstm, "gru": torch.gru}[config.cell]
    options = {"has_biases": True, "num_layers": 1, "dropout": 0.0, "bidirectional": False, "batch_first": True}

    def layer(x: Tensor, state: State, w: Weights) -> tuple[Tensor, State]:
        start = [part.unsqueeze(0) for part in state]
        params = [w["weight_ih"], w["weight_hh"], w["bias_ih"], second_bias(w)]
        hx = start if config.cell == "lstm" else start[0]
        out, *after = kernel(x, hx, params, train=torch.is_grad_enabled(), **options)
        return out, tuple(part.squeeze(0) for part in after)

    return layer


def second_bias(w: Weights) -> Tensor:
    """Torch's bias_hh (G,): zero, but for b_hn."""
    zeros = torch.zeros_like(w["bias_ih"])
    return torch.cat([zeros[len(w["bias_hn"]) :], w["bias_hn"]]) if "bias_hn" in w else zeros


def by_step(config: RecurrentConfig, trace: list[Tensor] | None = None) -> Layer:
    """The layer step by step; each h_t (B, H) goes into the trace."""
    steps: dict[str, Step] = {
        "rnn": partial(rnn_step, torch.relu if config.nonlinearity == "relu" else torch.tanh),
        "lstm": lstm_step,
        "gru": partial(gru_step, config.reset_after),
    }

    def layer(x: Tensor, state: State, w: Weights) -> tuple[Tensor, State]:
        hs = [] if trace is None else trace
        start = len(hs)
        for zx in linear(x, w["weight_ih"], w["bias_ih"]).unbind(1):
            state = steps[config.cell](zx, state, w)
            hs.append(state[0])
        return torch.stack(hs[start:], dim=1), state

    return layer


def rnn_step(phi: Callable[[Tensor], Tensor], zx: Tensor, state: State, w: Weights) -> State:
    return (phi(zx + linear(state[0], w["weight_hh"])),)


def lstm_step(zx: Tensor, state: State, w: Weights) -> State:
    h, c = state
    i, f, g, o = (zx + linear(h, w["weight_hh"])).chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru_step(reset_after: bool | None, zx: Tensor, state: State, w: Weights) -> State:
    [h] = state
    H = h.shape[1]
    r, z = torch.sigmoid(zx[:, : 2 * H] + linear(h, w["weight_hh"][: 2 * H])).chunk(2, dim=1)
    U_n = w["weight_hh"][2 * H :]
    a = r * linear(h, U_n, w["bias_hn"]) if reset_after else linear(r * h, U_n)
    n = torch.tanh(zx[:, 2 * H :] + a)
    return (z * h + (1 - z) * n,)
