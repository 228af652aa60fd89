"""What the three ways of writing the network in torch share: loss, dropout's masks, and what figures ask for.

Legend: B batch, C channels, H height, W width, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import DTypeLike
from torch import Tensor

from duograd.models.arrays import Array
from duograd.models.families.convnet.architecture import Activation, Dropout, Layer, Shape, architecture
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.weights import initial_buffers, initial_weights, masks
from duograd.models.torch_net import TorchNet

Maps = dict[str, Tensor]


class TorchClassifier(TorchNet[ConvNetConfig]):
    """The twin of `ConvNet`: a style says of what its layers are made, and how x goes `through` each."""

    def build(self, shape: Shape, outputs: int, dtype: DTypeLike) -> dict[str, Array]:
        """See TorchNet."""
        self.plan = architecture(self.config, shape, outputs)
        weights = initial_weights(self.config, shape, outputs, self.seed, dtype) | initial_buffers(self.plan, dtype)
        self.add_layers(weights)
        return weights

    def add_layers(self, weights: Mapping[str, Array]) -> None:
        """Makes the layers; their values come afterwards. weights: parameters and buffers, by name."""
        raise NotImplementedError

    def through(self, i: int, layer: Layer, x: Tensor) -> Tensor:
        """What layer number i, which is no dropout, makes of x."""
        raise NotImplementedError

    def outputs(self, x: Tensor, masks: Sequence[Tensor] | None = None, maps: Maps | None = None) -> Tensor:
        """See TorchNet; what each activation gives goes into the maps."""
        remaining = iter(masks or ())
        for i, layer in enumerate(self.plan):
            if not isinstance(layer, Dropout):
                x = self.through(i, layer, x)
            elif masks:
                x = x * next(remaining)
            if maps is not None and isinstance(layer, Activation):
                maps[layer.name] = x
        return x

    def probe(self, inputs: Tensor, targets: Any = None) -> Maps:
        """What figures ask for: the activation maps (B, F, H, W) of each convolution, by its name."""
        maps: Maps = {}
        self.outputs(inputs, maps=maps)
        return {name: a for name, a in maps.items() if name.startswith("conv")}

    def draw(self, B: int, step: int, dtype: DTypeLike) -> list[Array]:
        """One mask (B, …) a dropout layer, in order."""
        return masks(self.plan, B, self.seed, step, dtype)
