"""Python's values as overrides: `seed=1`, `{"model.dense": [64, 32]}`; and lists of values as the axes of a sweep."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from duograd.runner.arguments import as_word, readable, refuse_what_is_no_override
from duograd.runner.errors import UserError
from duograd.runner.store.overrides import parse

Typed = str | Mapping[str, Any]
"""Overrides as on the command line, `"model=gru"`, or values by key, `{"model.hidden_size": 50}`."""


@dataclass(frozen=True)
class Interval:
    """See `interval`."""

    low: float
    high: float
    log: bool = False

    def __str__(self) -> str:
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        bounds = f"interval({self.low},{self.high})"
        kind = f"int({bounds})" if whole else bounds
        return f"tag(log,{kind})" if self.log else kind


def interval(low: float, high: float, log: bool = False) -> Interval:
    """An axis of a search: numbers from low to high, whole ones where both are; log: as likely in each decade."""
    return Interval(low, high, log)


def overrides(typed: Iterable[Typed], values: Mapping[str, Any]) -> list[str]:
    """All as they would be typed for one run. Raises UserError for a value that no configuration can hold."""
    texts = _texts(typed, values, word)
    for text in texts:
        if parse(readable(text)).is_sweep_override():
            raise UserError(f"{text} has several values: use duograd.sweep")
    return texts


def axes(typed: Iterable[Typed], values: Mapping[str, Any]) -> list[str]:
    """The same for many runs: a list, a range or an array has the values of an axis."""
    return _texts(typed, values, _axis)


def _texts(typed: Iterable[Typed], values: Mapping[str, Any], text: Any) -> list[str]:
    texts: list[str] = []
    for part in (*typed, values):
        if isinstance(part, str):
            refuse_what_is_no_override(part)
            texts.append(part)
        elif isinstance(part, Mapping):
            texts += [f"{key}={text(key, value)}" for key, value in part.items()]
        else:
            raise UserError(f"{part!r}: give overrides as text, 'model=gru', or by key, {{'model': 'gru'}}")
    return texts


def word(key: str, value: Any) -> str:
    """A value as Hydra's grammar has it, text between quotes where it needs them. Raises UserError."""
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case int() | float():
            return repr(value)
        case str() | os.PathLike():
            text = os.fspath(value)
            return f"'{text}'" if text.lower() in ("", "null") else as_word(text)
        case Mapping():
            return "{" + ",".join(f"{as_word(str(k))}:{word(key, v)}" for k, v in value.items()) + "}"
        case list() | tuple() | range():
            return "[" + ",".join(word(key, item) for item in value) + "]"
    raise UserError(f"{key}={value!r}: a configuration holds numbers, text, lists and nothing else")


def _axis(key: str, value: Any) -> str:
    """A list as the choices of an axis, a search's interval; other values as they are."""
    if isinstance(value, Interval):
        return str(value)
    items = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(items, Sequence) and not isinstance(items, str):
        if not items:
            raise UserError(f"{key} has no values: give one at least")
        return f"choice({','.join(word(key, item) for item in items)})"
    return word(key, value)
