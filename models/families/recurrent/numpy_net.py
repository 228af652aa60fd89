"""The recurrent network by hand: recurrent layers, dense layers on the last step's h, a loss of their outputs.

Legend: B batch, T time, I input, H hidden, O outputs of a dense layer, C outputs.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from duograd.models.arrays import Array
from duograd.models.families.recurrent.cell import find_cell
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.families.recurrent.weights import dense_names, initial_weights, recurrent_weights
from duograd.models.layers.dense import affine, hidden, keep_mask
from duograd.models.layers.layer import Back, Grads, chain, named
from duograd.models.layers.recurrence import Recurrence, Watch
from duograd.models.layers.stacked import stacked
from duograd.models.layers.threads import Background, Scratch
from duograd.models.net import Net

Masks = tuple[list[Array | None], list[Array | None]]
ROWS = 128  # samples that are predicted at once. Part of the result.
MOST = 8  # threads that can help in that
DROPOUT = 1  # sets the masks' random numbers apart from those of the initial weights, which have the same seed


class RecurrentNet(Net[RecurrentConfig]):
    """Recurrent and dense layers; shape (T, I)."""

    most, rows, by_samples = MOST, ROWS, True

    def build(self, shape: tuple[int, ...], outputs: int) -> None:
        """See Net."""
        self.params = initial_weights(self.config, shape[-1], outputs, self.seed, self.dtype)
        self.layers = self._new_layers(Background(self.threads.count > 1))
        self._scratch = Scratch(lambda: self._new_layers(Background(thread=False)))

    def forward(self, x: Array, step: int) -> tuple[Array, Back]:
        """See Net."""
        return self._forward(x, self.masks(len(x), x.shape[1], step))

    def outputs(self, x: Array) -> Array:
        """See Net."""
        between, after = self._no_masks()
        with self._scratch.borrow() as layers:
            h, _ = stacked(layers, self._recurrent_weights(), x, between, keep=False)
            return self._dense(h, after)[0]

    def probe(self, inputs: Array, targets: Any = None) -> dict[str, Array]:
        """What figures ask for: how large the error is at each step, ‖dL/dh_t‖ of the last recurrent layer (T,)."""
        norms = np.zeros(inputs.shape[1])

        def watch(t: int, dh: Array) -> None:
            norms[t] = np.linalg.norm(dh)

        with self.threads.single_blas_thread():
            outputs, backward = self._forward(inputs, self._no_masks(), watch)
            backward(self.loss.error(outputs, targets)[1]())
        return {"gradient_norm_by_step": norms}

    def masks(self, B: int, T: int, step: int) -> Masks:
        """Dropout's masks: between recurrent layers (B, T, H), and after dense layers (B, O)."""
        if not self.config.dropout:
            return self._no_masks()
        rng = np.random.default_rng((self.seed, step, DROPOUT))
        between, after = self.config.mask_shapes(B, T)
        draw = partial(keep_mask, rng, p=self.config.dropout, dtype=self.dtype)
        return [draw(shape) for shape in between], [draw(shape) for shape in after]

    def _forward(self, x: Array, masks: Masks, watch: Watch | None = None) -> tuple[Array, Back]:
        h, recurrent_backward = stacked(self.layers, self._recurrent_weights(), x, masks[0])
        outputs, dense_backward = self._dense(h, masks[1])

        def backward(d: Array) -> tuple[None, Grads]:
            dh, grads = dense_backward(d)
            assert dh is not None
            for l, of_layer in enumerate(recurrent_backward(dh, self.config.truncate, watch)):
                grads |= {f"recurrent.{key}_l{l}": g for key, g in of_layer.items()}
            return None, grads

        return outputs, backward

    def _dense(self, h: Array, masks: Sequence[Array | None]) -> tuple[Array, Back]:
        """The dense layers: h (B, H) -> outputs (B, C), backward."""
        *inner, (name, W, b) = (
            (name, self.params[f"{name}.weight"], self.params[f"{name}.bias"]) for name in dense_names(self.config)
        )
        layers = [named(n, partial(hidden, W=W, b=b, mask=mask)) for (n, W, b), mask in zip(inner, masks, strict=True)]
        return chain([*layers, named(name, partial(affine, W=W, b=b))])(h)

    def _new_layers(self, background: Background) -> list[Recurrence]:
        """Recurrent layers with buffers of their own."""
        c = self.config
        layer = find_cell(c.cell).layer(c)
        return [layer(c.hidden_size, self.dtype, background) for _ in range(c.num_layers)]

    def _recurrent_weights(self) -> list[dict[str, Array]]:
        return [recurrent_weights(self.params, l) for l in range(self.config.num_layers)]

    def _no_masks(self) -> Masks:
        return [None] * (self.config.num_layers - 1), [None] * len(self.config.dense)
