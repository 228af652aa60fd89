"""In what runs differ: the parameters that are not the same in all, their short names, and labels for the runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from duograd.runner.report.records import Record
from duograd.runner.store.overrides import hashable, short_names

Values = Mapping[str, Any]

SEED = "seed"
LENGTH = "epochs"  # a run that trained longer is another setting, whatever its sweep varied
REPLICATES = {SEED: "seed", "data.fold": "fold"}  # what runs of one setting may differ in, and one of them in a word
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
    """The keys whose values differ, swept ones first; without those that only some options of a group have at all,
    where each has one value.

    A job that has not begun has its swept keys and no configuration: the others are unknown, not absent.
    """
    rows = [record.parameters for record in records if record.config] or [record.parameters for record in records]
    pending = [record.parameters for record in records if not record.config]
    swept = list(dict.fromkeys(key for record in records for key in record.swept))
    keys = dict.fromkeys([*swept, *(key for values in [*rows, *pending] for key in values)])
    values_of = {
        key: {values.get(key, ABSENT) for values in rows} | {values[key] for values in pending if key in values}
        for key in keys
    }
    different = [key for key in keys if len(values_of[key]) > 1]
    chosen = [key for key in different if key in GROUPS]
    return [key for key in different if not (_group(key) in chosen and _follows(key, rows))]


def _follows(key: str, rows: Sequence[Values]) -> bool:
    """Whether some options of the key's group do not have it, and the option alone says its value of the others."""
    return any(key not in values for values in rows) and _determine([_group(key)], key, rows)


def swept_axes(records: Sequence[Record], typed: Mapping[str, Sequence[Any]]) -> list[Axis]:
    """What the runs are laid out along: the swept keys, and epochs where a job was resumed alone to train longer; else
    those that differ and no group's option determines.

    typed: the values of swept keys in their order, where it is known. Seed and fold are no axes: runs that differ in
    them alone are replicates.
    """
    keys = differing(records)
    rows = [record.parameters for record in records if record.config or record.parameters]
    swept = [key for key in keys if any(key in record.swept for record in records)]
    chosen = [*swept, *({LENGTH} & set(keys) - set(swept))] if swept else _undetermined(keys, rows)
    names = short_names(keys)
    return [Axis(key, names[key], _ordered(key, rows, typed.get(key, ()))) for key in chosen if key not in REPLICATES]


def _group(key: str) -> str:
    return key.partition(".")[0] if "." in key else ""


def _undetermined(keys: Sequence[str], rows: Sequence[Values]) -> list[str]:
    """The keys that no group's option determines; of groups, those that groups of more options do not.

    sgd with lr 0.9 and adam with lr 1e-3, over and over: optimizer determines lr, and is the only axis. Where sgd was
    run with 0.9 and with 0.1, it does not, and both are axes.
    """
    options: list[str] = []
    for group in sorted((key for key in keys if key in GROUPS), key=lambda key: -_distinct([key], rows)):
        if not _determine(options, group, rows):
            options.append(group)
    return [key for key in keys if key in options or (key not in GROUPS and not _determine(options, key, rows))]


def _determine(options: list[str], key: str, rows: Sequence[Values]) -> bool:
    """Functional dependency, options → key: whether rows of the same options always have the same value of the key."""
    return bool(options) and _distinct([*options, key], rows) == _distinct(options, rows)


def _distinct(keys: Sequence[str], rows: Sequence[Values]) -> int:
    """How many different values the keys have together."""
    return len({tuple(values.get(key, ABSENT) for key in keys) for values in rows})


def _ordered(key: str, rows: Sequence[Values], typed: Sequence[Any]) -> tuple[Any, ...]:
    """Numbers by size; names in the order in which they were typed, else in which they come."""
    values = list(dict.fromkeys(values.get(key, ABSENT) for values in rows))
    if all(is_number(value) for value in values):
        return tuple(sorted(values))
    order = {format_value(hashable(value)): k for k, value in enumerate(typed)}
    return tuple(sorted(values, key=lambda value: order.get(format_value(value), len(order))))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def format_value(value: Any) -> str:
    """A value as it would be typed: 1e-05, 0, true, null, [64,32]."""
    if isinstance(value, tuple):
        return f"[{','.join(format_value(item) for item in value)}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def label(values: Values, axes: Sequence[Axis]) -> str:
    """`hidden_size=50 lambda=1e-05`."""
    return " ".join(f"{axis.name}={format_value(values.get(axis.key, ABSENT))}" for axis in axes)
