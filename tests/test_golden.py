"""What runs leave stays what it was, to the byte; and each task, model and optimizer meet at the rate they had.

`python tests/test_golden.py` writes tests/golden anew: changed numerics need their reason in the commit.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import CONF, task_of
from threadpoolctl import threadpool_info

from duograd.runner.compose import compose
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

GOLDEN = Path(__file__).parent / "golden"
ALWAYS = ["preset=smoke", "tracking=none", "backend.threads=1"]
SMALL = {
    "autoencoder": ["data.count=600", "data.size=8", "model.hidden_size=9", "data.validation_fraction=0.1"],
    "activity": ["data.count=120", "data.test_count=60", "data.window=30", "model.hidden_size=12"],
    "cnn": ["data.count=120", "data.test_count=60", "data.size=16", "batch_size=20"],
}
MODELS = {
    "autoencoder": ["autoencoder"],
    "activity": ["rnn_dense2", "lstm", "gru", "transformer"],
    "cnn": ["three_layer_convnet", "challenge_dropout"],
}
RUNS = [(task, model, backend) for task in MODELS for model in MODELS[task] for backend in ("numpy", "torch")]
FILES = ("metrics.jsonl", "checkpoint.safetensors", "best.safetensors")


def arithmetic() -> str:
    """What the last bits of a run depend on: the libraries, and the kernels that they choose on this machine."""
    blas = sorted({str(pool.get("architecture")) for pool in threadpool_info() if pool["user_api"] == "blas"})
    features = np._core._multiarray_umath.__cpu_features__
    simd = " ".join(sorted(name for name, there in features.items() if there))
    parts = [np.__version__, torch.__version__, *blas, torch.backends.cpu.get_cpu_capability(), simd]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]


def left_by(task: str, model: str, backend: str, folder: Path) -> dict[str, Any]:
    """The digests of a small run's files, and its metrics by epoch."""
    overrides = [f"task={task}", f"model={model}", f"backend={backend}", *ALWAYS, *SMALL[task]]
    assert run(compose(overrides), RunFolder(folder), overrides) == 0
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    return {"metrics": RunFolder(folder).history(), "digests": digests}


def rates(triples: Iterable[Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Optimizer and schedule of each task, model and optimizer, as they compose."""
    return {" ".join(triple): _rate(*triple) for triple in triples}


def _every_triple() -> Iterator[Sequence[str]]:
    for model in sorted(path.stem for path in (CONF / "model").glob("*.yaml")):
        for optimizer in sorted(path.stem for path in (CONF / "optimizer").glob("*.yaml")):
            if optimizer != "lbfgs" or model == "autoencoder":  # a solver of full-batch tasks
                yield task_of(model), model, optimizer


def _rate(task: str, model: str, optimizer: str) -> dict[str, Any]:
    config = compose([f"task={task}", f"model={model}", f"optimizer={optimizer}"])
    return {"optimizer": config.optimizer.model_dump(), "schedule": config.schedule.model_dump()}


@pytest.mark.parametrize(("task", "model", "backend"), RUNS)
def test_runs_leave_the_bytes_they_left(task, model, backend, tmp_path):
    golden = json.loads((GOLDEN / "runs.json").read_text())
    found = left_by(task, model, backend, tmp_path / "run")
    expected = golden["runs"][f"{task} {model} {backend}"]
    for name, values in expected["metrics"].items():  # on any machine; single precision, three epochs
        assert found["metrics"][name] == pytest.approx(values, rel=1e-3, abs=1e-6), name
    if golden["arithmetic"] == arithmetic():  # elsewhere, the last bits are another kernel's
        assert found["digests"] == expected["digests"]


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)], ids=["a quarter", "all"])
def test_pairs_compose_to_their_rates(step):
    frozen = dict(list(json.loads((GOLDEN / "rates.json").read_text()).items())[::step])
    assert rates(name.split() for name in frozen) == frozen


def write() -> None:
    """Freezes what stands now."""
    with tempfile.TemporaryDirectory() as folder:
        runs = {" ".join(r): left_by(*r, Path(folder) / "-".join(r)) for r in RUNS}
    for name, content in {"runs": {"arithmetic": arithmetic(), "runs": runs}, "rates": rates(_every_triple())}.items():
        (GOLDEN / f"{name}.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(write())
