"""A recurrent layer over whole sequences, fast: what its cells share. `unroll` says the same plainly.

Units come before samples, so that every gate of a step is one block of memory, and a step is one matrix product

    z_t = A s_t,   s_t = [h_{t-1}; 1; x_t],   A = [W_hh  b  W_ih]

with the bias inside. On the way back only what needs the error is left in the loop: the slopes of the gates are worked
out beforehand for many steps at once, and the weights' gradient Σ_t dz_t s_tᵀ and dx afterwards. These last run on a
second thread while the loop goes on. They are cut at fixed steps and summed in order, and BLAS has one thread for each
product: the result does not depend on the number of threads, to the last bit. (Products of one step are too small to
share: two BLAS threads would wait for each other twice a step, and for milliseconds when something else takes a core.)

Legend: T time, B batch, I input, H hidden, G = H times the number of gates, K = H + 1 + I.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.layers.threads import Background
from duograd.models.layers.unroll import Weights

Pair = tuple[Array, Array]
Watch = Callable[[int, Array], None]
Backward = Callable[..., tuple[Array | None, Weights]]
ROWS = 512  # T·B of a chunk: long enough for the product's full speed, short enough for the cache. Part of the result.


class Buffers:
    """Arrays that are used again from step to step; each grows to the greatest size asked for."""

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._flat: dict[str, Array] = {}

    def __call__(self, name: str, *shape: int) -> Array:
        """The array of a name, with whatever values it has."""
        size = int(np.prod(shape))
        if name not in self._flat or self._flat[name].size < size:
            self._flat[name] = np.empty(size, self.dtype)
        return self._flat[name][:size].reshape(shape)


class Recurrence(ABC):
    """One layer. A cell is a subclass that says what a step is (`step`), its slopes, and how error goes back."""

    s: Array  # (T + 1, K, B): s_t as above; the new h_t is written to s[t + 1, :H]
    d: Array  # (T, G, …, B): the slopes, which become dL/dz on the way back
    W_ih: Array  # (G, I), with its rows in d's order

    def __init__(self, hidden_size: int, dtype: DTypeLike, background: Background) -> None:
        self.H = hidden_size
        self.buffer = Buffers(dtype)
        self.background = background

    # -- a cell ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def prepare(self, w: Weights, T: int, B: int, keep: bool) -> None:
        """Packs the weights, and finds buffers: for T steps, or for one that the next overwrites unless keep."""

    @abstractmethod
    def step(self, t: int) -> None:
        """h_t into s[t + 1, :H], from s[t]."""

    @abstractmethod
    def slopes(self, steps: slice) -> None:
        """What dL/dh_t (or dc_t) is multiplied by to give dL/dz_t, for these steps, into d."""

    @abstractmethod
    def back(self, t: int, dh: Array) -> None:
        """dL/dz_t into d[t]; dh (H, B) comes as dL/dh_t and goes as dL/dh_{t-1}."""

    def begin(self, state: Sequence[Array]) -> None:
        """Sets the state before the first step: h (H, B), and what else a cell hands on, of its shape."""
        self.s[0, : self.H] = state[0]

    def end(self) -> tuple[Array, ...]:
        """The state after the last step, of a pass that was kept."""
        return (self.s[-1, : self.H],)

    def d_input(self, steps: slice) -> Array:
        """dL/dz of what x has a share in, (n, G, B)."""
        d = self.d[steps]
        return d.reshape(len(d), math.prod(d.shape[1:-1]), d.shape[-1])

    def pairs(self, steps: slice) -> list[Pair]:
        """(dz, s) of these steps, whose products Σ_t dz_t s_tᵀ are the gradients of the packed weights."""
        return [(self.d_input(steps), self.s[steps])]

    def unpack(self, products: list[Array]) -> Weights:
        """Gradients by name, from the products of all steps."""
        [dA] = products
        H = self.H
        return {"weight_hh": dA[:, :H], "bias_ih": dA[:, H], "weight_ih": dA[:, H + 1 :]}

    # -- whole sequences ---------------------------------------------------------------------------------------------

    def forward(
        self, x: Array, w: Weights, keep: bool = True, start: Sequence[Array] | None = None
    ) -> tuple[Array, Backward]:
        """x (T, I, B) -> h (T, H, B), backward. keep=False remembers nothing to go back with.

        start: the state before the first step, as `end` gives it; None: zeros.

        backward(dh, errors=None, first=0, need_dx=False, watch=None) -> dx (T, I, B), gradients:
        dh (H, B) is the error that enters at the last step, errors (T, H, B) what enters at each; the gradient flows
        back to step `first`; watch(t, dL/dh_t) sees it pass. It uses up what forward remembered: RuntimeError if it is
        called again, after another forward, or without keep.
        """
        T, _, B = x.shape
        self._pass = object() if keep else None
        self.W_ih = w["weight_ih"]
        self.s = self._stack(x, "s")
        self.prepare(w, T, B, keep)
        if start is not None:
            self.begin(start)
        for steps in spans(0, T, B):
            for t in range(steps.start, steps.stop):
                self.step(t)
            if keep:
                self.slopes(steps)
        return self.s[1:, : self.H], partial(self._backward, self._pass)

    def _backward(
        self,
        this: object,
        dh: Array,
        errors: Array | None = None,
        first: int = 0,
        need_dx: bool = False,
        watch: Watch | None = None,
    ) -> tuple[Array | None, Weights]:
        if this is None or this is not self._pass:
            raise RuntimeError("backward of a pass that is forgotten: call it once for each forward, before the next")
        self._pass = None
        T, (I, B) = len(self.s) - 1, (self.s.shape[1] - self.H - 1, self.s.shape[2])
        carried = self.buffer("dh", self.H, B)
        carried[...] = dh
        dx = self.buffer("dx", T, I, B) if need_dx else None
        products: list[Array] = []
        for steps in reversed(list(spans(first, T, B))):
            for t in reversed(range(steps.start, steps.stop)):
                if errors is not None:
                    carried += errors[t]
                if watch is not None:
                    watch(t, carried)
                self.back(t, carried)
            self.background.submit(self._beside, steps, products, dx)
        self.background.wait()
        return dx, self.unpack(products)

    def _beside(self, steps: slice, products: list[Array], dx: Array | None) -> None:
        """These steps' share of the gradients, added to products; and their dx."""
        parts = [self._over_time(dz, s) for dz, s in self.pairs(steps)]
        if not products:
            products.extend(parts)
        else:
            for total, part in zip(products, parts, strict=True):
                total += part
        if dx is not None:
            np.matmul(self.W_ih.T, self.d_input(steps), out=dx[steps])

    def _over_time(self, dz: Array, s: Array) -> Array:
        """Σ_t dz_t s_tᵀ: dz (n, G, B), s (n, K, B) -> (G, K), as one product over n·B."""
        (n, G, B), K = dz.shape, s.shape[1]
        flat_dz, flat_s = self.buffer("flat dz", G, n, B), self.buffer("flat s", K, n, B)
        flat_dz[...] = dz.transpose(1, 0, 2)
        flat_s[...] = s.transpose(1, 0, 2)
        return np.asarray(flat_dz.reshape(G, n * B) @ flat_s.reshape(K, n * B).T)

    def _stack(self, x: Array, name: str) -> Array:
        """s (T + 1, K, B) with x and ones in place, and h = 0 before the first step."""
        T, I, B = x.shape
        s = self.buffer(name, T + 1, self.H + 1 + I, B)
        s[0, : self.H] = 0
        s[:, self.H] = 1
        s[:T, self.H + 1 :] = x
        return s


def packed(W_hh: Array, b: Array, W_ih: Array) -> Array:
    """A = [W_hh b W_ih]: (G, K)."""
    return np.concatenate([W_hh, b[:, None], W_ih], axis=1)


def sigmoid_slope(y: Array, factor: Array, out: Array) -> None:
    """out = y (1 - y) ⊙ factor, of y = σ(z)."""
    np.subtract(1, y, out=out)
    out *= y
    out *= factor


def tanh_slope(y: Array, factor: Array, out: Array) -> None:
    """out = (1 - y²) ⊙ factor, of y = tanh(z); out may be y."""
    np.multiply(y, y, out=out)
    np.subtract(1, out, out=out)
    out *= factor


def sigmoid_of_minus(z: Array) -> Array:
    """z becomes 1 / (1 + exp(z)) = σ(-z), and is returned: weights packed with a minus save the change of sign."""
    np.exp(z, out=z)  # may reach infinity, whose reciprocal is the right limit
    z += 1
    return np.reciprocal(z, out=z)


def spans(first: int, T: int, B: int) -> Iterator[slice]:
    """Steps first … T, about ROWS of time and batch at once."""
    n = max(1, ROWS // max(1, B))
    return (slice(start, min(start + n, T)) for start in range(first, T, n))
