"""What an image classifier is, as checked configuration."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from duograd.models.family import ModelConfig, Size

Side = Annotated[int, Field(ge=1, le=1024)]
Padding = Annotated[int, Field(ge=0, le=1024)]
Init = Literal["normal", "kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform", "torch"]
PER_CONVOLUTION = ("kernels", "strides", "padding")


class ConvNetConfig(ModelConfig):
    """[convolution - norm - activation - dropout - pool] × N -> [dense - norm - activation - dropout] × M -> logits.

    channels: of each convolution; none gives a network of dense layers alone.
    kernels, strides, padding: one a convolution, or one for all; padding=null is (kernel - 1) // 2, which keeps the
    size of the image where the kernel is odd and the stride 1.
    preactivation: norm and activation come before each convolution instead of after it (He et al. 2016).
    pool_every: a pool after each such number of convolutions; pool_stride=null is pool_size: windows that tile.
    global_pool: the average of each channel, instead of all its pixels, goes to the dense layers.
    norm_momentum: how much of a running average each batch replaces (torch's word; the report's 0.9 is 1 - 0.1).
    init: how weights are drawn, biases being zero; torch: its own default, biases too. weight_scale: the standard
    deviation of init=normal. style: how the torch twin is written; the numbers are the same.
    """

    family: Literal["convnet"]
    channels: list[Size]
    kernels: list[Side]
    strides: list[Side]
    padding: list[Padding] | None
    preactivation: bool
    activation: Literal["relu", "leaky_relu", "sigmoid", "tanh"]
    norm: Literal["batch", "layer", "group"] | None
    groups: int | None = Field(ge=1)
    norm_momentum: float = Field(gt=0, le=1)
    dropout: float = Field(ge=0, lt=1)
    pool: Literal["max", "average"] | None
    pool_size: Side
    pool_stride: Side | None
    pool_every: int = Field(ge=1)
    global_pool: bool
    dense: list[Size]
    dense_norm: Literal["batch", "layer"] | None
    dense_dropout: float = Field(ge=0, lt=1)
    bias: bool
    init: Init
    weight_scale: float | None = Field(gt=0)
    style: Literal["barebones", "module", "sequential"]

    @model_validator(mode="after")
    def _one_for_all_or_one_each(self) -> Self:
        for key in PER_CONVOLUTION:
            values = getattr(self, key)
            if values is not None and len(values) not in (1, len(self.channels)):
                count = len(self.channels)
                raise ValueError(
                    f"model.{key}={values} has {len(values)} values: give one for all convolutions, or one for each "
                    f"of the {count} in model.channels={self.channels}"
                )
        return self

    @model_validator(mode="after")
    def _groups_divide_channels(self) -> Self:
        if (self.norm == "group") != (self.groups is not None):
            need = (
                "needs groups, such as model.groups=2"
                if self.norm == "group"
                else "takes no groups: use model.groups=null"
            )
            raise ValueError(f"model.norm={self.norm or 'null'} {need}")
        for channels in self.channels if self.groups else ():
            if channels % (self.groups or 1):
                raise ValueError(
                    f"model.groups={self.groups} does not divide the {channels} channels of model.channels="
                    f"{self.channels}: choose a divisor"
                )
        return self

    @model_validator(mode="after")
    def _what_has_no_place(self) -> Self:
        if (self.init == "normal") != (self.weight_scale is not None):
            need = (
                "needs a scale, such as model.weight_scale=0.01"
                if self.init == "normal"
                else "takes no scale: use model.weight_scale=null"
            )
            raise ValueError(f"model.init={self.init} {need}")
        if not self.channels and self.global_pool:
            raise ValueError("model.global_pool=true needs convolutions, such as model.channels=[16,32]")
        if not self.dense and (self.dense_norm or self.dense_dropout):
            key = "dense_norm" if self.dense_norm else "dense_dropout"
            raise ValueError(
                f"model.{key}={getattr(self, key)} has no place without dense layers, such as model.dense=[128]"
            )
        return self

    def of_convolution(self, key: str, index: int) -> int:
        """The kernel, stride or padding of a convolution."""
        values: list[int] | None = getattr(self, key)
        if values is None:
            return (self.of_convolution("kernels", index) - 1) // 2
        return values[index if len(values) > 1 else 0]
