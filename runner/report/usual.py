"""What others call their metrics and parameters, by the names that a report knows; and ours as MLflow has them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from duograd.runner.report import records
from duograd.runner.report.parameters import REPLICATES, SEED
from duograd.runner.store.overrides import as_typed

SEEDS = re.compile(r"(.*[._/-])?((random|rng|manual|global|np|torch|data|split)[._-]?)?(seed|random[._-]?state)", re.I)
FOLDS = re.compile(r"(.*[._/-])?(cv[._-]?)?fold([._-]?(index|id|number|no))?", re.I)
FOLD = next(key for key in REPLICATES if key != SEED)
SPLITS = {"train": "train", "training": "train", "test": "test"} | dict.fromkeys(
    ("val", "valid", "validation", "eval", "dev"), "val"
)
TERMS = {"acc": "accuracy"}
BEST, FINAL = "best", "final"  # before a metric that is one value of a run, not one a step: final_test_accuracy


def usual_name(name: str, known: Iterable[str] = ()) -> str:
    """`val/accuracy` of val_acc, valid-accuracy, Accuracy/validation, `best_val_accuracy` of val/best_acc; the name
    itself where it says no split.

    Two names that would come to be one stay as they are.
    """
    usual = _usual(name)
    return name if sum(_usual(other) == usual for other in known) > 1 else usual


def _usual(name: str) -> str:
    words = [word for word in re.split(r"[_/.\-\s]+", name.lower()) if word]
    split = next((SPLITS[word] for word in words if word in SPLITS), None)
    end = next((word for word in words if word in (BEST, FINAL)), None)
    term = "_".join(TERMS.get(word, word) for word in words if word not in SPLITS and word != end)
    if not (split and term):
        return name
    return f"{end}_{split}_{term}" if end else f"{split}/{term}"


def of_the_end(name: str, end: str) -> str | None:
    """`test/accuracy` of final_test_accuracy; None for what is no value of that end of a run."""
    split, _, term = name.removeprefix(f"{end}_").partition("_")
    return f"{split}/{term}" if name.startswith(f"{end}_") and split in SPLITS.values() and term else None


def usual_settings(logged: Mapping[str, str]) -> dict[str, Any]:
    """The parameters with their types; those that look like seeds together as `seed`, like folds as `data.fold`."""
    replicates = {SEED: SEEDS, FOLD: FOLDS}
    like = {key: [name for name in logged if pattern.fullmatch(name)] for key, pattern in replicates.items()}
    taken = {name for names in like.values() for name in names}
    together = {key: ", ".join(logged[name] for name in names) for key, names in like.items() if names}
    every = {name: value for name, value in logged.items() if name not in taken} | together
    return {name: as_typed(value) for name, value in every.items()}


def own_settings(logged: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a run that duograd mirrored, as its folder says them: `backend` of backend.name.

    Of a sweep's job a group may stand there twice, as it was typed too: the name counts.
    """
    names_last = sorted(logged, key=lambda key: key.endswith(".name"))
    return records.settings((key, as_typed(logged[key])) for key in names_last)
