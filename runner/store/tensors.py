"""Arrays with a state beside them, in a safetensors file: checkpoints, and the best weights.

The state is JSON in the file's metadata, under one key, so that equal states are equal bytes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from duograd.runner.store import files

Arrays = dict[str, NDArray[Any]]
KEY = "duograd"


def write(path: Path, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> None:
    """Replaces the file as a whole. Raises OSError."""
    files.write_bytes(path, to_bytes(dict(arrays), {KEY: json.dumps(state)}))


def read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The arrays and the state that `write` was given. Raises DamagedError."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        return load_file(path), json.loads(metadata[KEY])
    except (SafetensorError, KeyError, ValueError) as error:
        raise files.DamagedError(f"{path} is not a checkpoint of duograd's: {error}") from None
