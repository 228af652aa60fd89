"""Where MotionSense recordings lie: in its zip archive, read without unpacking, or in a folder, in its own layout."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from duograd.data.errors import DataError
from duograd.data.sources.archive import Files, open_zip
from duograd.data.sources.channels import did_you_mean

TOP = "A_DeviceMotion_data"
CODES = ("dws", "jog", "sit", "std", "ups", "wlk")  # in the order of windows.ACTIVITIES
LAYOUT = f"{TOP}/<activity>_<trial>/sub_<person>.csv, activities {', '.join(CODES)}"
DEEPEST = 4  # folders above a recording: unpacked twice over, as Kaggle's copy is, and one to spare
NAME = re.compile(r"(?:.*/)?([^/]+)_(\d+)/sub_(\d+)\.csv")


class Folder(NamedTuple):
    """The CSV files in a folder, as a ZipFile would offer them."""

    root: Path

    def namelist(self) -> list[str]:
        patterns = ["*/" * depth + "sub_*.csv" for depth in range(1, DEEPEST + 1)]
        return [path.relative_to(self.root).as_posix() for pattern in patterns for path in self.root.glob(pattern)]

    def read(self, name: str, /) -> bytes:
        return (self.root / name).read_bytes()


class Recording(NamedTuple):
    """One file: its activity (an index into CODES), which trial of it, whose, and its name."""

    activity: int
    trial: int
    person: int
    name: str


@contextmanager
def open_files(root: Path) -> Iterator[Files]:
    """The files of a zip archive, of a folder, or of the archive in a folder (the authors' repository holds it so).

    Raises DataError where `root` is none of these, or is damaged.
    """
    if (zipped := root / f"{TOP}.zip").is_file() and not (root / TOP).exists():
        root = zipped
    if not root.exists():
        raise DataError(
            f"data.root={root} does not exist: give {TOP}, a folder or a zip archive, or use data=gait (simulated)"
        )
    if root.is_dir():
        yield Folder(root)
        return
    with open_zip(root) as archive:
        yield archive


def find_recordings(names: Sequence[str], root: Path) -> list[Recording]:
    """The recordings among `names`, sorted; what macOS adds (__MACOSX, ._sub_1.csv) and other files are passed over.

    Raises DataError where there is none, one of an unknown activity, or one twice.
    """
    matches = [match for name in names if (match := NAME.fullmatch(name)) and "__MACOSX" not in name]
    inside = [match for match in matches if TOP in match[0].split("/")]  # beside it lie recordings of other sensors
    found = sorted(_recording(match) for match in inside or matches)
    if not found:
        raise DataError(f"data.root={root} holds no recordings: give a folder or zip archive with {LAYOUT}")
    for one, other in pairwise(found):
        if one[:3] == other[:3]:
            raise DataError(f"{one.name} and {other.name} are the same recording: remove one of them")
    return found


def _recording(match: re.Match[str]) -> Recording:
    code, trial, person = match.groups()
    if code not in CODES:
        raise DataError(f"{match[0]}: unknown activity '{code}': {did_you_mean(code, CODES)}known: {', '.join(CODES)}")
    return Recording(CODES.index(code), int(trial), int(person), match[0])
