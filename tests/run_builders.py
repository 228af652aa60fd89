"""A small run, and what it leaves."""

import json
from pathlib import Path

SMALL = ["data.count=300", "model.hidden_size=9", "dtype=float64"]
SAME_BYTES = ("checkpoint.safetensors", "best.safetensors", "metrics.jsonl")


def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())
