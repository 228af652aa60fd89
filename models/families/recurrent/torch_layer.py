"""One recurrent layer in torch: by torch's own kernel, or step by step.

Step by step serves what the kernels lack: a GRU that resets before the product, and a look at each h_t.

Legend: B batch, T time, I input, H hidden, G = H times the number of gates.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from duograd.models.families.recurrent.cell import find_cell
from duograd.models.families.recurrent.config import RecurrentConfig

Weights = dict[str, Tensor]
State = tuple[Tensor, ...]
"""h (B, H), and for an LSTM c (B, H)."""
Layer = Callable[[Tensor, State, Weights], tuple[Tensor, State]]
"""x (B, T, I), state before -> h of every step (B, T, H), state after."""


def torch_layer(config: RecurrentConfig) -> Layer:
    """The layer by torch's kernel, where it has one."""
    kernel = find_cell(config.cell).kernel(config)
    return by_step(config) if kernel is None else by_kernel(kernel)


def by_kernel(name: str) -> Layer:
    """The layer by torch.rnn_tanh, torch.lstm or the like."""
    kernel: Any = getattr(torch, name)
    options = {"has_biases": True, "num_layers": 1, "dropout": 0.0, "bidirectional": False, "batch_first": True}

    def layer(x: Tensor, state: State, w: Weights) -> tuple[Tensor, State]:
        start = [part.unsqueeze(0) for part in state]
        params = [w["weight_ih"], w["weight_hh"], w["bias_ih"], second_bias(w)]
        hx = start if len(start) > 1 else start[0]
        out, *after = kernel(x, hx, params, train=torch.is_grad_enabled(), **options)
        return out, tuple(part.squeeze(0) for part in after)

    return layer


def second_bias(w: Weights) -> Tensor:
    """Torch's bias_hh (G,): zero, but for b_hn."""
    zeros = torch.zeros_like(w["bias_ih"])
    return torch.cat([zeros[len(w["bias_hn"]) :], w["bias_hn"]]) if "bias_hn" in w else zeros


def by_step(config: RecurrentConfig, trace: list[Tensor] | None = None) -> Layer:
    """The layer step by step; each h_t (B, H) goes into the trace."""
    step = find_cell(config.cell).step

    def layer(x: Tensor, state: State, w: Weights) -> tuple[Tensor, State]:
        hs = [] if trace is None else trace
        start = len(hs)
        for zx in functional.linear(x, w["weight_ih"], w["bias_ih"]).unbind(1):
            state = step(functional, config, zx, state, w)
            hs.append(state[0])
        return torch.stack(hs[start:], dim=1), state

    return layer
