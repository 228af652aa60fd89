"""Which samples train, which validate and which test."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Split
from duograd.data.errors import DataError
from duograd.data.folds import Fold, deal


class Splits(NamedTuple):
    """Samples apart, each with its class, an index in targets (N,) int64; None where nothing is held out."""

    train: Split
    validation: Split | None
    test: Split | None

    def map(self, change: Callable[[Split], Split]) -> "Splits":
        """Each split changed alike."""
        return Splits(change(self.train), *(split and change(split) for split in (self.validation, self.test)))


def split_indices(
    n: int, fraction: float | Fold, rng: np.random.Generator, held_out: str = "validation"
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the training and the held out samples among `n`: disjoint, complete, each in ascending order.

    Held out are round(n · fraction) samples, drawn at random; a fraction of 0 draws nothing and holds out none.
    held_out: what they are for, and so the name of the key with the fraction, data.validation_fraction. A fold holds
    out its part of all. Raises DataError where a fraction above 0, or a fold, leaves one side empty.
    """
    if isinstance(fraction, Fold):
        kept, others = deal(rng.permutation(n), fraction)
        return np.sort(kept), np.sort(others)
    if fraction == 0:
        return np.arange(n), np.arange(0)
    require_both_sides(n, fraction, held_out)
    order, count = rng.permutation(n), round(n * fraction)
    return np.sort(order[count:]), np.sort(order[:count])


def require_both_sides(n: int, fraction: float, held_out: str = "validation") -> None:
    """Raises DataError where round(n · fraction) of `n` samples are none or all."""
    count = round(n * fraction)
    if not 0 < count < n:
        raise _empty(n, fraction, held_out, lacking="training" if count else held_out)


def _empty(n: int, fraction: float, held_out: str, lacking: str) -> DataError:
    return DataError(
        f"data.{held_out}_fraction={fraction} of {n} samples leaves none for {lacking}: "
        f"choose another fraction, or 0 for no {held_out} split"
    )


def require_count(available: int, count: int | None, split: Literal["train", "test"]) -> None:
    """Raises DataError where the key that says how many images train, or test, asks for more than there are."""
    if count is not None and count > available:
        key = {"train": "data.count", "test": "data.test_count"}[split]
        raise DataError(
            f"{key}={count} is more than the {available} {split} images that there are: "
            f"set it to {available} or less, or null for all"
        )


def stratified_indices(
    targets: NDArray[np.int64],
    classes: Sequence[str],
    fraction: float | Fold,
    rng: np.random.Generator,
    held_out: str = "validation",
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """As split_indices, class by class: both sides keep the proportions of targets (N,), class indices.

    Raises DataError where a class has no sample at all, or none for one of the sides.
    """
    train, others = [], []
    for index, name in enumerate(classes):
        members = np.flatnonzero(targets == index)
        if len(members) == 0:
            raise DataError(f"class '{name}' has no training samples: give some of each of the {len(classes)} classes")
        try:
            mine, other = split_indices(len(members), fraction, rng, held_out)
        except DataError as error:
            raise DataError(f"class '{name}': {error}") from error
        train.append(members[mine])
        others.append(members[other])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(others))


def split_fold(train: Split, classes: Sequence[str], fold: Fold, rng: np.random.Generator) -> tuple[Split, Split]:
    """The samples that train and those of the fold, which validate, class by class. Raises as stratified_indices."""
    assert train.targets is not None
    parts = stratified_indices(train.targets, classes, fold, rng)
    kept, held = (Split(train.inputs[index], train.targets[index]) for index in parts)
    return kept, held


def undersample_indices(targets: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices, ascending, that leave each class of targets (N,) as many samples, drawn at random, as its smallest."""
    classes, counts = np.unique(targets, return_counts=True)
    kept = [rng.choice(np.flatnonzero(targets == one), counts.min(), replace=False) for one in classes]
    return np.sort(np.concatenate(kept))


class People(NamedTuple):
    """Who trains, who validates, who tests: nobody twice, each in ascending order."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


def split_people(
    known: Sequence[int],
    validation: float | Fold | Sequence[int],
    test: float | Sequence[int],
    rng: np.random.Generator,
) -> People:
    """The `known` people, apart. validation, test: who, or what part of all, drawn at random, at least one unless 0.

    A fold is one of those that are not for the test.

    Test people are drawn first, so that they do not change with the validation fraction.
    Raises DataError for unknown people, or where nobody is left for training.
    """
    named = {*_by_name("test_people", test, known), *_by_name("validation_people", validation, known)}
    pool = [int(person) for person in rng.permutation([person for person in known if person not in named])]
    tests, pool = _take(pool, test, len(known))
    validates, pool = _take(pool, validation, len(known))
    if not pool:
        raise DataError(
            f"of {_number(len(known))}, {len(tests)} for test and {len(validates)} for validation leave nobody for "
            "training: give more people, or set data.validation_fraction=0"
        )
    return People(tuple(sorted(pool)), tuple(sorted(validates)), tuple(sorted(tests)))


def _by_name(key: str, who: float | Fold | Sequence[int], known: Sequence[int]) -> Sequence[int]:
    if isinstance(who, Fold) or not isinstance(who, Sequence):
        return ()
    require_known(key, who, known)
    return who


def require_known(key: str, who: Sequence[int], known: Sequence[int]) -> None:
    """Raises DataError where data.KEY names people that are not there."""
    strangers = [person for person in who if person not in known]
    if strangers:
        there = ", ".join(map(str, known))
        raise DataError(f"data.{key} asks for person {strangers[0]}, who is not in the data: there are {there}")


def _take(pool: list[int], who: float | Fold | Sequence[int], total: int) -> tuple[Sequence[int], list[int]]:
    """The people that `who` names, or so many of the pool; and the pool without them."""
    if isinstance(who, Fold):
        kept, others = deal(np.array(pool), who, "people")
        return others.tolist(), kept.tolist()
    if isinstance(who, Sequence):
        return tuple(dict.fromkeys(who)), pool
    count = max(1, round(total * who)) if who else 0
    return pool[:count], pool[count:]


def _number(people: int) -> str:
    return "1 person" if people == 1 else f"{people} people"


def split_fairly(
    strata: NDArray[np.int64], validation: float | Fold, test: float, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Indices, ascending, of the samples that train, validate and test: those fractions of each stratum, rounded.

    A stratum always keeps a sample for training, however few it has; of folds it needs as many samples. Raises
    DataError where a fraction above 0 gets nothing at all. strata (N,): such as class indices.
    """
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for stratum in np.unique(strata):
        members = rng.permutation(np.flatnonzero(strata == stratum)).tolist()
        tests = min(round(test * len(members)), len(members) - 1)
        rest = members[tests:]
        if isinstance(validation, Fold):
            trains, validates = (part.tolist() for part in deal(np.array(rest), validation, "samples of a class"))
        else:
            held = min(round(validation * len(members)), len(rest) - 1)
            trains, validates = rest[held:], rest[:held]
        for part, indices in zip(parts, (trains, validates, members[:tests]), strict=True):
            part += indices
    for name, fraction, part in (("validation", validation, parts[1]), ("test", test, parts[2])):
        if fraction and not isinstance(fraction, Fold) and not part:
            raise _empty(len(strata), fraction, name, lacking=name)
    train, validation_index, tested = (np.sort(np.array(part, np.intp)) for part in parts)
    return train, validation_index, tested
