"""What an image classifier can be: every model composes, and what cannot be built is said in one line."""

import numpy as np
import pytest
from convnet_builders import MODEL, convnet_config, model_tree
from omegaconf import OmegaConf
from pydantic import ValidationError

from duograd.models.errors import ArchitectureError
from duograd.models.families.convnet.architecture import (
    Activation,
    Conv,
    Dropout,
    Norm,
    Pool,
    architecture,
    fault_alone,
)
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.weights import initial_weights

MODELS = sorted(path.stem for path in MODEL.glob("*.yaml") if model_tree(path.stem)["family"] == "convnet")
IMAGE = (3, 32, 32)


@pytest.mark.parametrize("name", MODELS)
def test_each_model_says_all_keys(name):
    tree = OmegaConf.to_container(model_tree(name))
    assert tree.keys() == ConvNetConfig.model_fields.keys()
    assert ConvNetConfig(**tree).name == name
    assert architecture(convnet_config(name), IMAGE, 10)[-1].outputs == 10


def kinds(name, **changes):
    return [type(layer).__name__ for layer in architecture(convnet_config(name, **changes), IMAGE, 10)]


def test_the_reports_networks():
    assert kinds("three_layer_convnet") == ["Conv", "Activation", "Pool", "Flatten", "Affine", "Activation", "Affine"]
    assert kinds("two_layer_fc") == ["Flatten", "Affine", "Activation", "Affine"]
    assert kinds("convnet_5x5_3x3") == ["Conv", "Activation", "Conv", "Activation", "Flatten", "Affine"]
    assert kinds("challenge") == 3 * ["Conv", "Norm", "Activation", "Pool"] + ["Flatten", "Affine"]
    block = ["Conv", "Norm", "Activation", "Dropout", "Pool"]
    assert kinds("challenge_dropout") == 3 * block + ["Flatten", "Affine", "Activation", "Affine"]
    double = ["Conv", "Activation", "Conv", "Activation", "Pool"]
    assert kinds("conv_conv_pool") == 2 * double + ["Flatten", "Affine", "Activation", "Affine"]
    assert kinds("preactivation") == 3 * ["Norm", "Activation", "Conv", "Pool"] + ["GlobalPool", "Affine"]


def test_an_architecture_with_its_shapes():
    """With an even kernel that takes a pixel away, and a pool that leaves one out."""
    config = convnet_config(kernels=[5, 2], strides=[2, 1], dropout=0.5, pool_every=1)
    assert architecture(config, (3, 14, 17), 4)[:9] == [
        Conv("conv0", 3, 4, 5, 2, 2, True),
        Norm("norm0", "batch", 4, 1, True, 63),
        Activation("conv0", "relu"),
        Dropout(0.5, (4, 7, 9)),
        Pool("max", 2, 2),
        Conv("conv1", 4, 6, 2, 1, 0, True),
        Norm("norm1", "batch", 6, 1, True, 6),
        Activation("conv1", "relu"),
        Dropout(0.5, (6, 2, 3)),
    ]


@pytest.mark.parametrize(
    ("changes", "side", "fault"),
    [
        ({}, 8, None),
        ({}, 3, "model.norm=batch needs a variance"),  # strides of 2 leave one pixel to the second norm
        ({"norm": "layer"}, 3, None),
        ({"norm": None, "dense": [4], "dense_norm": "batch"}, 8, "model.dense_norm=batch needs a variance"),
    ],
)
def test_one_image_has_no_variance_where_each_feature_is_one_value(changes, side, fault):
    keys = {"kernels": [3, 1], "padding": [1, 0], "strides": [2], "pool": None}
    assert fault_alone(convnet_config(**{**keys, **changes}), (3, side, side)) == fault


FAULTS = {
    "too many kernels": (
        {"kernels": [3, 3, 3]},
        r"model.kernels=\[3, 3, 3\] has 3 values: give one for all convolutions",
    ),
    "groups": (
        {"norm": "group", "groups": 4},
        r"model.groups=4 does not divide the 6 channels of model.channels=\[4, 6\]",
    ),
    "no groups": ({"norm": "group"}, r"model.norm=group needs groups, such as model.groups=2"),
    "groups of what": ({"groups": 2}, r"model.norm=batch takes no groups: use model.groups=null"),
    "no scale": ({"init": "normal"}, r"model.init=normal needs a scale, such as model.weight_scale=0.01"),
    "scale of what": ({"weight_scale": 0.1}, r"model.init=torch takes no scale: use model.weight_scale=null"),
    "nothing to pool": ({"channels": [], "global_pool": True}, r"model.global_pool=true needs convolutions"),
    "nothing to norm": ({"dense_norm": "batch"}, r"model.dense_norm=batch has no place without dense layers"),
    "nothing to drop": ({"dense_dropout": 0.1}, r"model.dense_dropout=0.1 has no place without dense layers"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_go_together_is_named(fault):
    changes, message = FAULTS[fault]
    with pytest.raises(ValidationError, match=message):
        convnet_config(**changes)


NO_ROOM = {
    "kernel": (
        {"kernels": [3, 9], "padding": [0]},
        r"the 9 × 9 kernel of conv1 is larger than its padded input, 3 × 3: use smaller model.kernels, "
        r"larger model.padding or fewer pools",
    ),
    "pool": (
        {"pool_size": 9},
        r"the pool after conv0 has windows of 9 × 9, larger than its input, 8 × 8: use a smaller model.pool_size",
    ),
    "groups": (
        {"norm": "group", "groups": 2, "preactivation": True},
        r"model.groups=2 does not divide the 3 channels that norm0 normalises",
    ),
}


@pytest.mark.parametrize("fault", NO_ROOM)
def test_what_has_no_room_is_named(fault):
    changes, message = NO_ROOM[fault]
    with pytest.raises(ArchitectureError, match=message):
        architecture(convnet_config(**changes), (3, 8, 8), 10)


@pytest.mark.parametrize(
    ("init", "std"),
    [
        ("kaiming_normal", (2 / 50) ** 0.5),
        ("kaiming_uniform", (2 / 50) ** 0.5),
        ("xavier_normal", (2 / (50 + 400)) ** 0.5),
        ("xavier_uniform", (2 / (50 + 400)) ** 0.5),
        ("torch", (1 / 150) ** 0.5),
        ("normal", 0.25),
    ],
)
def test_initial_weights_have_the_spread_that_their_name_says(init, std):
    """A convolution's fans count its kernel's pixels: 2 · 25 inputs, 16 · 25 outputs."""
    scale = 0.25 if init == "normal" else None
    config = convnet_config(channels=[16], kernels=[5], init=init, weight_scale=scale)
    drawn = np.concatenate(
        [initial_weights(config, (2, 8, 8), 3, s, "float64")["conv0.weight"].ravel() for s in range(20)]
    )
    assert drawn.std() == pytest.approx(std, rel=0.02)  # 16000 draws
    bias = initial_weights(config, (2, 8, 8), 3, 0, "float64")["conv0.bias"]
    assert bias.any() == (init == "torch")


def test_one_global_average():
    assert kinds("convnet", global_pool=True)[-2:] == ["GlobalPool", "Affine"]
    assert architecture(convnet_config(global_pool=True), IMAGE, 10)[-1].inputs == 6
