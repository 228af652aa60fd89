"""Files that users bring: which of those in a folder are read, and what is not.

Each real file once: links are followed, but not to what is read already, and not out of the folder to what holds it.
What only systems put there (hidden files, thumbnails) is passed over in silence; whatever else is skipped is counted.
"""

import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from duograd.data.errors import DataError, reason

DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, RuntimeError, NotImplementedError, ValueError, IndexError),
)
CLUTTER = {"__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "thumbs.db", "desktop.ini"}
UNPACKED, RATIO = 1 << 30, 100  # what is compressed may unpack to so many bytes, or to so many times its own
LARGEST = 1 << 29  # bytes of one file: what is larger is no image, recording or batch
TWICE, NOWHERE, ODD = "links to what is read already", "links that lead nowhere", "neither files nor folders"


class Files(Protocol):
    """Files by name, with / between folders; the name of a folder ends with /. skipped: how many, by the reason."""

    skipped: Counter[str]

    def namelist(self) -> list[str]: ...

    def read(self, name: str, /) -> bytes: ...


def skip_lines(files: Files) -> tuple[str, ...]:
    """What is skipped of the files, once they are listed: a line for each reason."""
    return tuple(f"{count} skipped: {what}" for what, count in sorted(files.skipped.items()))


def user_path(text: str) -> Path:
    """The path that a user gave, a leading ~ expanded, as shells do not inside `data.path=~/file`."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - leaves an unknown ~name as it is; pathlib raises


def is_clutter(name: str) -> bool:
    """Whether any part of a name is hidden, or of the kind that systems leave behind."""
    parts = name.rstrip("/").split("/")
    return any((part.startswith(".") and part != "..") or part.lower() in CLUTTER for part in parts)


def read_file(files: Files, name: str) -> bytes:
    """The content of one file. Raises DataError where it is damaged or cannot be read."""
    try:
        return files.read(name)
    except DataError:
        raise
    except DAMAGE as error:
        raise DataError(f"{name} cannot be read ({reason(error)}): download or copy it again") from error


def require_modest(size: int, name: str) -> None:
    """Raises DataError where a file is so large that it cannot be what it should be."""
    if size > LARGEST:
        raise DataError(f"{name} holds {size} bytes, more than the {LARGEST} that are read of one file: remove it")


class FolderFiles:
    """All files and folders in a folder. Of what links lead to as well, the real place is taken."""

    def __init__(self, root: Path) -> None:
        self.root, self.skipped = root, Counter[str]()

    def namelist(self) -> list[str]:
        self.skipped.clear()
        names: list[str] = []
        seen = {(one.st_dev, one.st_ino) for one in (above.stat() for above in self.root.resolve().parents)}
        real, links = [""], deque[str]()
        while real or links:
            name = real.pop() if real else links.popleft()
            status = (self.root / name).stat()
            if (status.st_dev, status.st_ino) in seen:
                self.skipped[TWICE] += 1
                continue
            seen.add((status.st_dev, status.st_ino))
            names += [name] if name else []
            for path, entry in self._entries(name) if stat.S_ISDIR(status.st_mode) else ():
                if entry.is_symlink():
                    links.append(path)
                elif path.endswith("/"):
                    real.append(path)
                else:
                    seen.add((status.st_dev, entry.inode()))
                    names.append(path)
        return names

    def _entries(self, folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """What lies in a folder and can be read, in the order of names."""
        try:
            with os.scandir(self.root / folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            raise DataError(f"{self.root / folder} cannot be opened ({reason(error)}): allow it or move it") from error
        for entry in entries:
            if is_clutter(entry.name):
                continue
            if (ending := _ending(entry)) is None:
                self.skipped[NOWHERE if entry.is_symlink() else ODD] += 1
            else:
                yield f"{folder}{entry.name}{ending}", entry

    def read(self, name: str, /) -> bytes:
        path = self.root / name
        require_modest(path.stat().st_size, name)
        return path.read_bytes()


def _ending(entry: os.DirEntry[str]) -> str | None:
    """What a name ends with: / of a folder, nothing of a file. None is neither, or leads nowhere or to itself."""
    try:
        return "/" if entry.is_dir() else "" if entry.is_file() else None
    except OSError:
        return None
