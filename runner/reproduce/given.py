"""The files that a user gives, read before anything starts: a fault of theirs would else show in the workers alone."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from duograd.data.errors import DataError
from duograd.data.sources.activity_h5 import ActivityH5
from duograd.data.sources.patches_h5 import read_patches
from duograd.runner.errors import UserError


def refuse_unreadable(files: Mapping[str, Path | None]) -> None:
    """files: by the option that names each, such as `--patches`. Raises UserError for one that is not of its kind."""
    for option, path in files.items():
        try:
            if path is not None:
                READERS[option](path.absolute())
        except DataError as error:
            raise UserError(f"{option}: {error}") from None


def _read_patches(path: Path) -> None:
    read_patches(path)


def _read_activity(path: Path) -> None:
    ActivityH5(path=str(path)).read(np.dtype(np.float32))


def _read_names(path: Path) -> None:
    """Of the images only the names, which say their classes: to read them all takes minutes."""
    from duograd.data.formats.archives import open_files
    from duograd.data.formats.image_tree import read_tree

    with open_files(path, "a folder, or a zip or tar archive, with one folder per class") as files:
        read_tree(files.namelist(), path)


READERS: dict[str, Callable[[Path], None]] = {
    "--patches": _read_patches,
    "--activity": _read_activity,
    "--images": _read_names,
}
