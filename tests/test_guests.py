"""A package that is installed brings an optimizer, a loss and a family of its own; runs know no difference."""

import json
from typing import Any, Literal

import numpy as np
import pytest
import torch
from faults import fault_of
from pydantic import Field

from duograd.models.family import Family, ModelConfig
from duograd.models.layers.dense import affine
from duograd.models.loss import ClassLoss, Loss, LossConfig, Metric, Targets
from duograd.models.optimizer import FirstOrderConfig, Optimizer, Twin
from duograd.models.torch_loss import TorchLoss
from duograd.runner import build
from duograd.runner.compose import compose_tree
from duograd.runner.config import dump
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.errors import UserError
from duograd.runner.gradcheck.network import against_differences, against_engine
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder
from duograd.runner.validate import plain, validate_plain


class LionConfig(FirstOrderConfig):
    """m: an average of g by beta; w -= lr sign(m)."""

    rule: Literal["lion"]
    beta: float = Field(ge=0, lt=1)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("exp_avg",)

    def update(self, w: Any, g: Any, slots: dict[str, Any], lr: float, t: int) -> None:
        slots["exp_avg"] *= self.beta
        slots["exp_avg"] += (1 - self.beta) * g
        w -= lr * np.sign(slots["exp_avg"])

    def twin(self) -> Twin:
        def update(w: Any, g: Any, slots: dict[str, Any], lr: float, t: int) -> None:
            w.sub_(slots["exp_avg"].mul_(self.beta).add_(g, alpha=1 - self.beta).sign(), alpha=lr)

        return Twin(update)


LION = Optimizer(LionConfig)


class BrierConfig(LossConfig):
    """½‖softmax(logits) − one-hot‖², averaged over the batch."""

    name: Literal["brier"]
    lambda_: float = 0.0


class Brier(ClassLoss):
    def error(self, outputs: Any, targets: Any) -> Any:
        p = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        d = p - np.eye(p.shape[1], dtype=p.dtype)[targets]
        backward = p * (d - (p * d).sum(axis=1, keepdims=True)) / len(p)
        return float(np.vdot(d, d)) / 2 / len(p), lambda: backward

    def torch_error(self, F: Any, outputs: Any, targets: Any, constants: Any) -> Any:
        d = outputs.softmax(dim=1) - F.one_hot(targets, outputs.shape[1])
        return (d**2).sum() / 2 / len(outputs)


BRIER = Loss(BrierConfig, "classes", (Metric("brier"), Metric("accuracy", higher_is_better=True)), Brier)


class FlatConfig(ModelConfig):
    """All steps side by side, and one affine layer."""

    family: Literal["flat"]
    scale: float = Field(gt=0)


def start(config: FlatConfig, shape: tuple[int, ...], outputs: int, seed: int, dtype: Any) -> dict[str, Any]:
    weight = np.random.default_rng(seed).normal(0, config.scale, (outputs, int(np.prod(shape)))).astype(dtype)
    return {"layer.weight": weight, "layer.bias": np.zeros(outputs, dtype)}


class FlatNet:
    def __init__(self, config, loss, shape, outputs, seed, dtype="float32", threads=None):
        self.loss, self.buffers = loss, {}
        self.params = start(config, shape, outputs, seed, dtype)

    def loss_and_grad(self, inputs, targets, step=0):
        logits, back = affine(inputs.reshape(len(inputs), -1), *self.params.values())
        error, error_back = self.loss.error(logits, targets)
        grads = {f"layer.{key}": g for key, g in back(error_back())[1].items()}
        return self.loss.terms(logits, targets, error, 0.0), grads

    def evaluate(self, inputs, targets):
        return self.loss_and_grad(inputs, targets)[0]

    def predict(self, inputs):
        return affine(inputs.reshape(len(inputs), -1), *self.params.values())[0]

    def probe(self, inputs, targets):
        return {}


