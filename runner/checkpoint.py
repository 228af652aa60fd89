"""Checkpoints: all that a run needs to go on as if nothing had happened, in one safetensors file.

Arrays: the weights under torch's names, the optimizer's state under `optimizer/`, the best weights under `best/`.
The loop's and the hooks' state is JSON in the file's metadata, under one key, so that equal states are equal bytes.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from duograd.runner import atomic
from duograd.runner.errors import UserError
from duograd.runner.folder import RunFolder
from duograd.runner.hooks import Hook
from duograd.runner.hooks.best import Best
from duograd.runner.training import Training

Arrays = dict[str, NDArray[Any]]
KEY = "duograd"


def save(folder: RunFolder, training: Training, hooks: Sequence[Hook]) -> None:
    """Writes checkpoint.safetensors, then best.safetensors, each atomically. The first is enough to go on from."""
    best = next(hook for hook in hooks if isinstance(hook, Best))
    loop = training.state()
    arrays = training.engine.state() | {f"best/{name}": w for name, w in best.weights.items()}
    state = {"loop": loop, "hooks": {hook.name: hook.state() for hook in hooks}}
    atomic.write_bytes(folder.checkpoint, to_bytes(arrays, {KEY: json.dumps(state)}))
    save_best(folder, best)
    atomic.write_json(folder.clock, {"train_seconds": training.train_seconds})


def save_best(folder: RunFolder, best: Best) -> None:
    """Writes best.safetensors, where there is a best yet."""
    if best.weights:
        atomic.write_bytes(folder.best, to_bytes(dict(best.weights), {KEY: json.dumps(best.state())}))


def restore(folder: RunFolder, training: Training, hooks: Sequence[Hook]) -> bool:
    """Puts everything back as the checkpoint has it; False where there is none yet.

    Raises UserError where the file is damaged.
    """
    if not folder.checkpoint.exists():
        return False
    arrays, state = read(folder.checkpoint)
    training.load(state["loop"])
    training.engine.load(arrays)
    training.train_seconds = folder.read_json(folder.clock).get("train_seconds", 0.0)
    for hook in hooks:
        if hook.name in state["hooks"]:  # a hook that came with a later version has nothing to remember
            hook.load(state["hooks"][hook.name])
        if isinstance(hook, Best):
            hook.weights = {name.removeprefix("best/"): w for name, w in arrays.items() if name.startswith("best/")}
    return True


def read(path: Path) -> tuple[Arrays, Mapping[str, Any]]:
    """The arrays and the state of a file that `save` wrote."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        return load_file(path), json.loads(metadata[KEY])
    except (SafetensorError, KeyError, ValueError) as error:
        raise UserError(f"{path} is not a checkpoint of duograd's: {error}") from None
