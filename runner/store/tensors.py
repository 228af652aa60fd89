"""Arrays with a state beside them, in a safetensors file: checkpoints, and the best weights.

The state is JSON in the file's metadata, with a checksum over it and the arrays, under one key: equal states are equal
bytes, and a flipped bit is seen.
"""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from duograd.runner.store import files

Arrays = dict[str, NDArray[Any]]
KEY = "duograd"
CHECKSUM = "crc32"


def write(path: Path, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any], before: Path | None = None) -> None:
    """Replaces the file as a whole; the old one is kept as `before`. Raises OSError."""
    metadata = json.dumps({**state, CHECKSUM: _checksum(arrays, state)})
    files.write_bytes(path, to_bytes(dict(arrays), {KEY: metadata}), before)


def read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The arrays and the state that `write` was given. Raises DamagedError."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        arrays, state = load_file(path), json.loads(metadata[KEY])
        checksum = state.pop(CHECKSUM, None)  # files of earlier versions have none
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise files.DamagedError(f"{path} is not a checkpoint of duograd's: {reason}") from None
    if checksum not in (None, _checksum(arrays, state)):
        raise files.DamagedError(f"{path} is damaged: its checksum is another")
    return arrays, state


def _checksum(arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> int:
    total = zlib.crc32(json.dumps(state).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), total)
        total = zlib.crc32(array.reshape(-1).view(np.uint8).data, total)
    return total
