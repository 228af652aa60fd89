"""One training step of the report's classifiers: 32 windows of 150 × 3, hidden 128, six classes, float32, RMSprop.

A step is forward, back-propagation through time, and update. Torch runs its own modules and its own optimizer.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.measure import CONSOLE, Target, kernel, report, side_by_side
from duograd.data.dataset import Batch
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.families.recurrent.numpy_net import RecurrentNet
from duograd.models.loss import Targets
from duograd.models.losses.cross_entropy import CrossEntropy, CrossEntropyConfig
from duograd.models.optimizers.rmsprop import RmspropConfig
from duograd.runner.engines.numpy_engine import NumpyEngine

Array = NDArray[Any]
B, T, INPUTS, HIDDEN, CLASSES, ROUNDS = 32, 150, 3, 128, 6, 30
LR, DECAY, EPS = 1e-3, 0.9, 1e-6
CELLS: dict[str, dict[str, Any]] = {
    "LSTM": {"cell": "lstm"},
    "GRU, reset after": {"cell": "gru", "reset_after": True},
    "GRU, reset before": {"cell": "gru", "reset_after": False},
    "RNN": {"cell": "rnn", "nonlinearity": "tanh"},
}
TARGETS = [
    Target("LSTM", "nn.LSTM", 0.80),
    Target("GRU, reset after", "nn.GRU", 0.45),
    Target("GRU, reset before", "nn.GRU", 0.45),
    Target("RNN", "nn.RNN", 0.45),
    Target("the report's LSTM", "LSTM", 2.0, at_least=True),
]


def main() -> None:
    """Prints times and ratios."""
    CONSOLE.print(f"recurrent, one step; {kernel()}; torch {torch.get_num_threads()} threads", highlight=False)
    rng = np.random.default_rng(0)
    batch = Batch(rng.standard_normal((B, T, INPUTS)).astype(np.float32), rng.integers(CLASSES, size=B))
    work: dict[str, Callable[[], object]] = {name: numpy_step(batch, keys) for name, keys in CELLS.items()}
    work |= {f"nn.{module.__name__}": torch_step(batch, module) for module in (nn.LSTM, nn.GRU, nn.RNN)}
    work["the report's LSTM"] = reports_step(batch)
    report("recurrent step", side_by_side(work, ROUNDS), TARGETS)


def numpy_step(batch: Batch, keys: dict[str, Any]) -> Callable[[], object]:
    absent = dict.fromkeys(("nonlinearity", "reset_after", "forget_bias", "truncate", "recurrent_init"))
    sizes = {"hidden_size": HIDDEN, "num_layers": 1, "dense": [], "dropout": 0.0}
    config = RecurrentConfig(name="bench", family="recurrent", init="report", **{**absent, **sizes, **keys})
    loss = CrossEntropyConfig(name="cross_entropy", lambda_=0.0, label_smoothing=0.0, class_weights=None)
    optimizer = RmspropConfig(
        name="rmsprop", rule="rmsprop", lr=LR, alpha=DECAY, eps=EPS, weight_decay=0.0, clip_value=None, clip_norm=None
    )
    bound = CrossEntropy(loss, Targets(CLASSES))
    engine = NumpyEngine(RecurrentNet(config, bound, (T, INPUTS), CLASSES, seed=0), optimizer)
    return lambda: engine.step(batch, LR)


def torch_step(batch: Batch, module: Any) -> Callable[[], object]:
    layer, classifier = module(INPUTS, HIDDEN, batch_first=True), nn.Linear(HIDDEN, CLASSES)
    optimizer = torch.optim.RMSprop([*layer.parameters(), *classifier.parameters()], lr=LR, alpha=DECAY, eps=EPS)
    inputs, targets = torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets)

    def work() -> None:
        optimizer.zero_grad()
        h, _ = layer(inputs)
        cross_entropy(classifier(h[:, -1]), targets).backward()
        optimizer.step()

    return work


def reports_step(batch: Batch) -> Callable[[], object]:
    """The report's own arithmetic (its formulas, not its code): float64, four gates apart, a dict of fresh arrays for
    every step, a softmax at every step, and four gradient products on the way back through each."""
    rng = np.random.default_rng(0)
    w = {gate: rng.uniform(-0.2, 0.2, (INPUTS + HIDDEN, HIDDEN)) for gate in "ifgo"}
    w |= {f"b{gate}": np.zeros((1, HIDDEN)) for gate in "ifgo"}
    w |= {"y": rng.uniform(-0.2, 0.2, (HIDDEN, CLASSES)), "by": np.zeros((1, CLASSES))}
    squares = {name: np.zeros_like(value) for name, value in w.items()}
    one_hot = np.eye(CLASSES)[batch.targets]

    def work() -> None:
        steps = reports_forward(w, batch.inputs)
        for name, g in reports_backward(w, steps, one_hot).items():
            squares[name] = DECAY * squares[name] + (1 - DECAY) * g**2
            w[name] = w[name] - LR * g / (np.sqrt(squares[name]) + EPS)

    return work


def reports_forward(w: dict[str, Array], x: Array) -> list[dict[str, Array]]:
    h = c = np.zeros((B, HIDDEN))
    steps = []
    for t in range(T):
        s = {"xh": np.column_stack((x[:, t], h)), "c before": c}
        s |= {gate: 1 / (1 + np.exp(-(s["xh"] @ w[gate] + w[f"b{gate}"]))) for gate in "ifo"}
        s["g"] = np.tanh(s["xh"] @ w["g"] + w["bg"])
        s["c"] = c = s["f"] * c + s["i"] * s["g"]
        s["h"] = h = s["o"] * np.tanh(c)
        scores = np.exp(h @ w["y"] + w["by"])
        s["p"] = scores / scores.sum(axis=1, keepdims=True)
        steps.append(s)
    return steps


def reports_backward(w: dict[str, Array], steps: list[dict[str, Array]], one_hot: Array) -> dict[str, Array]:
    grads = {name: np.zeros_like(value) for name, value in w.items()}
    error = steps[-1]["p"] - one_hot
    grads["y"], grads["by"] = steps[-1]["h"].T @ error, error.sum(axis=0, keepdims=True)
    dh, dc = error @ w["y"].T, np.zeros((B, HIDDEN))
    for s in reversed(steps):
        tanh_c = np.tanh(s["c"])
        dc = dc + dh * s["o"] * (1 - tanh_c**2)
        d = {
            "i": dc * s["g"] * s["i"] * (1 - s["i"]),
            "f": dc * s["c before"] * s["f"] * (1 - s["f"]),
            "g": dc * s["i"] * (1 - s["g"] ** 2),
            "o": dh * tanh_c * s["o"] * (1 - s["o"]),
        }
        for gate in "ifgo":
            grads[gate] += s["xh"].T @ d[gate]
            grads[f"b{gate}"] += d[gate].sum(axis=0, keepdims=True)
        dh = sum(d[gate] @ w[gate].T for gate in "ifgo")[:, INPUTS:]
        dc = dc * s["f"]
    return grads


if __name__ == "__main__":
    main()
