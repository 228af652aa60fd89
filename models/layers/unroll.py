"""A recurrent layer, plainly: one step after the other, and back again. The oracle of the fast `recurrence`.

Legend: T time, B batch, I input, H hidden, G = H times the number of gates.
"""

from collections.abc import Callable

import numpy as np

from duograd.models.arrays import Array

Weights = dict[str, Array]
"""weight_ih (G, I), weight_hh (G, H), bias_ih (G,), and for a GRU that resets after the product bias_hn (H,)."""
State = tuple[Array, ...]
"""What a step hands to the next: h (B, H), and for an LSTM c (B, H)."""
StepBackward = Callable[[State], tuple[Array, State, Weights]]
"""dL/d(state after) -> dx, dL/d(state before), gradients."""
Step = Callable[[Array, State, Weights], tuple[State, StepBackward]]
"""x (B, I), state before, weights -> state after, backward."""
Backward = Callable[[Array], tuple[Array, Weights]]
"""dL/dh (T, B, H), of what uses h from outside -> dx (T, B, I), gradients."""


def unroll(step: Step, x: Array, start: State, w: Weights, truncate: int | None = None) -> tuple[Array, Backward]:
    """h of every step: x (T, B, I) -> h (T, B, H), backward. Back-propagation through time, all of it or the last
    `truncate` steps (Werbos 1990; Williams and Peng 1990)."""
    state, hs, backs = start, [], []
    for x_t in x:
        state, back = step(x_t, state, w)
        hs.append(state[0])
        backs.append(back)

    def backward(dh: Array) -> tuple[Array, Weights]:
        dx, grads = np.zeros_like(x), {name: np.zeros_like(W) for name, W in w.items()}
        d_state: State = tuple(np.zeros_like(part) for part in start)
        T = len(x)
        first = max(0, T - truncate) if truncate else 0
        for t in reversed(range(first, T)):
            d_state = (d_state[0] + dh[t], *d_state[1:])
            dx[t], d_state, step_grads = backs[t](d_state)
            for name, g in step_grads.items():
                grads[name] += g
        return dx, grads

    return np.stack(hs), backward


def product(h: Array, W: Array) -> tuple[Array, Callable[[Array], tuple[Array, Array]]]:
    """y = h Wᵀ, backward(dy) -> dh, dW."""
    return h @ W.T, lambda dy: (dy @ W, dy.T @ h)
