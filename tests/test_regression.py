"""Targets that are values: the squared error by hand and in torch, and whole runs on sources of a package's own."""

import json
import math
import re
from typing import Any, Literal

import numpy as np
import pytest
import torch
from convnet_builders import SGD, convnet_config
from recurrent_builders import CEILING, CELLS, mutant, recurrent_config
from sklearn.metrics import mean_absolute_error, r2_score

from duograd.data.dataset import Batch, DataSet, Split
from duograd.data.source import Source, SourceConfig
from duograd.models.errors import ArchitectureError
from duograd.models.families.convnet.numpy_net import ConvNet
from duograd.models.families.convnet.torch_net import torch_convnet
from duograd.models.families.recurrent.numpy_net import RecurrentNet
from duograd.models.families.recurrent.torch_net import TorchRecurrent
from duograd.models.loss import Targets
from duograd.models.losses import squared_error
from duograd.models.losses.squared_error import LOSS, SquaredError, SquaredErrorConfig
from duograd.models.torch_loss import TorchLoss
from duograd.runner import build
from duograd.runner.compose import compose_tree
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.engines.torch_engine import TorchEngine
from duograd.runner.errors import UserError
from duograd.runner.gradcheck.network import against_differences, against_engine
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder
from duograd.runner.validate import plain, validate_plain

VALUES = 3
EXACT = 1e-12  # float64: only the order of sums differs
SHAPES = {"recurrent": (6, 4), "convnet": (3, 9, 11)}


class Level(SourceConfig):
    """Noise around levels that a network is to find: sequences (N, T, 3), or images (N, 3, 8, 8)."""

    name: Literal["level", "shade"]
    validation_fraction: float = 0.2

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        rng = np.random.default_rng(self.seed)
        levels = rng.uniform(-1, 1, (80, 3))
        noise = rng.normal(0, 0.1, (80, 9, 3) if self.name == "level" else (80, 3, 8, 8))
        inputs = (noise + (levels[:, None] if self.name == "level" else levels[:, :, None, None])).astype(dtype)
        targets = np.stack([levels.sum(axis=1), levels[:, 0]], axis=1).astype(dtype)
        parts = (Split(inputs[part], targets[part]) for part in (slice(50), slice(50, 60), slice(60, 80)))
        return DataSet(self.name, "drawn", *parts, values=("sum", "first"), digest="0")


LEVEL = Source(config=Level, inputs="sequences", targets="values")
SHADE = Source(config=Level, inputs="images", targets="values")


def loss(lambda_: float = 0.0) -> SquaredError:
    train = np.random.default_rng(5).standard_normal((20, VALUES))
    return SquaredError(SquaredErrorConfig(name="squared_error", lambda_=lambda_), Targets(VALUES, train))


def batch(family: str) -> Batch:
    rng = np.random.default_rng(1)
    return Batch(rng.standard_normal((5, *SHAPES[family])), rng.standard_normal((5, VALUES)))


def engines(family: str, bound: SquaredError) -> tuple[NumpyEngine, TorchEngine]:
    if family == "convnet":
        net, twin, config = ConvNet, torch_convnet, convnet_config(dense=[7])
    else:
        net, twin, config = RecurrentNet, TorchRecurrent, recurrent_config(**CELLS["gru, reset after"], dense=[6])
    arguments = config, bound, SHAPES[family], VALUES, 3, "float64"
    return NumpyEngine(net(*arguments), SGD), TorchEngine(twin(*arguments), SGD)


def test_the_error_by_hand():
    """Two samples of two values: (1 + 4)/2 and 9/2, of which the mean; its slope is (o − t)/2."""
    outputs, targets = np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 0.0]])
    error, backward = loss().error(outputs, targets)
    assert error == (2.5 + 4.5) / 2
    assert backward().tolist() == [[0.5, 1.0], [1.5, 0.0]]


@pytest.mark.parametrize("family", SHAPES)
def test_gradient_and_twin(family):
    by_hand, autograd = engines(family, loss(lambda_=0.1))
    assert max(against_differences(by_hand, batch(family), np.random.default_rng(0), 2).values()) < CEILING
    assert max(against_engine(by_hand, autograd, batch(family)).values()) < CEILING
    twins = {name: float(value) for name, value in autograd.loss_and_grad(batch(family))[0].items()}
    assert by_hand.loss_and_grad(batch(family))[0] == pytest.approx(twins, rel=EXACT)


BUGS = [
    ("difference / outputs", "difference / 2 / outputs"),
    ("np.subtract", "np.add"),
]


