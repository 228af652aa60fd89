"""What a user's file defines as data becomes a Source: a function that returns samples, or all of a DataSet.

    (inputs, targets)                              is split by fractions
    {"train": (inputs, targets), "val": …, "test": …}  is split as it is given
    duograd.data.dataset.DataSet                   is taken as it is

Legend: N samples, V values of a target.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from duograd.data.dataset import Array, DataSet, Split
from duograd.data.errors import DataError
from duograd.data.folds import FoldedConfig
from duograd.data.source import Source
from duograd.data.splits import split_fairly
from duograd.data.targets import Kind, Targets, read_targets
from duograd.runner.errors import UserError
from duograd.runner.own.finding import named, only
from duograd.runner.own.keys import arguments, config_class, keys_of

GIVEN = ("dtype",)
SPLITS = ("train", "val", "test")
REMEDY = "write a function that returns (inputs, targets)"
Index = dict[str, NDArray[np.intp]]
"""The samples of each split."""


class OwnSourceConfig(FoldedConfig):
    """Fractions and folds are of the samples, of each class alike; what comes in splits stays so."""

    validation_fraction: float = Field(default=0.15, ge=0, lt=1)
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    target_kind: Kind | None = None

    @property
    def known_targets(self) -> str | None:
        """See SourceConfig."""
        return self.target_kind


def source(module: ModuleType, name: str | None, where: str) -> Source:
    """The source that a file declares or defines. Raises UserError."""
    thing = named(module, name, where) if name else getattr(module, "SOURCE", None)
    thing = thing or only(module, _is_function, where, "data", REMEDY)
    return thing if isinstance(thing, Source) else of_thing(thing, where)


def of_thing(thing: Any, where: str) -> Source:
    """The source of a function. Raises UserError."""
    if not callable(thing):
        raise UserError(f"{where} is a {type(thing).__name__}: {REMEDY}")
    keys = keys_of(thing, GIVEN, taken=("name", "target_kind", "file", "hash"))

    class Reading(OwnSourceConfig):
        def read(self, dtype: np.dtype[Any]) -> DataSet:
            return data_set(self, thing(**arguments(thing, self, dtype=dtype)), dtype, where)

    return Source(config_class(thing.__name__, Reading, keys), None, "either")


def data_set(config: OwnSourceConfig, result: Any, dtype: np.dtype[Any], where: str) -> DataSet:
    """What a user's function returned, in splits. Raises DataError where it is no data."""
    in_splits = isinstance(result, DataSet | Mapping)
    if in_splits and config.fold is not None:
        raise DataError(f"data.fold={config.fold}: {where} gives splits of its own, which are not dealt to folds")
    if isinstance(result, DataSet):
        return result
    parts = _as_given(result, where) if isinstance(result, Mapping) else {"train": _pair(result, where)}
    shapes = {x.shape[1:]: name for name, (x, _) in parts.items()}
    if len(shapes) > 1:
        raise DataError(f"{where}: samples have {' and '.join(map(str, shapes))} as shapes: give all splits the same")
    inputs = np.concatenate([x for x, _ in parts.values()])
    targets = read_targets(np.concatenate([y for _, y in parts.values()]), ["target"], config.target_kind)
    index = _as_they_come(parts) if in_splits else _split(config, targets)
    return _assembled(config, inputs, targets, index, dtype, where)


def _as_they_come(parts: Mapping[str, tuple[Array, Array]]) -> Index:
    ends = np.cumsum([len(x) for x, _ in parts.values()])
    return dict(zip(parts, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))


def _split(config: OwnSourceConfig, targets: Targets) -> Index:
    strata = targets.array if targets.classes else np.zeros(len(targets.array), np.int64)
    rng = np.random.default_rng(config.seed)
    return dict(zip(SPLITS, split_fairly(strata, config.held_out, config.test_fraction, rng), strict=True))


def _assembled(
    config: OwnSourceConfig, inputs: Array, targets: Targets, index: Index, dtype: np.dtype[Any], where: str
) -> DataSet:
    array = targets.array.astype(dtype) if targets.values else targets.array
    splits = {name: Split(np.ascontiguousarray(inputs[i], dtype), array[i]) for name, i in index.items() if len(i)}
    about = f"{where}: {len(inputs)} samples, {targets}"
    val, test = splits.get("val"), splits.get("test")
    return DataSet(config.name, about, splits["train"], val, test, classes=targets.classes, values=targets.values)


def _as_given(parts: Mapping[str, Any], where: str) -> dict[str, tuple[Array, Array]]:
    if "train" not in parts or set(parts) - set(SPLITS):
        odd = set(parts) - set(SPLITS)
        what = f"calls a split {sorted(map(str, odd))[0]!r}" if odd else "gives no 'train'"
        raise DataError(f"{where} {what}: splits are called {', '.join(SPLITS)}")
    return {name: _pair(parts[name], where) for name in SPLITS if name in parts}


def _pair(pair: Any, where: str) -> tuple[Array, Array]:
    """Inputs (N, …) and targets (N,) or (N, V)."""
    if not (isinstance(pair, tuple) and len(pair) == 2):
        raise DataError(f"{where} returns {type(pair).__name__}: give (inputs, targets), or a dict of such by split")
    x, y = np.asarray(pair[0]), np.asarray(pair[1])
    if x.dtype.kind not in "iufb" or x.ndim < 2 or y.ndim == 0 or len(x) != len(y) or not x.size:
        raise DataError(
            f"{where} returns inputs {x.dtype} {x.shape} and targets {y.dtype} {y.shape}: give numbers (N, …) and as "
            "many targets"
        )
    if y.dtype.kind == "O":
        raise DataError(f"{where} returns targets that are objects: give words, whole numbers or values")
    return x, y


def _is_function(name: str, value: Any) -> bool:
    return not isinstance(value, type)
