"""A configuration as the list of its layers: what every way of building the network walks along.

Legend: C channels, H height, W width, F filters, D features, I inputs, O outputs.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from duograd.models.errors import ArchitectureError
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.layers.sliding import slide

Shape = tuple[int, ...]
"""Of one sample: (C, H, W), or (D,) once it is flat."""


class Conv(NamedTuple):
    """Square filters (F, C, kernel, kernel)."""

    name: str
    inputs: int
    filters: int
    kernel: int
    stride: int
    padding: int
    bias: bool


class Norm(NamedTuple):
    """kind: batch, layer or group; layer is one group of all features. Scale and shift (D,).

    spatial: of images (D, H, W), not of (D,). values: H W of each feature of a sample, or 1.
    """

    name: str
    kind: str
    features: int
    groups: int
    spatial: bool
    values: int


class Activation(NamedTuple):
    name: str  # of the map that it gives, such as conv0
    kind: str


class Dropout(NamedTuple):
    """shape: of a mask, for one sample."""

    p: float
    shape: Shape


class Pool(NamedTuple):
    kind: str
    size: int
    stride: int


class GlobalPool(NamedTuple):
    """(C, H, W) -> (C,)."""


class Flatten(NamedTuple):
    """(C, H, W) -> (C H W,)."""


class Affine(NamedTuple):
    name: str
    inputs: int
    outputs: int
    bias: bool


Layer = Conv | Norm | Activation | Dropout | Pool | GlobalPool | Flatten | Affine


def architecture(config: ConvNetConfig, image: Shape, classes: int) -> list[Layer]:
    """The layers that take images (C, H, W) to logits (classes,). Raises ArchitectureError where one has no room."""
    layers, shape = _convolutions(config, image)
    layers.append(GlobalPool() if config.global_pool else Flatten())
    features = shape[0] if config.global_pool else math.prod(shape)
    for i, outputs in enumerate(config.dense):
        layers += _dense(config, i, features, outputs)
        features = outputs
    return [*layers, Affine("classifier", features, classes, config.bias)]


def fault_alone(config: ConvNetConfig, image: Shape) -> str | None:
    """Why a batch of one image teaches nothing: a batch norm has one value a feature, and no variance; None else."""
    for layer in architecture(config, image, classes=1):
        if isinstance(layer, Norm) and layer.kind == "batch" and layer.values == 1:
            return f"model.{'norm' if layer.spatial else 'dense_norm'}=batch needs a variance"
    return None


def _convolutions(config: ConvNetConfig, shape: Shape) -> tuple[list[Layer], Shape]:
    layers: list[Layer] = []
    for i in range(len(config.channels)):
        conv = _conv(config, i, shape)
        after = convolved(shape, conv)
        layers += _surrounded(config, conv, shape, after)
        shape = after
        if config.pool and (i + 1) % config.pool_every == 0:
            pool = Pool(config.pool, config.pool_size, config.pool_stride or config.pool_size)
            layers.append(pool)
            shape = pooled(shape, pool, conv.name)
    return layers, shape


def _conv(config: ConvNetConfig, i: int, shape: Shape) -> Conv:
    kernel, stride, padding = (config.of_convolution(key, i) for key in ("kernels", "strides", "padding"))
    return Conv(f"conv{i}", shape[0], config.channels[i], kernel, stride, padding, config.bias)


def _surrounded(config: ConvNetConfig, conv: Conv, before: Shape, after: Shape) -> Iterator[Layer]:
    """A convolution with its norm, activation and dropout, on the side that the configuration says."""
    shape = before if config.preactivation else after
    index = conv.name.removeprefix("conv")
    norm = _norm(f"norm{index}", config.norm, shape, config.groups)
    around: list[Layer] = [*norm, Activation(conv.name, config.activation)]
    yield from [*around, conv] if config.preactivation else [conv, *around]
    if config.dropout:
        yield Dropout(config.dropout, after)


def _dense(config: ConvNetConfig, i: int, inputs: int, outputs: int) -> Iterator[Layer]:
    yield Affine(f"dense{i}", inputs, outputs, config.bias)
    yield from _norm(f"dense_norm{i}", config.dense_norm, (outputs,), None)
    yield Activation(f"dense{i}", config.activation)
    if config.dense_dropout:
        yield Dropout(config.dense_dropout, (outputs,))


def _norm(name: str, kind: str | None, shape: Shape, groups: int | None) -> Iterator[Norm]:
    if kind is None:
        return
    features, *sides = shape
    if features % (groups or 1):
        raise ArchitectureError(
            f"model.groups={groups} does not divide the {features} channels that {name} normalises: choose a divisor"
        )
    yield Norm(name, kind, features, groups or 1, spatial=bool(sides), values=math.prod(sides))


def convolved(shape: Shape, conv: Conv) -> Shape:
    """The shape after a convolution; sizes that the stride does not divide round down, as in torch."""
    _, height, width = shape
    padded = [side + 2 * conv.padding for side in (height, width)]
    if conv.kernel > min(padded):
        raise ArchitectureError(
            f"the {conv.kernel} × {conv.kernel} kernel of {conv.name} is larger than its padded input, "
            f"{padded[0]} × {padded[1]}: use smaller model.kernels, larger model.padding or fewer pools"
        )
    return conv.filters, *slide("kernel", (height, width), conv.kernel, conv.stride, conv.padding).positions


def pooled(shape: Shape, pool: Pool, after: str) -> Shape:
    """The shape after a pool; what is left over at the border is left out, as in torch."""
    channels, height, width = shape
    if pool.size > min(height, width):
        raise ArchitectureError(
            f"the pool after {after} has windows of {pool.size} × {pool.size}, larger than its input, "
            f"{height} × {width}: use a smaller model.pool_size, or a larger model.pool_every"
        )
    return channels, *slide("pooling window", (height, width), pool.size, pool.stride).positions
