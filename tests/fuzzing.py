"""What both fuzz tests share: how many cases, how bytes are damaged, and what may be written where."""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FEW, MANY = 100, int(os.environ.get("DUOGRAD_FUZZ", "10000"))  # cases of `make test`, and of `make test-all`
SLOWEST, MOST_MEMORY = 60.0, 2 << 30  # seconds of a case; bytes that all of them may add to the process
TOKENS = [
    *(
        b"\x00" * 8,
        b"\xff" * 8,
        b"\x7f\xff\xff\xff",
        b"\x80\x05",
        b"null",
        b"NaN",
        b"-1",
        b"1e999",
        b"999999999999999999999",
    ),
    *(
        b"{",
        b"}",
        b"[" * 40,
        b'"',
        b"'",
        b"${",
        b"${a}",
        b"&a *a",
        b"!!python/object:os.system",
        b": ",
        b"- ",
        b"\n",
        b"\r",
        b"\t",
    ),
    *(
        b",",
        b";",
        b"../../../x",
        b"/etc/passwd",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"PK\x03\x04",
        b"ustar",
        b"IDAT",
        b"\xff\xd9",
    ),
]
damages = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "drop", "insert", "overwrite", "repeat", "random"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
        st.sampled_from(TOKENS),
    ),
    min_size=1,
    max_size=4,
)


def damaged(content: bytes, how: list[tuple[str, float, int, bytes]]) -> bytes:
    """The content with so many things wrong in it."""
    data = bytearray(content)
    for what, where, number, token in how:
        place = int(where * len(data))
        match what:
            case "flip" if data:
                data[place] ^= 1 << number % 8
            case "cut":
                del data[place:]
            case "drop":
                del data[place : place + 1 + number]
            case "insert":
                data[place:place] = token
            case "overwrite":
                data[place : place + len(token)] = token
            case "repeat":
                data[place:place] = data[place : place + 16 * number]
            case "random":
                data[place : place + 4] = bytes([number, 255 - number, number // 2, 1])
    return bytes(data)


def cases(count: int) -> settings:
    """So many cases, the same in every run."""
    return settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


class Tally:
    """What came of the cases: how many, how many refused, the slowest, and what the process grew by."""

    def __init__(self) -> None:
        self.tried, self.refused, self.slowest = 0, 0, 0.0
        self._before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def add(self, refused: bool, since: float, case: object) -> None:
        """A case is over, which began at `since` by time.process_time: seconds are the processor's, not the clock's."""
        seconds = time.process_time() - since
        assert seconds < SLOWEST, case
        self.tried, self.refused, self.slowest = self.tried + 1, self.refused + refused, max(self.slowest, seconds)

    def report(self, record_property: Callable[[str, object], None], what: str, else_: str) -> None:
        """For pytest's summary: `100 command lines: 79 refused in a line, 21 begun; at most 0.7 s, 9 MB`."""
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - self._before) * 1024
        assert grown < MOST_MEMORY
        record_property(
            "count",
            f"{self.tried} {what}: {self.refused} refused in a line, {self.tried - self.refused} {else_}; "
            f"at most {self.slowest:.1f} s, {grown / 1e6:.0f} MB",
        )


class Confinement:
    """Remembers, and refuses, what is written outside of a folder: Python tells it of every file that it opens."""

    WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod")

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.escapes: list[str] = []
        sys.addaudithook(self._look)  # there is no way to take it back: it looks while there is a folder

    @contextmanager
    def to(self, folder: Path) -> Iterator[None]:
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        self.folder, self.escapes = folder.resolve(), []
        try:
            yield
        finally:
            self.folder, tempfile.tempdir = None, before

    def _look(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.folder is None:
            return
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & self.WRITES
        if (writes or event in self.CHANGES) and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100 - a Path would resolve links
            if not self._allowed(path):
                self.escapes.append(path)
                raise PermissionError(1, "outside of the fuzzed folder", path)

    def _allowed(self, path: str) -> bool:
        assert self.folder is not None
        return Path(path).is_relative_to(self.folder) or path.startswith("/dev/") or "__pycache__" in path
