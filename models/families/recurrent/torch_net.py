"""The recurrent classifier's torch twin: the same parameters and loss, its gradient by autograd.

Legend: B batch, T time, I input, H hidden, O outputs of a dense layer, C classes.
"""

from itertools import pairwise
from typing import cast

import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn

from duograd.models.families.recurrent.cell import find_cell
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.families.recurrent.torch_layer import Layer, State, Weights, by_step, torch_layer
from duograd.models.families.recurrent.weights import initial_weights, recurrent_weights
from duograd.models.loss import OutputLoss
from duograd.models.torch_loss import TorchLoss

PREFIX = "recurrent."
Masks = tuple[list[Tensor | None], list[Tensor | None]]


class TorchRecurrent(nn.Module):
    """Recurrent layers, dense layers on the last step's h; starts at the weights of `RecurrentNet`.

    Its named parameters are the trained ones only: see `weights` for torch's second bias, which is not.
    """

    def __init__(
        self,
        config: RecurrentConfig,
        loss: OutputLoss,
        shape: tuple[int, ...],
        outputs: int,
        seed: int,
        dtype: DTypeLike,
    ) -> None:
        super().__init__()
        arrays = initial_weights(config, shape[-1], outputs, seed, dtype)
        weights = {name: torch.from_numpy(w) for name, w in arrays.items()}
        self.config, self.seed, self.loss = config, seed, TorchLoss(loss)
        self.recurrent = nn.ParameterDict(
            [(name.removeprefix(PREFIX), w) for name, w in weights.items() if name.startswith(PREFIX)]
        )
        *hidden, classifier = [nn.Linear(*sizes) for sizes in pairwise([config.hidden_size, *config.dense, outputs])]
        self.dense, self.classifier = nn.ModuleList(hidden), classifier
        self.load_state_dict(weights, assign=True)

    def terms(self, inputs: Tensor, targets: Tensor, step: int = 0) -> dict[str, Tensor]:
        """The loss's terms over inputs (B, T, I), targets (B,). In training, dropout depends on (seed, step)."""
        B, T, _ = inputs.shape
        logits = self._logits(inputs, self.masks(B, T, step) if self.training else self._no_masks())
        return self.loss.terms(logits, targets, self.named_parameters())

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (B, C), without dropout."""
        return self._logits(inputs, self._no_masks())

    @torch.enable_grad()
    def probe(self, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """What figures ask for: how large the error is at each step, ‖dL/dh_t‖ of the last recurrent layer (T,)."""
        hs: list[Tensor] = []
        error = self.loss.error(self._logits(inputs, self._no_masks(), hs), targets)
        reached = [h for h in hs if h.requires_grad]
        norms = [g.norm() for g in torch.autograd.grad(error, reached)]
        return {"gradient_norm_by_step": torch.stack([error.new_zeros(())] * (len(hs) - len(norms)) + norms)}

    def masks(self, B: int, T: int, step: int) -> Masks:
        """Dropout's masks: between recurrent layers (B, T, H), and after dense layers (B, O)."""
        p, like = self.config.dropout, self.classifier.weight
        if not p:
            return self._no_masks()
        rng = torch.Generator(like.device).manual_seed(self.seed << 31 | step)

        def draw(shape: tuple[int, ...]) -> Tensor:
            return (torch.rand(shape, generator=rng, device=like.device) >= p).to(like.dtype) / (1 - p)

        between, after = self.config.mask_shapes(B, T)
        return [draw(shape) for shape in between], [draw(shape) for shape in after]

    def _logits(self, x: Tensor, masks: Masks, trace: list[Tensor] | None = None) -> Tensor:
        between, after = masks
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
        layers = [torch_layer(self.config) for _ in range(self.config.num_layers)]
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


def dropout(x: Tensor, mask: Tensor | None) -> Tensor:
    """x ⊙ mask; None lets everything pass."""
    return x if mask is None else x * mask


def part(mask: Tensor | None, steps: slice) -> Tensor | None:
    """A mask (B, T, H) of some steps."""
    return None if mask is None else mask[:, steps]
