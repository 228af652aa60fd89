"""MotionSense's own layout: recordings in a folder or in its zip archive, read without unpacking; and their channels.

Each recording has twelve columns in four groups of three axes. A thirteenth thing of interest is their sum
total_acceleration = gravity + userAcceleration: what the accelerometer itself measures, in g.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from duograd.data.errors import DataError, did_you_mean
from duograd.data.formats.archives import open_files
from duograd.data.formats.files import Files, skip_lines

TOP = "A_DeviceMotion_data"
CODES = ("dws", "jog", "sit", "std", "ups", "wlk")  # in the order of ACTIVITIES
LAYOUT = f"{TOP}/<activity>_<trial>/sub_<person>.csv, activities {', '.join(CODES)}"
NAME = re.compile(r"(?:.*/)?([^/]+)_(\d+)/sub_(\d+)\.csv")


class Recording(NamedTuple):
    """One file: its activity (an index into CODES), which trial of it, whose, and its name."""

    activity: int
    trial: int
    person: int
    name: str


@contextmanager
def open_recordings(root: Path) -> Iterator[Files]:
    """The files of an archive, of a folder, or of the archive in a folder (the authors' repository holds it so).

    Raises DataError where `root` is none of these, or is damaged.
    """
    zipped = root / f"{TOP}.zip"
    place = zipped if zipped.is_file() and not (root / TOP).exists() else root
    with open_files(place, f"{TOP}, a folder or a zip or tar archive, or use data=gait (simulated)") as files:
        yield files


def find_recordings(names: Sequence[str], root: Path) -> list[Recording]:
    """The recordings among `names`, sorted; other files are passed over.

    Raises DataError where there is none, one of an unknown activity, or one twice.
    """
    matches = [match for name in names if (match := NAME.fullmatch(name))]
    inside = [match for match in matches if TOP in match[0].split("/")]  # beside it lie recordings of other sensors
    recordings = sorted(_recording(match) for match in inside or matches)
    if not recordings:
        raise DataError(f"data.root={root} holds no recordings: give a folder or archive with {LAYOUT}")
    for one, other in pairwise(recordings):
        if one[:3] == other[:3]:
            raise DataError(f"{one.name} and {other.name} are the same recording: remove one of them")
    return recordings


def skip_notes(files: Files, names: Sequence[str], recordings: Sequence[Recording]) -> tuple[str, ...]:
    """How many CSV files are none of the `recordings`, and what else was skipped: a line for each reason."""
    others = sum(name.lower().endswith(".csv") for name in names) - len(recordings)
    lines = [f"{others} .csv skipped: not {TOP}/<activity>_<trial>/sub_<person>.csv"] if others else []
    return (*lines, *skip_lines(files))


def _recording(match: re.Match[str]) -> Recording:
    code, trial, person = match.groups()
    if code not in CODES:
        raise DataError(f"{match[0]}: unknown activity '{code}': {did_you_mean(code, CODES)}known: {', '.join(CODES)}")
    return Recording(CODES.index(code), int(trial), int(person), match[0])


UNITS = {"attitude": "rad", "gravity": "g", "rotationRate": "rad/s", "userAcceleration": "g", "total_acceleration": "g"}
SUMS = {"total_acceleration": ("gravity", "userAcceleration")}


class Channel(NamedTuple):
    """One channel: its name, the columns it is the sum of, and their unit."""

    name: str
    columns: tuple[str, ...]
    unit: str


def _axes(group: str) -> tuple[str, ...]:
    return ("roll", "pitch", "yaw") if group == "attitude" else ("x", "y", "z")


def _channel(group: str, axis: str) -> Channel:
    columns = tuple(f"{part}.{axis}" for part in SUMS.get(group, (group,)))
    return Channel(f"{group}.{axis}", columns, UNITS[group])


GROUPS = {group: tuple(_channel(group, axis) for axis in _axes(group)) for group in UNITS}
CHANNELS = {channel.name: (channel,) for group in GROUPS.values() for channel in group}
KNOWN = {**GROUPS, **CHANNELS}


def find_channels(names: Sequence[str]) -> tuple[Channel, ...]:
    """The channels asked for, in that order; the name of a group stands for its three axes.

    Raises DataError for no name, an unknown one, or a channel asked for twice.
    """
    if not names:
        raise DataError("data.channels=[] asks for no channel: name some, such as data.channels=[total_acceleration]")
    channels = [channel for name in names for channel in _find(name)]
    for index, channel in enumerate(channels):
        if channel in channels[:index]:
            raise DataError(f"data.channels asks for '{channel.name}' twice: name it once")
    return tuple(channels)


def _find(name: str) -> tuple[Channel, ...]:
    if name not in KNOWN:
        known = f"known: {', '.join(GROUPS)}, and each with its axis, such as gravity.x or attitude.roll"
        raise DataError(f"data.channels has unknown channel '{name}': {did_you_mean(name, list(KNOWN))}{known}")
    return KNOWN[name]


def units_of(channels: Sequence[Channel]) -> str:
    """The channels' units, each once: `g`, or `g, rad/s`."""
    return ", ".join(dict.fromkeys(channel.unit for channel in channels))
