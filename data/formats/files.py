"""Files that users bring in a folder or in a zip archive, which is read without unpacking."""

import os
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple, Protocol

from duograd.data.errors import DataError, reason

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)


def user_path(given: str) -> Path:
    """The path that a user gave, a leading ~ expanded, as shells do not inside `data.path=~/file`."""
    return Path(os.path.expanduser(given))  # noqa: PTH111 - leaves an unknown ~name as it is; pathlib raises


class Files(Protocol):
    """Files by name, with / between folders: what a ZipFile offers."""

    def namelist(self) -> list[str]: ...

    def read(self, name: str, /) -> bytes: ...


class FolderFiles(NamedTuple):
    """All files and folders in a folder, as a ZipFile would offer them: the name of a folder ends with /."""

    root: Path

    def namelist(self) -> list[str]:
        names = []
        for place, folders, files in os.walk(self.root, followlinks=True):
            above = Path(place).relative_to(self.root)
            names += [f"{(above / folder).as_posix()}/" for folder in folders]
            names += [(above / file).as_posix() for file in files]
        return names

    def read(self, name: str, /) -> bytes:
        return (self.root / name).read_bytes()


def open_zip(path: Path) -> zipfile.ZipFile:
    """The archive. Raises DataError where it is none, or is damaged."""
    try:
        return zipfile.ZipFile(path)
    except DAMAGE as error:
        raise DataError(
            f"{path} cannot be read as a zip archive ({reason(error)}): download or copy it again"
        ) from error


def read_file(files: Files, name: str) -> bytes:
    """The content of one file. Raises DataError where it is damaged or cannot be read."""
    try:
        return files.read(name)
    except DAMAGE as error:
        raise DataError(f"{name} cannot be read ({reason(error)}): download or copy it again") from error
