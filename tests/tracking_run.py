"""A run folder as training leaves it, made by hand: the tracking tests need no training."""

import json
import time
from pathlib import Path

from PIL import Image

CONFIG = """\
task: {{name: autoencoder}}
model: {{name: autoencoder, hidden_size: 50, dense: [64, 32]}}
loss: {{lambda: 0.0005, rho: 1.0e-05}}
epochs: {epochs}
tracking: {{name: mlflow, uri: '{uri}', experiment: null}}
"""


def begin(path: Path, uri: str, run_id: str, epochs: int = 5) -> Path:
    """What a run writes at its start."""
    path.mkdir(parents=True)
    identity = {
        "id": run_id,
        "name": f"autoencoder numpy {run_id}",
        "task": "autoencoder",
        "model": "autoencoder",
        "backend": "numpy",
        "data": "shapes",
        "source": "drawn",
        "synthetic": True,
        "digest": "0123456789abcdef",
        "shapes": {"train": [10, 4]},
        "started": time.time() - 60,
        "command": "duograd task=autoencoder",
        "git": {"commit": "a" * 40, "changed": False},
    }
    (path / "run.json").write_text(json.dumps(identity))
    (path / "config.yaml").write_text(CONFIG.format(uri=uri, epochs=epochs))
    return path


def line(epoch: int) -> str:
    """An epoch's line of metrics.jsonl: four finite values, and one that no chart can show."""
    values = {"lr": 0.1, "train/loss": 1 / epoch, "train/kl": 0.1, "val/loss": 2 / epoch, "val/odd": float("nan")}
    return json.dumps({"epoch": epoch, **values}) + "\n"


def train(path: Path, first: int, last: int, torn: str = "") -> None:
    """Append the epochs from `first` to `last`, and `torn`."""
    with (path / "metrics.jsonl").open("a") as file:
        file.write("".join(line(epoch) for epoch in range(first, last + 1)) + torn)


def picture(path: Path, step: int, key: str = "hidden_weights") -> None:
    """Add a frame."""
    target = path / "frames" / key / f"{step:06d}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), step).save(target)


def end(path: Path, status: str = "FINISHED", **more: object) -> None:
    """What a run writes at its end."""
    (path / "figures").mkdir(exist_ok=True)
    Image.new("L", (8, 8)).save(path / "figures" / "loss.png")
    (path / "run.log").write_text("trained\n")
    best = {"metric": "val/loss", "value": 0.25, "epoch": 4}
    summary = {"status": status, "epochs": 5, "metrics": {"train/loss": 0.125, "val/odd": None}, "best": best}
    (path / "summary.json").write_text(json.dumps(summary | more))
