"""Recurrent classifiers as configuration: the variants' YAML, impossible combinations, and initial weights."""

import math
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from pydantic import ValidationError
from recurrent_builders import CELLS, CLASSES, HIDDEN, INPUTS, cross_entropy_loss, recurrent_config

from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.families.recurrent.weights import initial_weights
from duograd.models.layers.init import orthogonal
from duograd.models.losses.cross_entropy import CrossEntropyConfig

CONF = Path(__file__).parents[1] / "conf"
REPORT = {
    "rnn": ("rnn", []),
    "rnn_dense1": ("rnn", [64]),
    "rnn_dense2": ("rnn", [64, 32]),
    "rnn_dense4": ("rnn", [64, 32, 16, 8]),
    "lstm": ("lstm", []),
    "lstm_dense1": ("lstm", [64]),
    "gru": ("gru", []),
    "gru_dense1": ("gru", [64]),
}


def variant(name):
    """A model's YAML with those it starts from."""
    tree = OmegaConf.load(CONF / "model" / f"{name}.yaml")
    base = [variant(parent) for parent in tree.pop("defaults", [])]
    return OmegaConf.merge(*base, tree)


@pytest.mark.parametrize("name", REPORT)
def test_the_reports_variants(name):
    """They differ in YAML only, and each says all keys."""
    tree = OmegaConf.to_container(variant(name))
    config = RecurrentConfig(**tree)
    assert tree.keys() == RecurrentConfig.model_fields.keys()
    assert (config.name, config.cell, config.dense) == (name, *REPORT[name])
    assert (config.hidden_size, config.num_layers, config.init, config.dropout) == (128, 1, "report", 0)
    assert not config.reset_after


def test_the_loss_says_all_keys():
    tree = OmegaConf.to_container(OmegaConf.load(CONF / "loss" / "cross_entropy.yaml"))
    assert CrossEntropyConfig(**tree) == cross_entropy_loss()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nonlinearity": "relu"}, "nonlinearity=relu is for cell=rnn: use null with cell=lstm"),
        ({"reset_after": False}, "reset_after=false is for cell=gru: use null with cell=lstm"),
        (
            {"cell": "gru", "reset_after": True, "forget_bias": 1.0},
            "forget_bias=1.0 is for cell=lstm: use null with cell=gru",
        ),
        ({"cell": "rnn"}, "nonlinearity=null does not go with cell=rnn: use tanh or relu"),
        ({"cell": "gru"}, "reset_after=null does not go with cell=gru: use true or false"),
        ({"dropout": 0.5}, "dropout=0.5 has no place: it needs model.dense=[64], say, or model.num_layers=2"),
        ({"dense": [0]}, "greater than or equal to 1"),
        ({"truncate": 0}, "greater than or equal to 1"),
        ({"hidden_sise": 3}, "Extra inputs are not permitted"),
    ],
)
def test_impossible_combinations_are_named(changes, message):
    with pytest.raises(ValidationError) as caught:
        recurrent_config(**changes)
    assert message in caught.value.errors()[0]["msg"]
    assert "\n" not in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "loss", [{"lambda": -1.0}, {"label_smoothing": 1.0}, {"class_weights": [-1.0]}, {"class_weights": "even"}]
)
def test_impossible_losses_are_refused(loss):
    with pytest.raises(ValidationError):
        cross_entropy_loss(**loss)


def drawn(input_size=3, hidden_size=128, **changes):
    return initial_weights(recurrent_config(hidden_size=hidden_size, **changes), input_size, 6, 0, "float64")


def reach(w):
    return np.abs(w).max()


