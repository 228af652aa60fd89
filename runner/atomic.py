"""Writing a file as a whole or not at all."""

import json
import os
import uuid
from pathlib import Path
from typing import Any


def write_bytes(path: Path, content: bytes) -> None:
    """Replaces path by content; a killed process or a full disk leaves the old file as it was."""
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """The same for JSON, indented for people. Raises ValueError for NaN and infinity, which JSON has no word for."""
    write_bytes(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())
