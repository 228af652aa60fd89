"""What a transformer is, as checked configuration."""

from typing import Literal, Self

from pydantic import Field, model_validator

from duograd.models.errors import ArchitectureError
from duograd.models.family import ModelConfig, Size
from duograd.models.layers.init import DenseInit


class TransformerConfig(ModelConfig):
    """Patches -> num_layers × [x + attention(norm(x)), x + dense layers(norm(x))] -> norm -> mean -> outputs.

    patch: time steps that make a place together; the last is filled up with zeros. hidden_size: D, features of a place,
    `heads` of which share them. feed_forward: units of the dense layer between. positions: what tells places apart,
    sines of their number, learned vectors, or nothing. dropout: of what each layer adds to x, and of the patches.
    """

    family: Literal["transformer"]
    patch: Size
    hidden_size: Size
    heads: Size
    num_layers: int = Field(ge=1, le=100)
    feed_forward: Size
    positions: Literal["sines", "learned"] | None
    dropout: float = Field(ge=0, lt=1)
    init: DenseInit

    @model_validator(mode="after")
    def _heads_share_the_features(self) -> Self:
        if self.hidden_size % self.heads:
            below = self.hidden_size - self.hidden_size % self.heads
            near = [str(n) for n in (below, below + self.heads) if n]
            raise ValueError(
                f"model.hidden_size={self.hidden_size} is not divisible by model.heads={self.heads}: use "
                f"model.hidden_size={' or '.join(near)}"
            )
        return self

    def places(self, steps: int) -> int:
        """T, how many patches so many time steps make. Raises ArchitectureError where not one is whole."""
        if self.patch > steps:
            raise ArchitectureError(
                f"model.patch={self.patch} is longer than a sequence of {steps} time steps: use at most {steps}"
            )
        return -(-steps // self.patch)
