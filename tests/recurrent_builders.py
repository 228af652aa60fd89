"""Small recurrent classifiers, their twins, and modules with a planted bug."""

import inspect
from types import ModuleType
from typing import Any

import numpy as np
import torch

from duograd.data.dataset import Batch
from duograd.models.families.recurrent import numpy_net
from duograd.models.families.recurrent.cells import gru, lstm, rnn
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.families.recurrent.numpy_net import RecurrentNet
from duograd.models.families.recurrent.torch_net import TorchRecurrent
from duograd.models.loss import Targets
from duograd.models.losses import cross_entropy
from duograd.models.losses.cross_entropy import CrossEntropy, CrossEntropyConfig
from duograd.models.optimizers.sgd import SgdConfig
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.gradcheck.network import against_differences

T, INPUTS, HIDDEN, CLASSES = 6, 3, 4, 5
CEILING = 1e-6  # of gradient_error: float64, central differences
CELLS: dict[str, dict[str, Any]] = {
    "tanh rnn": {"cell": "rnn", "nonlinearity": "tanh"},
    "relu rnn": {"cell": "rnn", "nonlinearity": "relu"},
    "lstm": {"cell": "lstm"},
    "gru, reset before": {"cell": "gru", "reset_after": False},
    "gru, reset after": {"cell": "gru", "reset_after": True},
}
SGD = SgdConfig(
    name="sgd", rule="sgd", lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.0, clip_value=None, clip_norm=None
)


def recurrent_config(**changes: Any) -> RecurrentConfig:
    absent = dict.fromkeys(("nonlinearity", "reset_after", "forget_bias", "truncate", "recurrent_init"))
    keys = {"name": "small", "family": "recurrent", "cell": "lstm", "hidden_size": HIDDEN, "num_layers": 1, "dense": []}
    return RecurrentConfig(**{**absent, **keys, "dropout": 0.0, "init": "report", **changes})


def cross_entropy_loss(**changes: Any) -> CrossEntropyConfig:
    keys = {"name": "cross_entropy", "lambda": 0.0, "label_smoothing": 0.0, "class_weights": None}
    return CrossEntropyConfig(**{**keys, **changes})


def recurrent_net(
    loss: CrossEntropyConfig | None = None, dtype: str = "float64", threads: int = 1, seed: int = 3, **changes: Any
) -> RecurrentNet:
    config = recurrent_config(**changes)
    bound = CrossEntropy(loss or cross_entropy_loss(), Targets(CLASSES))
    return RecurrentNet(config, bound, (T, INPUTS), CLASSES, seed, dtype, threads)


def recurrent_twin(net: RecurrentNet) -> TorchRecurrent:
    """The torch net of the same parameters; both draw the twin's dropout masks from now on."""
    outputs = len(net.params["classifier.bias"])
    twin = TorchRecurrent(net.config, net.loss, (T, INPUTS), outputs, net.seed, net.dtype)
    twin.load_state_dict({name: torch.tensor(w) for name, w in net.params.items()})

    def masks(B: int, T: int, step: int) -> Any:
        return tuple(
            [None if m is None else m.numpy() for m in group] for group in twin.masks(torch.empty(B, T, 1), step)
        )

    net.masks = masks  # type: ignore[method-assign]
    return twin


def recurrent_engine(net: RecurrentNet) -> NumpyEngine:
    return NumpyEngine(net, SGD)


def windows(n: int = 4, seed: int = 0, steps: int = T) -> Batch:
    rng = np.random.default_rng(seed)
    return Batch(rng.standard_normal((n, steps, INPUTS)), rng.integers(CLASSES, size=n))


def mutant(module: ModuleType, right: str, wrong: str) -> ModuleType:
    """The module with one piece of its source, found exactly once, replaced."""
    source = inspect.getsource(module)
    assert source.count(right) == 1, f"{module.__name__} says {right!r} {source.count(right)} times"
    changed = ModuleType(module.__name__)
    exec(compile(source.replace(right, wrong), f"{module.__name__} with a bug", "exec"), vars(changed))
    return changed


def plant(monkeypatch: Any, module: ModuleType, right: str, wrong: str) -> None:
    """Nets built from now on use the module with a bug."""
    changed = mutant(module, right, wrong)
    for user in (numpy_net, cross_entropy, rnn, lstm, gru):
        for name, value in vars(user).items():
            if getattr(value, "__module__", None) == module.__name__ and hasattr(changed, name):
                monkeypatch.setattr(user, name, getattr(changed, name))


def gradient_error(net: RecurrentNet, batch: Batch) -> float:
    """The largest of a network's parameters."""
    return max(against_differences(recurrent_engine(net), batch, np.random.default_rng(0), directions=2).values())
