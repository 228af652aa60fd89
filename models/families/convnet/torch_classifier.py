"""What the three ways of writing the network in torch share: loss, dropout's masks, and what figures ask for.

Legend: B batch, C channels, H height, W width, K classes.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn

from duograd.models.families.convnet.architecture import Activation, Dropout, Layer, Shape, architecture
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.weights import initial_buffers, initial_weights, masks
from duograd.models.loss import OutputLoss
from duograd.models.torch_loss import TorchLoss

Maps = dict[str, Tensor]


class TorchClassifier(nn.Module):
    """A module whose layers a style defines, and how x goes `through` each; starts at the weights of `ConvNet`."""

    def __init__(
        self, config: ConvNetConfig, loss: OutputLoss, shape: Shape, outputs: int, seed: int, dtype: DTypeLike
    ) -> None:
        super().__init__()
        self.plan = architecture(config, shape, outputs)
        self.loss = TorchLoss(loss)
        self.seed = seed
        arrays = {**initial_weights(config, shape, outputs, seed, dtype), **initial_buffers(self.plan, dtype)}
        weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self.build(config, weights)
        self.to(weights["classifier.weight"].dtype)
        with torch.no_grad():
            for name, w in self.state_dict().items():
                w.copy_(weights[name])

    def build(self, config: ConvNetConfig, weights: Mapping[str, Tensor]) -> None:
        """Makes the layers; their values come afterwards. weights: parameters and buffers, by name."""
        raise NotImplementedError

    def through(self, i: int, layer: Layer, x: Tensor) -> Tensor:
        """What layer number i, which is no dropout, makes of x."""
        raise NotImplementedError

    def logits(self, x: Tensor, masks: Sequence[Tensor] = (), maps: Maps | None = None) -> Tensor:
        """x (B, C, H, W) -> (B, K), with dropout's masks where given; what each activation gives goes into maps."""
        remaining = iter(masks)
        for i, layer in enumerate(self.plan):
            if not isinstance(layer, Dropout):
                x = self.through(i, layer, x)
            elif masks:
                x = x * next(remaining)
            if maps is not None and isinstance(layer, Activation):
                maps[layer.name] = x
        return x

    def terms(self, inputs: Tensor, targets: Tensor, step: int = 0) -> dict[str, Tensor]:
        """The loss's terms over inputs (B, C, H, W), targets (B,). In training, dropout depends on (seed, step)."""
        dropout_masks = self.masks(inputs, step) if self.training else []
        return self.loss.terms(self.logits(inputs, dropout_masks), targets, self.named_parameters())

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (B, K), without dropout."""
        return self.logits(inputs)

    def probe(self, inputs: Tensor, targets: Tensor | None = None) -> Maps:
        """What figures ask for: the activation maps (B, F, H, W) of each convolution, by its name."""
        maps: Maps = {}
        self.logits(inputs, maps=maps)
        return {name: a for name, a in maps.items() if name.startswith("conv")}

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def masks(self, inputs: Tensor, step: int) -> list[Tensor]:
        """One mask (B, …) a dropout layer, in order: those of the by-hand network."""
        dtype = np.float64 if inputs.dtype is torch.float64 else np.float32
        return [torch.as_tensor(mask).to(inputs) for mask in masks(self.plan, len(inputs), self.seed, step, dtype)]
