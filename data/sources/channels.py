"""The channels that MotionSense offers, by name.

Each recording has twelve columns in four groups of three axes. A thirteenth thing of interest is their sum
total_acceleration = gravity + userAcceleration: what the accelerometer itself measures, in g.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from duograd.data.errors import DataError

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
        raise DataError("data.channels=[] asks for no channel: name some, such as [total_acceleration]")
    found = [channel for name in names for channel in _find(name)]
    for index, channel in enumerate(found):
        if channel in found[:index]:
            raise DataError(f"data.channels asks for '{channel.name}' twice: name it once")
    return tuple(found)


def _find(name: str) -> tuple[Channel, ...]:
    if name not in KNOWN:
        known = f"known: {', '.join(GROUPS)}, and each with its axis, such as gravity.x or attitude.roll"
        raise DataError(f"data.channels has unknown channel '{name}': {did_you_mean(name, list(KNOWN))}{known}")
    return KNOWN[name]


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """A question to open a hint with, or nothing where no known name is near."""
    lowered = {one.lower(): one for one in known}
    return "".join(f"did you mean '{lowered[match]}'? " for match in get_close_matches(name.lower(), lowered, n=1))


def units_of(channels: Sequence[Channel]) -> str:
    """The channels' units, each once: `g`, or `g, rad/s`."""
    return ", ".join(dict.fromkeys(channel.unit for channel in channels))