@pytest.mark.parametrize("cell", CELLS)
def test_the_reports_ranges(cell):
    """Weights and biases alike, each within its own layer's range, and filling it."""
    w = drawn(dense=[64], **CELLS[cell])
    x, h = math.sqrt(6 / (3 + 128)), math.sqrt(6 / 256)
    limits = {
        "recurrent.weight_ih_l0": x,
        "recurrent.weight_hh_l0": x if cell == "lstm" else h,
        "recurrent.bias_ih_l0": x,
        "recurrent.bias_hn_l0": h,
        "dense.0.weight": math.sqrt(6 / (128 + 64)),
        "dense.0.bias": math.sqrt(6 / (128 + 64)),
        "classifier.weight": math.sqrt(6 / (64 + 6)),
        "classifier.bias": math.sqrt(6 / (64 + 6)),
    }
    assert w.keys() == limits.keys() - (set() if cell == "gru, reset after" else {"recurrent.bias_hn_l0"})
    for name, array in w.items():
        fills = 0.3 if array.size < 10 else 0.9
        assert fills * limits[name] < reach(array) <= limits[name], name


def test_shapes_are_torchs():
    w = drawn(hidden_size=4, num_layers=2, cell="gru", reset_after=True)
    assert {name: array.shape for name, array in w.items()} == {
        "recurrent.weight_ih_l0": (12, 3),
        "recurrent.weight_hh_l0": (12, 4),
        "recurrent.bias_ih_l0": (12,),
        "recurrent.bias_hn_l0": (4,),
        "recurrent.weight_ih_l1": (12, 4),
        "recurrent.weight_hh_l1": (12, 4),
        "recurrent.bias_ih_l1": (12,),
        "recurrent.bias_hn_l1": (4,),
        "classifier.weight": (6, 4),
        "classifier.bias": (6,),
    }


def test_xavier_uniform_has_zero_biases():
    w = drawn(init="xavier_uniform")
    assert not w["recurrent.bias_ih_l0"].any()
    assert not w["classifier.bias"].any()
    assert reach(w["recurrent.weight_hh_l0"]) == pytest.approx(math.sqrt(6 / 256), rel=0.01)


def test_torchs_range_is_that_of_the_hidden_size():
    w = drawn(init="torch", dense=[10])
    for name in ("recurrent.weight_ih_l0", "recurrent.weight_hh_l0", "recurrent.bias_ih_l0", "dense.0.weight"):
        assert reach(w[name]) == pytest.approx(1 / math.sqrt(128), rel=0.05)
    assert reach(w["classifier.weight"]) == pytest.approx(1 / math.sqrt(10), rel=0.2)


@pytest.mark.parametrize("cell", CELLS)
def test_an_orthogonal_start_is_orthogonal_gate_by_gate(cell):
    w = drawn(hidden_size=20, recurrent_init="orthogonal", **CELLS[cell])["recurrent.weight_hh_l0"]
    for U in w.reshape(-1, 20, 20):
        np.testing.assert_allclose(U @ U.T, np.eye(20), atol=1e-13)


def test_orthogonal_draws_prefer_no_sign():
    """The trace's mean is 0 for uniform draws; without the signs it would be far from it."""
    rng = np.random.default_rng(0)
    assert np.mean([np.trace(orthogonal(rng, 3)) for _ in range(2000)]) == pytest.approx(0, abs=0.1)


def test_the_forget_bias_is_the_forget_gates():
    w = drawn(hidden_size=HIDDEN, forget_bias=1.0, init="xavier_uniform")
    assert w["recurrent.bias_ih_l0"].reshape(4, HIDDEN).tolist() == [[0] * 4, [1] * 4, [0] * 4, [0] * 4]


def test_twins_and_seeds_start_alike():
    assert all(np.array_equal(a, b) for a, b in zip(drawn().values(), drawn().values(), strict=True))
    config = recurrent_config()
    other = initial_weights(config, INPUTS, CLASSES, 1, "float32")
    assert {a.dtype for a in other.values()} == {np.dtype("float32")}
    assert not np.array_equal(
        other["classifier.weight"], initial_weights(config, INPUTS, CLASSES, 2, "float32")["classifier.weight"]
    )
