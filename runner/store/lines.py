"""Files of JSON lines (metrics.jsonl, steps.jsonl): one writer, and one reader that may follow it while it writes."""

import json
import math
import os
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import FileIO
from itertools import takewhile
from pathlib import Path
from typing import Any

from duograd.runner.store.files import naming

Row = dict[str, Any]
MOST_EPOCHS = 10_000_000  # a larger number is damage, and its columns would fill the memory
Epoch = tuple[int, dict[str, float]]  # its number, counted from 1, and its finite metrics


class Writer:
    """Appends rows. Each call is one write: whole, or torn only by a full disk. checksum: of all that stands there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checksum = 0
        self._file: FileIO | None = None

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Raises OSError, which names the file."""
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        with naming(self.path):
            self._file = self._file or FileIO(self.path, "a")
            left = content
            while left:
                left = left[self._file.write(left) :]
        self.checksum = zlib.crc32(content, self.checksum)

    def open(self) -> None:
        """Makes the file, where there is none."""
        self.write([])

    def close(self) -> None:
        """Until the next row."""
        if self._file:
            self._file.close()
        self._file = None

    def cut(self, known: Callable[[Row], bool]) -> None:
        """Drops everything after the first rows that are whole and known."""
        rows = ((line, _row(line)) for line in whole_lines(self.path))
        kept = b"".join(line for line, row in takewhile(lambda pair: pair[1] is not None and known(pair[1]), rows))
        if self.path.exists():
            os.truncate(self.path, len(kept))
        self.checksum = zlib.crc32(kept)


class Tail:
    """Reads a file that may be growing: each call gives the rows that are whole and new since the last.

    A torn last line waits for its end. What is no object (half a line of a full disk, with the next one behind it) is
    left out. A file that was cut back is read from its start again: the caller knows what it has.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def new(self) -> list[Row]:
        """The rows; none where there is no file."""
        try:
            with self.path.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self._offset:
                    self._offset = 0
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [row for line in whole.splitlines() if (row := _row(line)) is not None]


def whole_lines(path: Path) -> list[bytes]:
    """The lines of a file with their ends, without a torn last one; none where there is no file."""
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1].splitlines(keepends=True)


def read(path: Path) -> list[Row]:
    """All whole rows of a file."""
    return Tail(path).new()


def columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The rows by name: a value each, None where a row lacks it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def epochs(rows: Iterable[Row]) -> list[Epoch]:
    """Rows of metrics.jsonl as their epochs and what can be drawn of them; those without an epoch are left out."""
    numbered = [row for row in rows if type(row.get("epoch")) is int and 0 < row["epoch"] <= MOST_EPOCHS]
    return [(row["epoch"], finite({name: v for name, v in row.items() if name != "epoch"})) for row in numbered]


def finite(values: Mapping[str, Any]) -> dict[str, float]:
    """The numbers that a chart can show."""
    numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
    return {name: float(value) for name, value in numbers.items() if math.isfinite(value)}


def _row(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
