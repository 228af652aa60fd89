"""The sparse autoencoder by hand, fast: `cost.py`'s equations over chunks of rows, in place, on a few threads.

The cost couples all samples through rho_hat, so an epoch is two passes: the first encodes every row and sums the hidden
activations; the second decodes, and goes back through both layers. Within a pass, chunks of rows stay in cache. Chunks
are dealt to a fixed number of lanes, each summed in order, with BLAS on one thread inside them: the result depends on
neither the number of threads nor on which thread was faster, to the last bit.

Legend: N samples, B rows of a chunk, I inputs, H hidden.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.families.autoencoder.config import AutoencoderConfig
from duograd.models.families.autoencoder.cost import NAMES, kl, kl_slope
from duograd.models.layers.activations import ACTIVATIONS
from duograd.models.layers.init import INITS
from duograd.models.layers.threads import Scratch, Threads, ordered_sum
from duograd.models.losses.sparse import SparseLossConfig

Lane = list[slice]
"""Chunks of rows, worked on one after the other."""
ROWS = 1024  # of a chunk: smaller ones pay more for calls than they gain in cache, larger ones the reverse
LANES = 8  # fixed, since the order of sums is part of the result; also the most threads that can help


class Workspace(NamedTuple):
    """One thread's scratch: a chunk's output, error and hidden error, and its two weight gradients."""

    o: Array  # (ROWS, I)
    d: Array  # (ROWS, I)
    dh: Array  # (ROWS, H)
    dW1: Array  # (H, I)
    dW2: Array  # (I, H)


class Sums(NamedTuple):
    """What a lane adds up over its rows: Σ error² and the gradients of Σ ½ error² + sparsity."""

    squares: float
    grads: tuple[Array, Array, Array, Array]


class AutoencoderNet:
    """Parameters (torch's names and shapes), the terms of J and their gradient. Not for use by two threads at once."""

    def __init__(
        self,
        config: AutoencoderConfig,
        loss: SparseLossConfig,
        shape: tuple[int, ...],
        outputs: int,
        seed: int,
        dtype: DTypeLike = np.float32,
        threads: int | None = None,
    ) -> None:
        self.loss = loss
        self.hidden = ACTIVATIONS[config.hidden_activation]
        self.output = ACTIVATIONS[config.output_activation]
        self.params = initial_weights(config, shape[-1], seed, dtype)
        self.buffers: dict[str, Array] = {}  # nothing is carried along
        self.dtype = np.dtype(dtype)
        self.threads = Threads(threads, LANES)
        self._scratch = Scratch(self._workspace)
        self._h = np.empty((0, config.hidden_size), dtype)

    def loss_and_grad(
        self, inputs: Array, targets: None = None, step: int = 0
    ) -> tuple[dict[str, float], dict[str, Array]]:
        """The terms of J over inputs (N, I), and the gradient of their sum by parameter."""
        N, lanes = len(inputs), lanes_of(len(inputs))
        W1, _, W2, _ = self._weights()
        h = self._hidden_buffer(N)
        with self.threads.single_blas_thread():
            rho_hat = ordered_sum(self.threads.map(lambda lane: self._encode(inputs, h, lane), lanes)) / N
            d_rho_hat = (self.loss.beta * kl_slope(self.loss.rho, rho_hat)).astype(self.dtype) if self.loss.beta else 0
            sums = self.threads.map(lambda lane: self._decode_and_back(inputs, h, d_rho_hat, lane), lanes)
            grads = [ordered_sum(parts) / N for parts in zip(*(s.grads for s in sums), strict=True)]
            terms = self._terms(sum(s.squares for s in sums), rho_hat, N)
        grads[0] += self.loss.lambda_ * W1
        grads[2] += self.loss.lambda_ * W2
        return terms, dict(zip(NAMES, grads, strict=True))

    def evaluate(self, inputs: Array, targets: None = None) -> dict[str, float]:
        """The terms of J over inputs (N, I)."""
        N = len(inputs)
        with self.threads.single_blas_thread():
            sums = self.threads.map(lambda lane: self._forward(inputs, lane), lanes_of(N))
            return self._terms(sum(squares for squares, _ in sums), ordered_sum(total for _, total in sums) / N, N)

    def predict(self, inputs: Array) -> Array:
        """Reconstructions (N, I)."""
        _, _, W2, b2 = self._weights()
        return self.output.forward(self.encode(inputs) @ W2.T, b2)

    def encode(self, inputs: Array) -> Array:
        """Hidden activations (N, H)."""
        W1, b1, _, _ = self._weights()
        return self.hidden.forward(inputs @ W1.T, b1)

    def probe(self, inputs: Array, targets: None = None) -> dict[str, Array]:
        """What figures ask for: hidden activations (N, H)."""
        return {"hidden": self.encode(inputs)}

    # -- one lane: some chunks, one after the other ------------------------------------------------------------------

    def _encode(self, x: Array, h: Array, lane: Lane) -> Array:
        """h of every chunk, kept for the way back; returns their sum (H,)."""
        W1, b1, _, _ = self._weights()
        total = np.zeros_like(b1)
        for rows in lane:
            z = np.matmul(x[rows], W1.T, out=h[rows])
            total += _column_sums(self.hidden.forward(z, b1))
        return total

    def _decode_and_back(self, x: Array, h: Array, d_rho_hat: Array | int, lane: Lane) -> Sums:
        """Decodes each chunk, and adds up its error and the gradients; h is used up."""
        _, _, W2, b2 = self._weights()
        squares = 0.0
        dW1, db1, dW2, db2 = (np.zeros_like(self.params[name]) for name in NAMES)
        with self._scratch.borrow() as work:
            for rows in lane:
                x_, h_ = x[rows], h[rows]
                o, d, dh = work.o[: len(x_)], work.d[: len(x_)], work.dh[: len(x_)]
                o = np.matmul(h_, W2.T, out=o)
                o = self.output.forward(o, b2)
                d = np.subtract(o, x_, out=d)
                squares += float(np.vdot(d, d))
                dz2 = self.output.backward(d, o)
                dW2 += np.matmul(dz2.T, h_, out=work.dW2)
                db2 += _column_sums(dz2)
                dh = np.matmul(dz2, W2, out=dh)
                dh += d_rho_hat
                dz1 = self.hidden.backward(dh, h_)
                dW1 += np.matmul(dz1.T, x_, out=work.dW1)
                db1 += _column_sums(dz1)
        return Sums(squares, (dW1, db1, dW2, db2))

    def _forward(self, x: Array, lane: Lane) -> tuple[float, Array]:
        """Σ error² and the sum of the hidden activations (H,), nothing kept."""
        _, _, W2, b2 = self._weights()
        squares, total = 0.0, np.zeros(W2.shape[1], self.dtype)
        with self._scratch.borrow() as work:
            for rows in lane:
                x_ = x[rows]
                total += self._encode(x_, work.dh[: len(x_)], [slice(None)])
                o = np.matmul(work.dh[: len(x_)], W2.T, out=work.o[: len(x_)])
                error = np.subtract(self.output.forward(o, b2), x_, out=o)
                squares += float(np.vdot(error, error))
        return squares, total

    # -- buffers -----------------------------------------------------------------------------------------------------

    def _workspace(self) -> Workspace:
        H, I = self.params[NAMES[0]].shape
        shapes = (ROWS, I), (ROWS, I), (ROWS, H), (H, I), (I, H)
        return Workspace(*(np.empty(shape, self.dtype) for shape in shapes))

    def _hidden_buffer(self, N: int) -> Array:
        if len(self._h) < N:
            self._h = np.empty((N, self._h.shape[1]), self.dtype)
        return self._h[:N]

    def _weights(self) -> tuple[Array, ...]:
        return tuple(self.params[name] for name in NAMES)

    def _terms(self, squares: float, rho_hat: Array, N: int) -> dict[str, float]:
        W1, _, W2, _ = self._weights()
        lambda_, beta, rho = self.loss.lambda_, self.loss.beta, self.loss.rho
        terms = {
            "mse": squares / (2 * N) if N else math.nan,
            "l2": lambda_ / 2 * float(np.vdot(W1, W1) + np.vdot(W2, W2)),
            "kl": beta * float(kl(rho, rho_hat).sum()) if beta else 0.0,
        }
        return {"loss": sum(terms.values()), **terms}


def initial_weights(config: AutoencoderConfig, input_size: int, seed: int, dtype: DTypeLike) -> dict[str, Array]:
    """The weights at the start, by torch's names, the same for both backends."""
    H = config.hidden_size
    layers = INITS[config.init]([(input_size, H), (H, input_size)], seed)
    return {
        name: array.astype(dtype) for name, array in zip(NAMES, (a for layer in layers for a in layer), strict=True)
    }


def lanes_of(N: int) -> list[Lane]:
    """Rows 0 … N in chunks of ROWS, dealt in turn to LANES lanes, or to fewer if there are not as many chunks."""
    chunks = [slice(start, min(start + ROWS, N)) for start in range(0, max(N, 1), ROWS)]
    return [chunks[i::LANES] for i in range(min(LANES, len(chunks)))]


def _column_sums(a: Array) -> Array:
    """Σ over rows, as a product with ones: three times as fast as a.sum(axis=0)."""
    return np.ones(len(a), a.dtype) @ a
