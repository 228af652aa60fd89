"""The recurrent classifier's torch twin: the same parameters and loss, its gradient by autograd.

Legend: B batch, T time, I input, H hidden, O outputs of a dense layer, C classes.
"""

from itertools import pairwise
from typing import Any, cast

import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn

from duograd.models.arrays import Array
from duograd.models.families.recurrent.cell import find_cell
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.families.recurrent.torch_layer import Layer, State, Weights, by_step, torch_layer
from duograd.models.families.recurrent.weights import initial_weights, recurrent_weights
from duograd.models.torch_net import TorchNet, dropout

PREFIX = "recurrent."
Masks = tuple[list[Tensor | None], list[Tensor | None]]


class TorchRecurrent(TorchNet[RecurrentConfig]):
    """The twin of `RecurrentNet`.

    Its named parameters are the trained ones only: see `weights` for torch's second bias, which is not.
    """

    def build(self, shape: tuple[int, ...], outputs: int, dtype: DTypeLike) -> dict[str, Array]:
        """See TorchNet."""
        config = self.config
        weights = initial_weights(config, shape[-1], outputs, self.seed, dtype)
        self.recurrent = nn.ParameterDict(
            [(name.removeprefix(PREFIX), torch.tensor(w)) for name, w in weights.items() if name.startswith(PREFIX)]
        )
        *hidden, classifier = [nn.Linear(*sizes) for sizes in pairwise([config.hidden_size, *config.dense, outputs])]
        self.dense, self.classifier = nn.ModuleList(hidden), classifier
        return weights

    @torch.enable_grad()
    def probe(self, inputs: Tensor, targets: Any = None) -> dict[str, Tensor]:
        """What figures ask for: how large the error is at each step, ‖dL/dh_t‖ of the last recurrent layer (T,)."""
        hs: list[Tensor] = []
        error = self.loss.error(self.outputs(inputs, trace=hs), targets)
        reached = [h for h in hs if h.requires_grad]
        norms = [g.norm() for g in torch.autograd.grad(error, reached)]
        return {"gradient_norm_by_step": torch.stack([error.new_zeros(())] * (len(hs) - len(norms)) + norms)}

    def masks(self, inputs: Tensor, step: int) -> Masks:
        """Between recurrent layers (B, T, H), and after dense layers (B, O); drawn by torch, where the inputs are."""
        p, like = self.config.dropout, self.classifier.weight
        if not p:
            return self._no_masks()
        rng = torch.Generator(like.device).manual_seed(self.seed << 31 | step)

        def draw(shape: tuple[int, ...]) -> Tensor:
            return (torch.rand(shape, generator=rng, device=like.device) >= p).to(like.dtype) / (1 - p)

        between, after = self.config.mask_shapes(*inputs.shape[:2])
        return [draw(shape) for shape in between], [draw(shape) for shape in after]

    def outputs(self, x: Tensor, masks: Masks | None = None, trace: list[Tensor] | None = None) -> Tensor:
        """See TorchNet; h of every step of the last layer goes into the trace."""
        between, after = masks or self._no_masks()
        h = self._recurrent(x, between, trace)
        for layer, mask in zip(self.dense, after, strict=True):
            h = dropout(torch.relu(layer(h)), mask)
        return cast(Tensor, self.classifier(h))

    def _recurrent(self, x: Tensor, masks: list[Tensor | None], trace: list[Tensor] | None) -> Tensor:
        """The last layer's h after the last step (B, H). Steps before the last `truncate` give no gradient."""
        B, T, _ = x.shape
        layers = self._layers(trace)
        zeros = x.new_zeros(B, self.config.hidden_size)
        states: list[State] = [(zeros,) * find_cell(self.config.cell).states] * len(layers)
        first = max(0, T - self.config.truncate) if self.config.truncate else 0
        if first:
            with torch.no_grad():
                _, states = self._stacked(layers, x[:, :first], states, [part(m, slice(first)) for m in masks])
        h, _ = self._stacked(layers, x[:, first:], states, [part(m, slice(first, T)) for m in masks])
        return h[:, -1]

    def _layers(self, trace: list[Tensor] | None) -> list[Layer]:
        layer = by_step if self.unfused else torch_layer
        layers = [layer(self.config) for _ in range(self.config.num_layers)]
        return layers if trace is None else [*layers[:-1], by_step(self.config, trace)]

    def _stacked(
        self, layers: list[Layer], h: Tensor, states: list[State], masks: list[Tensor | None]
    ) -> tuple[Tensor, list[State]]:
        """h of every step of the last layer (B, T, H), and every layer's state after the last step."""
        after = []
        weights: list[Weights] = [recurrent_weights(dict(self.named_parameters()), l) for l in range(len(layers))]
        for layer, w, state, mask in zip(layers, weights, states, [None, *masks], strict=True):
            h, state = layer(dropout(h, mask), state, w)
            after.append(state)
        return h, after

    def _no_masks(self) -> Masks:
        return [None] * (self.config.num_layers - 1), [None] * len(self.config.dense)


def part(mask: Tensor | None, steps: slice) -> Tensor | None:
    """A mask (B, T, H) of some steps."""
    return None if mask is None else mask[:, steps]
