"""The points of a grid, from what was typed: every value with every other, but for what the sweep says otherwise.

`sweep.zip=[a,b]` pairs the values of a and b. In a sweep's YAML, `hydra.sweeper.sets` are grids whose union it is, and
`hydra.sweeper.only` are conditions (`model.dense: model=lstm`: that key counts only where the model is lstm).
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from duograd.runner.errors import UserError, suggestion
from duograd.runner.store.overrides import by_key, key_of, parse_all

MOST_JOBS = 100_000

Point = list[str]
"""The overrides of a job."""


@dataclass(frozen=True)
class Preset:
    """What a sweep's YAML brings along: params, by key, for all sets; sets: of more params each; only: conditions."""

    params: Mapping[str, Any]
    sets: Sequence[Mapping[str, Any]] = ()
    only: Mapping[str, str] | None = None


def points(preset: Preset, arguments: Sequence[str], pairing: Any = ()) -> list[Point]:
    """The grid: overrides of each job, fixed ones as they were typed; of two for one key the last counts.

    arguments: what was typed, which counts more than a set, and that more than params. pairing: keys, or lists of keys,
    whose values go in pairs. Inside an initialised Hydra. Raises UserError where no key is swept, for one without
    values, for one that has no end of them, for pairs that do not come out even and for conditions that never hold.
    """
    _refuse_other_forms(preset)
    groups = _groups(pairing)
    texts = [[*_typed(preset.params), *_typed(more), *arguments] for more in preset.sets or [{}]]
    parsed = [{override.get_key_element(): override for override in parse_all(typed)} for typed in texts]
    several = len(texts) > 1 or any(override.is_sweep_override() for override in parsed[0].values())
    if not several and "sweep.seeds" not in parsed[0]:
        raise UserError("nothing to sweep: give a key several values, such as -m model.hidden_size=10,50,100")
    every = [point for last in parsed for point in _grid(last, groups)]
    chosen = _only(every, preset.only or {})
    return [list(point) for point in dict.fromkeys(map(tuple, chosen))]


def _refuse_other_forms(preset: Preset) -> None:
    """Raises UserError where a sweep's YAML holds something else than keys with their values."""
    listed = isinstance(preset.sets, Sequence) and not isinstance(preset.sets, str)
    sets = [("sets", one) for one in (preset.sets if listed else [str(preset.sets)])]
    for key, part in (("params", preset.params), ("only", preset.only or {}), *sets):
        if not isinstance(part, Mapping):
            form = '- {model: "gru,lstm"}' if key == "sets" else "key: value"
            raise UserError(f"hydra.sweeper.{key}: {part}: expected {form}")


def _groups(pairing: Any) -> list[list[str]]:
    """Lists of keys, from one such list or several. Raises UserError for anything else."""
    if isinstance(pairing, str) or not all(isinstance(item, str) or _is_list_of_keys(item) for item in pairing):
        raise UserError(f"sweep.zip={pairing}: expected keys, such as sweep.zip=[model.hidden_size,optimizer.lr]")
    pairs, keys = ([item for item in pairing if isinstance(item, str) == one] for one in (False, True))
    return [*map(list, pairs), *([keys] if keys else [])]


def _is_list_of_keys(item: Any) -> bool:
    return not isinstance(item, str) and isinstance(item, Sequence) and all(isinstance(key, str) for key in item)


def _typed(params: Mapping[str, Any]) -> list[str]:
    return [f"{key}={value}" for key, value in params.items()]


def _grid(last: Mapping[str, Any], pairing: Sequence[Sequence[str]]) -> list[Point]:
    columns = {str(override.key_or_group): _values(key, override) for key, override in last.items()}
    blocks = _blocks(columns, pairing)
    if (jobs := math.prod(map(len, blocks))) > MOST_JOBS:
        raise UserError(f"the grid has {jobs} jobs, more than {MOST_JOBS}: name fewer values, or search them")
    return [list(itertools.chain(*point)) for point in itertools.product(*blocks)]


