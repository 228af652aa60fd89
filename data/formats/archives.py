"""Zip and tar archives, whoever wrote them, read without unpacking them beside themselves."""

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from duograd.data.errors import DataError, reason
from duograd.data.formats.files import DAMAGE, ODD, RATIO, UNPACKED, Files, FolderFiles, is_clutter, require_modest

CHUNK = 1 << 20
ENCRYPTED, UTF8_NAME = 0x1, 0x800  # a zip entry's flags
LINKS = "links in an archive"
# Archives by their first bytes: tar archives that are compressed, and those that are not read.
COMPRESSED: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
OTHERS = {b"Rar!": "RAR", b"7z\xbc\xaf": "7-Zip", b"\x28\xb5\x2f\xfd": "Zstandard"}


@contextmanager
def open_files(root: Path, what: str) -> Iterator[Files]:
    """The files of a folder, or of a zip or tar archive; `what` is what an error asks for.

    Raises DataError where there is none, or it is damaged.
    """
    if not root.exists():
        raise DataError(f"data.root={root} does not exist: give {what}")
    if not root.is_dir() and not root.is_file():
        raise DataError(f"data.root={root} is neither a folder nor a file: give {what}")
    with ExitStack() as stack:
        yield FolderFiles(root) if root.is_dir() else _open_archive(root, stack)


def _open_archive(path: Path, stack: ExitStack) -> Files:
    with path.open("rb") as file:
        head = file.read(8)
    if other := [name for start, name in OTHERS.items() if head.startswith(start)]:
        raise DataError(f"{path} is a {other[0]} archive, which is not read: unpack it, and give the folder")
    unpack = next((one for start, one in COMPRESSED.items() if head.startswith(start)), None)
    form = "tar" if unpack or tarfile.is_tarfile(path) else "zip"
    try:
        if form == "zip":
            return ZipFiles(stack.enter_context(zipfile.ZipFile(path)))
        source = stack.enter_context(unpack(path) if unpack else path.open("rb"))
        return TarFiles(_unpack(path, source, stack) if unpack else source)
    except DataError:
        raise
    except DAMAGE as error:
        what = f"{path} cannot be read as a {form} archive ({reason(error)})"
        raise DataError(f"{what}: download or copy it again") from error


class ZipFiles:
    """The files of a zip archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive, self.skipped = archive, Counter[str]()
        self.entries: dict[str, zipfile.ZipInfo] = {}
        for entry in archive.infolist():
            if stat.S_ISLNK(entry.external_attr >> 16):
                self.skipped[LINKS] += 1
            elif not is_clutter(name := _entry_name(entry)):
                self.entries[name] = entry

    def namelist(self) -> list[str]:
        return list(self.entries)

    def read(self, name: str, /) -> bytes:
        require_modest(self.entries[name].file_size, name)
        if self.entries[name].flag_bits & ENCRYPTED:
            raise DataError(f"{name} is encrypted: unpack the archive, and give the folder")
        return self.archive.read(self.entries[name])


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """The name in a zip archive: Windows writes backslashes between folders, macOS UTF-8 without saying so."""
    name = entry.filename if "/" in entry.filename else entry.filename.replace("\\", "/")
    if not entry.flag_bits & UTF8_NAME:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return _normal(name)


class TarFiles:
    """The files of a tar archive that is not, or no longer, compressed."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.skipped = file, Counter[str]()
        self.places: dict[str, tuple[int, int]] = {}  # where each begins, and its size
        with tarfile.open(fileobj=file, mode="r:") as archive:
            while member := archive.next():
                archive.members.clear()  # type: ignore[attr-defined] # it would keep a million
                self._add(member, _normal(f"{member.name}/" if member.isdir() else member.name))

    def _add(self, member: tarfile.TarInfo, name: str) -> None:
        if not member.isdir() and (not member.isfile() or member.issparse()):
            self.skipped[LINKS if member.issym() or member.islnk() else ODD] += 1
        elif not is_clutter(name):
            self.places[name] = member.offset_data, member.size

    def namelist(self) -> list[str]:
        return list(self.places)

    def read(self, name: str, /) -> bytes:
        start, size = self.places[name]
        require_modest(size, name)
        content = os.pread(self.file.fileno(), size, start)  # several threads may ask at once
        if len(content) < size:
            raise tarfile.ReadError("the archive ends too early")
        return content


def _normal(name: str) -> str:
    """`cat/1.png` of `./cat//1.png`; the name of a folder still ends with /."""
    return "/".join(part for part in name.split("/") if part not in ("", ".")) + ("/" if name.endswith("/") else "")


def _unpack(path: Path, source: IO[bytes], stack: ExitStack) -> IO[bytes]:
    """A compressed archive in a temporary file without a name: to go back in the compressed one is to begin again."""
    file: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    limit = max(UNPACKED, RATIO * path.stat().st_size)
    while chunk := source.read(CHUNK):
        file.write(chunk)
        if file.tell() > limit:
            raise DataError(f"{path} unpacks to more than {limit} bytes: unpack it yourself, and give the folder")
    file.seek(0)
    return file
