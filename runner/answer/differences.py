"""In what runs differ: the parameters that are not the same in all, their short names, and labels for the runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from duograd.runner.answer.records import Record, hashable

Values = Mapping[str, Any]

SEED = "seed"
# Groups: what follows from the option that was chosen of one says no more than the option's name.
GROUPS = ("task", "data", "model", "loss", "optimizer", "schedule", "backend")


class _Absent:
    """The value of a parameter that a run does not have, such as momentum with optimizer=adam."""

    def __repr__(self) -> str:
        return "–"


ABSENT = _Absent()


@dataclass(frozen=True)
class Axis:
    """A parameter along which runs are laid out. values: in the order of a table's rows."""

    key: str
    name: str
    values: tuple[Any, ...]


def differing(records: Sequence[Record]) -> list[str]:
    """The keys whose values differ, swept ones first; without those that only some options of a group have at all."""
    known = [values for record in records if (values := record.parameters)]
    swept = list(dict.fromkeys(key for record in records for key in record.swept))
    keys = dict.fromkeys([*swept, *(key for values in known for key in values)])
    found = [key for key in keys if len({values.get(key, ABSENT) for values in known}) > 1]
    chosen = [key for key in found if key in GROUPS]
    return [key for key in found if not (_group(key) in chosen and any(key not in values for values in known))]


def axes(records: Sequence[Record], typed: Mapping[str, Sequence[Any]]) -> list[Axis]:
    """What the runs are laid out along: the swept keys; else those that differ and do not follow from a group's option.

    typed: the values of swept keys in their order, where it is known. The seed is no axis: runs that differ in it
    alone are replicates.
    """
    keys = differing(records)
    known = [values for record in records if (values := record.parameters)]
    chosen = [key for key in keys if any(key in record.swept for record in records)] or _independent(keys, known)
    names = short_names(keys)
    return [Axis(key, names[key], _ordered(key, known, typed.get(key, ()))) for key in chosen if key != SEED]


def _group(key: str) -> str:
    return key.partition(".")[0] if "." in key else ""


def _independent(keys: Sequence[str], known: Sequence[Values]) -> list[str]:
    """The keys that do not follow from the options of groups; of groups, those that do not follow from larger ones."""
    options: list[str] = []
    for group in sorted((key for key in keys if key in GROUPS), key=lambda key: -_points([key], known)):
        if not _follows(group, options, known):
            options.append(group)
    return [key for key in keys if key in options or (key not in GROUPS and not _follows(key, options, known))]


def _follows(key: str, options: list[str], known: Sequence[Values]) -> bool:
    """Whether the options decide the value of the key."""
    return bool(options) and _points([*options, key], known) == _points(options, known)


def _points(keys: Sequence[str], known: Sequence[Values]) -> int:
    """How many different values the keys have together."""
    return len({tuple(values.get(key, ABSENT) for key in keys) for values in known})


def _ordered(key: str, known: Sequence[Values], typed: Sequence[Any]) -> tuple[Any, ...]:
    """Numbers by size; names in the order in which they were typed, else in which they come."""
    values = list(dict.fromkeys(values.get(key, ABSENT) for values in known))
    if all(is_number(value) for value in values):
        return tuple(sorted(values))
    order = [shown(hashable(value)) for value in typed]
    return tuple(sorted(values, key=lambda value: order.index(shown(value)) if shown(value) in order else len(order)))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """By key the shortest ending that no other key shares: `loss.lambda` -> `lambda`."""

    def ending(key: str, parts: int) -> str:
        return ".".join(key.split(".")[-parts:])

    names = {}
    for key in keys:
        longest = key.count(".") + 1
        unique = (n for n in range(1, longest) if Counter(ending(k, n) for k in keys)[ending(key, n)] == 1)
        names[key] = ending(key, next(unique, longest))
    return names


def shown(value: Any) -> str:
    """A value as it would be typed: 1e-05, 0, true, null, [64,32]."""
    if isinstance(value, tuple):
        return f"[{','.join(shown(item) for item in value)}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def label(values: Values, along: Sequence[Axis]) -> str:
    """`hidden_size=50 lambda=1e-05`."""
    return " ".join(f"{axis.name}={shown(values.get(axis.key, ABSENT))}" for axis in along)