def _blocks(columns: Mapping[str, list[str]], pairing: Sequence[Sequence[str]]) -> list[list[tuple[str, ...]]]:
    """Values that go together: those of one key, or the pairs of several, where the first of these stands."""
    group_of: dict[str, Sequence[str]] = {}
    for keys in pairing:
        for key in keys:
            if key not in columns:
                swept = [name for name, values in columns.items() if len(values) > 1]
                raise UserError(f"sweep.zip: '{key}' is not swept here{suggestion(key, swept)}")
            if key in group_of:
                raise UserError(f"sweep.zip: '{key}' stands there twice: its values have one partner")
            group_of[key] = keys
        if len({len(columns[key]) for key in keys}) > 1:
            counts = ", ".join(f"{key} has {len(columns[key])}" for key in keys)
            raise UserError(f"sweep.zip needs as many values of each: {counts}")
        if len(keys) < 2:
            raise UserError(f"sweep.zip: '{keys[0]}' has no partner; name the keys whose values go together")
    groups = dict.fromkeys(tuple(group_of.get(key, (key,))) for key in columns)
    return [list(zip(*(columns[key] for key in keys), strict=True)) for keys in groups]


def _only(every: Sequence[Point], conditions: Mapping[str, str]) -> list[Point]:
    """The points without what counts only elsewhere."""
    rows = [by_key(point) for point in every]
    for key, condition in conditions.items():
        allowed = _parsed(key, condition)
        if key in allowed:
            raise UserError(f"hydra.sweeper.only: {key}: {condition}: a key cannot depend on itself")
        for name in (key, *allowed):
            if not any(name in row for row in rows):
                raise UserError(f"hydra.sweeper.only: {key}: no job sets {name}; give it values, or leave this out")
        if not any(_holds(allowed, row) for row in rows):
            raise UserError(f"hydra.sweeper.only: {key}: {condition} never holds; correct it, or leave {key} out")
    needed = {key: _parsed(key, condition) for key, condition in conditions.items()}
    return [
        [text for text in point if key_of(text) not in needed or _holds(needed[key_of(text)], row)]
        for point, row in zip(every, rows, strict=True)
    ]


def _parsed(key: str, condition: Any) -> dict[str, list[str]]:
    """`model=lstm,gru optimizer=adam`: the values that each key may have."""
    parts = [part.partition("=") for part in str(condition).split()]
    if not parts or not all(name and values for name, _, values in parts):
        raise UserError(f"hydra.sweeper.only: {key}: {condition}: expected a condition such as model=lstm,gru")
    return {name: values.split(",") for name, _, values in parts}


def _holds(allowed: Mapping[str, list[str]], row: Mapping[str, str]) -> bool:
    return all(row.get(name) in values for name, values in allowed.items())


def _values(key: str, override: Any) -> list[str]:
    if not override.is_sweep_override():
        return [override.input_line]
    if not override.is_discrete_sweep():
        raise UserError(f"{override.input_line}: a grid needs values one by one: a,b,c or range() or choice()")
    refuse_standing(override)
    return [f"{key}={value}" for value in some_values(override.sweep_string_iterator(), override.input_line, "grid")]


def refuse_standing(override: Any) -> None:
    """Raises UserError for a range that would never come to its end."""
    if override.is_range_sweep() and override.value().step == 0:
        raise UserError(f"{override.input_line}: a range needs a step that is not 0")


def some_values(values: Iterable[Any], typed: str, what: str) -> list[Any]:
    """The values of one key. Raises UserError for none, and for more than any sweep can have."""
    bounded = list(itertools.islice(values, MOST_JOBS + 1))
    if not bounded:
        raise UserError(f"{typed} has no value: the {what} is empty")
    if len(bounded) > MOST_JOBS:
        raise UserError(f"{typed} has more than {MOST_JOBS} values: name fewer")
    return bounded
