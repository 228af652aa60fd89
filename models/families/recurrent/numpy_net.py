"""The recurrent network by hand: recurrent layers, dense layers on the last step's h, a loss of their outputs.

Legend: N samples, B batch, T time, I input, H hidden, O outputs of a dense layer, C outputs.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.families.recurrent.cell import find_cell
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.families.recurrent.weights import dense_names, initial_weights, recurrent_weights
from duograd.models.layers.dense import affine, hidden, keep_mask
from duograd.models.layers.recurrence import Recurrence, Watch
from duograd.models.layers.stacked import stacked
from duograd.models.layers.threads import Background, Scratch, Threads
from duograd.models.loss import OutputLoss

Grads = dict[str, Array]
Masks = tuple[list[Array | None], list[Array | None]]
ROWS = 128  # samples that are predicted at once. Part of the result.
MOST = 8  # threads that can help in that
DROPOUT = 1  # sets the masks' random numbers apart from those of the initial weights, which have the same seed


class RecurrentNet:
    """Parameters (torch's names and shapes), the loss and its gradient. Not for use by two threads at once.

    shape: of a sample, (T, I). outputs: C, how many values the network says of it.
    threads: None takes the machine's cores; the result does not depend on it.
    """

    def __init__(
        self,
        config: RecurrentConfig,
        loss: OutputLoss,
        shape: tuple[int, ...],
        outputs: int,
        seed: int,
        dtype: DTypeLike = np.float32,
        threads: int | None = None,
    ) -> None:
        self.config = config
        self.loss = loss
        self.params = initial_weights(config, shape[-1], outputs, seed, dtype)
        self.buffers: dict[str, Array] = {}  # nothing is carried along
        self.seed = seed
        self.dtype = np.dtype(dtype)
        self.threads = Threads(threads, MOST)
        self.layers = self._new_layers(Background(self.threads.count > 1))
        self._scratch = Scratch(lambda: self._new_layers(Background(thread=False)))

    def loss_and_grad(self, inputs: Array, targets: Array, step: int = 0) -> tuple[dict[str, float], Grads]:
        """The loss's terms over inputs (B, T, I), targets (B,), and its gradient. Dropout depends on (seed, step)."""
        B, T, _ = inputs.shape
        return self._loss_and_grad(inputs, targets, self.masks(B, T, step))

    def evaluate(self, inputs: Array, targets: Array) -> dict[str, float]:
        """The loss's terms over inputs (N, T, I), targets (N,), without dropout."""
        return self.loss.evaluate(self.predict(inputs), targets, self.params)

    def predict(self, inputs: Array) -> Array:
        """Logits (N, C)."""
        chunks = [inputs[start : start + ROWS] for start in range(0, max(1, len(inputs)), ROWS)]
        with self.threads.single_blas_thread():
            return np.concatenate(self.threads.map(self._predict_chunk, chunks))

    def probe(self, inputs: Array, targets: Array) -> dict[str, Array]:
        """What figures ask for: how large the error is at each step, ‖dL/dh_t‖ of the last recurrent layer (T,)."""
        norms = np.zeros(inputs.shape[1])

        def watch(t: int, dh: Array) -> None:
            norms[t] = np.linalg.norm(dh)

        self._loss_and_grad(inputs, targets, self._no_masks(), watch)
        return {"gradient_norm_by_step": norms}

    def masks(self, B: int, T: int, step: int) -> Masks:
        """Dropout's masks: between recurrent layers (B, T, H), and after dense layers (B, O)."""
        if not self.config.dropout:
            return self._no_masks()
        rng = np.random.default_rng((self.seed, step, DROPOUT))
        between, after = self.config.mask_shapes(B, T)
        draw = partial(keep_mask, rng, p=self.config.dropout, dtype=self.dtype)
        return [draw(shape) for shape in between], [draw(shape) for shape in after]

    # -- forward and backward ----------------------------------------------------------------------------------------

    def _loss_and_grad(
        self, inputs: Array, targets: Array, masks: Masks, watch: Watch | None = None
    ) -> tuple[dict[str, float], Grads]:
        with self.threads.single_blas_thread():
            h, recurrent_backward = stacked(self.layers, self._recurrent_weights(), inputs, masks[0])
            logits, dense_backward = self._dense(h, masks[1])
            error, error_backward = self.loss.error(logits, targets)
            dh, grads = dense_backward(error_backward())
            for l, layer_grads in enumerate(recurrent_backward(dh, self.config.truncate, watch)):
                grads |= {f"recurrent.{key}_l{l}": g for key, g in layer_grads.items()}
        return self.loss.penalised(logits, targets, error, self.params, grads), grads

    def _dense(self, h: Array, masks: Sequence[Array | None]) -> tuple[Array, Callable[[Array], tuple[Array, Grads]]]:
        """Logits: h (B, H) -> (B, C), backward(dlogits) -> dh, gradients by name."""
        names = list(dense_names(self.config))
        weights = [(self.params[f"{name}.weight"], self.params[f"{name}.bias"]) for name in names]
        backs = []
        for (W, b), mask in zip(weights, masks, strict=False):
            h, back = hidden(h, W, b, mask)
            backs.append(back)
        logits, back = affine(h, *weights[-1])
        backs.append(back)

        def backward(d: Array) -> tuple[Array, Grads]:
            grads: Grads = {}
            for name, back in zip(reversed(names), reversed(backs), strict=True):
                d, layer = back(d)
                grads |= {f"{name}.{key}": g for key, g in layer.items()}
            return d, grads

        return logits, backward

    # -- layers ------------------------------------------------------------------------------------------------------

    def _new_layers(self, background: Background) -> list[Recurrence]:
        """Recurrent layers with buffers of their own."""
        c = self.config
        layer = find_cell(c.cell).layer(c)
        return [layer(c.hidden_size, self.dtype, background) for _ in range(c.num_layers)]

    def _predict_chunk(self, x: Array) -> Array:
        """Logits of a few samples (n, C)."""
        between, after = self._no_masks()
        with self._scratch.borrow() as layers:
            h, _ = stacked(layers, self._recurrent_weights(), x, between, keep=False)
            return self._dense(h, after)[0]

    def _recurrent_weights(self) -> list[dict[str, Array]]:
        return [recurrent_weights(self.params, l) for l in range(self.config.num_layers)]

    def _no_masks(self) -> Masks:
        return [None] * (self.config.num_layers - 1), [None] * len(self.config.dense)