class FlatTwin(torch.nn.Module):
    def __init__(self, config, loss, shape, outputs, seed, dtype):
        super().__init__()
        weights = {name: torch.from_numpy(w) for name, w in start(config, shape, outputs, seed, dtype).items()}
        self.layer = torch.nn.Linear(int(np.prod(shape)), outputs, dtype=weights["layer.bias"].dtype)
        self.load_state_dict(weights)
        self.loss = TorchLoss(loss)

    def forward(self, inputs):
        return self.layer(inputs.flatten(1))

    def terms(self, inputs, targets, step=0):
        return self.loss.terms(self(inputs), targets, self.named_parameters())


FLAT = Family(FlatConfig, f"{__name__}:FlatNet", f"{__name__}:FlatTwin", ("sequences", "images"), ("classes",))
PARTS = {
    "model": {"name": "flat_small", "family": "flat", "scale": 0.01},
    "loss": {"name": "brier", "lambda_": 0.0},
    "optimizer": {"name": "lion", "rule": "lion", "lr": 1e-3, "beta": 0.9}
    | {"weight_decay": 0.01, "clip_value": None, "clip_norm": 1.0},
}


@pytest.fixture
def package(installed):
    installed("duograd.families", flat=f"{__name__}:FLAT")
    installed("duograd.losses", brier=f"{__name__}:BRIER")
    installed("duograd.optimizers", lion=f"{__name__}:LION")


def configuration(*overrides: str, task: str = "activity", **changes: Any) -> Any:
    small = ["data.count=60", "data.test_count=30"]
    tree = plain(compose_tree([f"task={task}", "preset=smoke", "tracking=none", *small, *overrides]))
    return validate_plain({**tree, **PARTS, **changes})


@pytest.mark.parametrize("task", ["activity", "cnn"])
def test_a_whole_run_is_the_same_in_both_backends(task, package, tmp_path):
    """One family for two tasks; what it leaves can be read back as a configuration."""
    ends = {}
    for backend in ("numpy", "torch"):
        config = configuration(f"backend={backend}", "dtype=float64", "epochs=4", "batch_size=20", task=task)
        folder = RunFolder(tmp_path / backend)
        assert run(config, folder, []) == 0
        ends[backend] = json.loads(folder.summary.read_text())["metrics"]
        inside = {"activity": "gradient_norm", "cnn": "filters"}[task]
        assert f"{inside} is left out: networks of model.family=flat have none" in (log := folder.log.read_text())
        assert "could not be drawn" not in log
        assert {"loss_curve", "accuracy_curve"} <= {path.stem for path in folder.figures.iterdir()}
    assert ends["numpy"] == pytest.approx(ends["torch"], rel=1e-8)
    assert {"train/brier", "test/accuracy"} <= ends["numpy"].keys()
    assert validate_plain(dump(config)) == config


def test_its_gradient_is_proven_as_ours_are(package):
    config = configuration("dtype=float64")
    data = build.data_set(config)
    engine, batch = build.numpy_engine(config, data), data.train.batch(slice(16))
    assert isinstance(engine, NumpyEngine)
    assert max(against_differences(engine, batch, np.random.default_rng(0)).values()) < 1e-6
    assert max(against_engine(engine, build.torch_engine(config, data), batch).values()) < 1e-10
    assert BRIER.bind(config.loss, Targets(6)).constants == {}


@pytest.mark.parametrize(
    ("part", "key", "value", "message"),
    [
        ("model", "scale", 0.0, "model.scale=0.0: expected greater than 0"),
        ("model", "width", 3, "unknown key 'model.width': known: family, name, scale"),
        ("loss", "name", "briar", "unknown loss.name 'briar': did you mean 'brier'? known: brier, cross_entropy"),
        ("optimizer", "beta", "much", "optimizer.beta=much: expected a number"),
        (
            "optimizer",
            "rule",
            "sparse",
            "unknown optimizer.rule 'sparse': known: adagrad, adam, lbfgs, lion, rmsprop",
        ),
    ],
)
def test_its_keys_are_checked_as_ours_are(part, key, value, message, package):
    assert fault_of(configuration, **{part: {**PARTS[part], key: value}}).startswith(message)


def test_what_it_cannot_learn_from_is_told(package):
    with pytest.raises(
        UserError, match=r"^loss=sparse does not go with model=flat_small in task=\w+: use loss=brier or loss=c"
    ):
        configuration(loss={"name": "sparse", "lambda": 0.0, "beta": 0.0, "rho": 0.1})
