"""k-fold cross-validation: each sample validates once, classes keep their shares, nobody is on both sides."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from duograd.data.errors import DataError
from duograd.data.folds import Fold, deal
from duograd.data.load import load
from duograd.data.sources.gait import Gait
from duograd.data.sources.photos_sample import PhotosSample
from duograd.data.sources.shapes import Shapes
from duograd.data.sources.sklearn import Sklearn
from duograd.data.splits import split_fairly, split_indices, split_people, stratified_indices
from duograd.runner.compose import compose
from duograd.runner.config import dump
from duograd.runner.errors import UserError
from duograd.runner.sweep.naming import config_hash, what_counts

FOLDS = 3


def rows(array: Any) -> set[bytes]:
    return {row.tobytes() for row in np.ascontiguousarray(array)}


def test_every_sample_validates_in_one_fold_and_classes_keep_their_shares() -> None:
    strata = np.repeat(np.arange(3), (9, 12, 30))
    folds = [split_fairly(strata, Fold(k, FOLDS), 1 / 3, np.random.default_rng(0)) for k in range(FOLDS)]
    validating = np.concatenate([validation for _, validation, _ in folds])
    test = folds[0][2]
    assert sorted([*validating, *test]) == list(range(51))
    for train, validation, tested in folds:
        np.testing.assert_array_equal(tested, test)
        assert sorted([*train, *validation, *tested]) == list(range(51))
        counts = np.bincount(strata[validation])
        assert abs(counts - np.array([2, 8 / 3, 20 / 3])).max() < 1


def test_all_ways_to_split_deal_the_same_way() -> None:
    targets, rng = np.repeat([0, 1], (10, 20)), np.random.default_rng
    for split in (
        lambda fold: split_indices(30, fold, rng(1)),
        lambda fold: stratified_indices(targets, ("a", "b"), fold, rng(1)),
        lambda fold: split_people(range(30), fold, 0.2, rng(1))[:2],
    ):
        parts = [split(Fold(k, FOLDS)) for k in range(FOLDS)]
        everybody = sorted([*parts[0][0], *parts[0][1]])
        assert sorted(one for _, validation in parts for one in validation) == everybody
        assert all(sorted([*train, *validation]) == everybody for train, validation in parts)


def test_folds_of_a_source() -> None:
    sets = [load(Sklearn(set="wine", fold=k, folds=FOLDS)) for k in range(FOLDS)]
    assert all(one.validation is not None for one in sets)
    sizes = [len(one.validation) for one in sets if one.validation]
    assert sum(sizes) == sum(len(split) for split in (sets[0].train, sets[0].validation) if split)
    assert max(sizes) - min(sizes) <= 3
    assert len({one.digest for one in sets}) == FOLDS
    walkers = [load(Gait(count=60, test_count=12, people=9, window=5, fold=k, folds=FOLDS)) for k in range(FOLDS)]
    assert all(one.validation is not None and len(one.validation) == 20 for one in walkers)
    assert len({one.digest for one in walkers}) == FOLDS


def test_folds_of_drawings_and_of_patches_are_of_the_same_samples() -> None:
    drawings = [load(Shapes(count=60, test_count=10, size=8, fold=k, folds=FOLDS)) for k in range(FOLDS)]
    patches = [load(PhotosSample(count=61, size=8, fold=k, folds=FOLDS)) for k in range(FOLDS)]
    for sets, count in ((drawings, 60), (patches, 61)):
        sizes = [(len(one.train), len(one.validation)) for one in sets if one.validation]
        assert all(train + validation == count for train, validation in sizes)
        assert sum(validation for _, validation in sizes) == count
        assert len({one.digest for one in sets}) == FOLDS
    assert all(np.bincount(one.validation.targets).tolist() == [2] * 10 for one in drawings if one.validation)
    inputs = [np.concatenate([one.train.inputs, one.validation.inputs]) for one in drawings if one.validation]
    assert all((np.sort(one, axis=0) == np.sort(inputs[0], axis=0)).all() for one in inputs)
    assert all((one.test.inputs == drawings[0].test.inputs).all() for one in drawings if one.test and drawings[0].test)


def test_faults_are_said_before_anything_starts() -> None:
    for given, message in (
        ({"fold": 1}, "data.fold=1 goes with data.folds=5"),
        ({"folds": 3}, "data.folds=3 goes with data.fold=0,1,2"),
        ({"fold": 3, "folds": 3}, "with data.folds=3 there are 0 to 2"),
    ):
        with pytest.raises(ValidationError, match=message):
            Sklearn(**given)
    with pytest.raises(DataError, match=r"data\.folds=5 is more than the 4 people there are"):
        deal(np.arange(4), Fold(0, 5), "people")
    with pytest.raises(UserError, match=r"data\.fold"):
        compose(["task=cnn", "data=shapes", "data.fold=0"])
    folded = ["task=table", "data=sklearn", "data.fold=0", "data.folds=2", "data.validation_fraction=0"]
    assert compose(folded).data.validates


def test_a_job_without_folds_is_the_one_that_it_was() -> None:
    """By the hash that tells jobs apart: sweeps of a time that knew no folds can be gone on with."""
    whole = compose(["task=table", "data=sklearn"])
    folded = compose(["task=table", "data=sklearn", "data.fold=0", "data.folds=2"])
    assert not {"fold", "folds"} & what_counts(dump(whole))["data"].keys()
    assert what_counts(dump(folded))["data"]["folds"] == 2
    assert config_hash(whole, Path()) != config_hash(folded, Path())
