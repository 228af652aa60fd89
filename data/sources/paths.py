"""Where users' files are."""

import os
from pathlib import Path


def user_path(given: str) -> Path:
    """The path that a user gave, a leading ~ expanded, as shells do not inside `data.path=~/file`."""
    return Path(os.path.expanduser(given))  # noqa: PTH111 - leaves an unknown ~name as it is; pathlib raises