@pytest.mark.parametrize(("right", "wrong"), BUGS, ids=["half as steep", "a sum"])
def test_a_bug_is_caught(right, wrong):
    """A slope half as steep, and a sum: the first is wrong beside the value, the second beside torch."""
    changed = mutant(squared_error, right, wrong).SquaredError
    by_hand, autograd = engines("recurrent", changed(loss().config, Targets(VALUES, np.eye(VALUES))))
    errors = against_differences(by_hand, batch("recurrent"), np.random.default_rng(0), 2)
    parity = against_engine(by_hand, autograd, batch("recurrent"))
    assert max(parity.values()) > 0.1
    assert (max(errors.values()) > 0.1) == (right == "difference / outputs")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_metrics_are_those_of_the_split_however_it_is_cut(dtype):
    """R² of a training split is the textbook's, though batches are measured one by one; types stay."""
    rng = np.random.default_rng(2)
    targets, outputs = (rng.standard_normal((30, VALUES)).astype(dtype) for _ in range(2))
    bound = SquaredError(loss().config, Targets(VALUES, targets))
    parts = [slice(0, 13), slice(13, 30)]
    means: dict[str, float] = {}
    for part in parts:
        error, backward = bound.error(outputs[part], targets[part])
        assert backward().dtype == dtype
        for name, value in bound.terms(outputs[part], targets[part], error, 0.0).items():
            means[name] = means.get(name, 0.0) + value * len(targets[part]) / 30
    metrics = LOSS.finish(means)
    assert metrics.keys() == {"loss", *(metric.name for metric in LOSS.metrics)}
    weighted = r2_score(targets, outputs, multioutput="variance_weighted")
    assert metrics["r2"] == pytest.approx(weighted, rel=1e-5)
    assert metrics["mae"] == pytest.approx(mean_absolute_error(targets, outputs), rel=1e-5)
    twin = TorchLoss(bound).terms(torch.tensor(outputs[parts[0]]), torch.tensor(targets[parts[0]]), [])
    error, _ = bound.error(outputs[parts[0]], targets[parts[0]])
    assert {name: float(value) for name, value in twin.items()} == pytest.approx(
        bound.terms(outputs[parts[0]], targets[parts[0]], error, 0.0), rel=1e-5
    )


def test_r2_of_targets_that_are_what_training_says_has_no_scale():
    assert math.isnan(LOSS.finish({"loss": 0.0, "squared_error": 0.0, "mae": 0.0, "spread": 0.0})["r2"])


def test_targets_that_are_all_alike_are_refused():
    with pytest.raises(ArchitectureError, match="all training targets are alike"):
        SquaredError(loss().config, Targets(1, np.ones((9, 1))))


def configuration(model: str, data: str, *overrides: str) -> Any:
    """A model that classifies elsewhere, for values here."""
    task = "activity" if data == "level" else "cnn"
    small = ["model.hidden_size=8"] if data == "level" else ["model.channels=[4]", "model.dense=[8]"]
    chosen = [f"task={task}", f"model={model}", "loss=squared_error", "tracking=none", *small, *overrides]
    tree = plain(compose_tree(["task.frames=[]", "optimizer=adam", *chosen]))
    return validate_plain({**tree, "data": {"name": data}})


@pytest.fixture
def values(installed):
    installed("duograd.sources", level="test_regression:LEVEL", shade="test_regression:SHADE")


@pytest.mark.parametrize(("model", "data"), [("gru", "level"), ("three_layer_convnet", "shade")])
def test_a_whole_run_is_the_same_in_both_backends(model, data, values, tmp_path):
    ends = {}
    for backend in ("numpy", "torch"):
        keys = ["dtype=float64", "epochs=25", "batch_size=10", "optimizer.lr=0.02", "monitor=val/r2"]
        folder = RunFolder(tmp_path / backend)
        assert run(configuration(model, data, f"backend={backend}", *keys), folder, []) == 0
        ends[backend] = json.loads(folder.summary.read_text())
        assert ends[backend]["best"]["value"] == max(folder.history()["val/r2"])  # more is better
    assert ends["numpy"]["metrics"] == pytest.approx(ends["torch"]["metrics"], rel=1e-6)
    assert ends["numpy"]["metrics"]["test/r2"] > 0.8
    assert not [name for name in ends["numpy"]["metrics"] if name.endswith(("accuracy", "spread"))]
    assert f"figure accuracy_curve is left out: data={data} has no classes" in folder.log.read_text()
    assert "could not be drawn" not in folder.log.read_text()
    assert {path.stem for path in folder.figures.iterdir()} >= {"loss_curve"}


@pytest.mark.parametrize(
    ("data", "loss_name", "message"),
    [
        (
            "level",
            "cross_entropy",
            "loss=cross_entropy is for classes, but the targets of data=level are values: use lo",
        ),
        (
            "gait",
            "squared_error",
            "is for values, but the targets of data=gait are classes: use loss=cross_entropy or loss=svm",
        ),
        (
            "shade",
            "squared_error",
            "data=shade does not go with model=gru: use one of activity_h5, gait, level, mo",
        ),
    ],
)
def test_what_cannot_be_learned_so_is_told_before_it_is_read(data, loss_name, message, values):
    tree = plain(compose_tree(["task=activity", f"loss={loss_name}"]))
    with pytest.raises(UserError, match=message):
        validate_plain({**tree, "data": {"name": data}})


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["task.frames=[loss_curve]"],
            "task.frames: 'loss_curve' is drawn of finished runs alone; as frames there are",
        ),
        (
            ["batch_size=7", "model.dense_norm=batch"],
            "batch_size=7 leaves a batch of one of 50 samples, but model.dense_norm=batch needs a variance: choose",
        ),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_written(overrides, message, values, tmp_path):
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(UserError, match=f"^{re.escape(message)}"):
        run(configuration("three_layer_convnet", "shade", *overrides), folder, [])
    assert {path.name for path in folder.path.iterdir()} <= {".lock"}


def test_a_source_that_gives_other_targets_than_it_declares_is_told(values, monkeypatch):
    config = configuration("gru", "level")
    monkeypatch.setattr(DataSet, "targets", "classes")
    with pytest.raises(ValueError, match="data=level declares values as targets, but gives classes"):
        build.data_set(config)
