"""Who and what trains, validates and tests; how windows are cut, evened out and standardised."""

from collections.abc import Sequence

import numpy as np
import pytest
from faults import fault_of
from hypothesis import given
from hypothesis import strategies as st

from duograd.data.errors import DataError
from duograd.data.splits import split_people, stratified_indices, undersample_indices
from duograd.data.windows import cut_windows, fit_scale, standardise, window_places

PEOPLE = range(1, 11)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(0, 1000))
def test_stratified_keeps_proportions_and_every_sample(labels: list[int], seed: int) -> None:
    targets = np.array([*labels, *[0, 1, 2, 3] * 10])
    train, validation = stratified_indices(targets, "abcd", 0.2, rng(seed))
    np.testing.assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(len(targets)))
    for index in range(4):
        assert (targets[validation] == index).sum() == round(0.2 * (targets == index).sum())


def test_stratified_without_validation_keeps_all_in_order() -> None:
    train, validation = stratified_indices(np.array([1, 0, 1]), "ab", 0.0, rng())
    np.testing.assert_array_equal(train, [0, 1, 2])
    assert len(validation) == 0


def test_stratified_names_the_class_that_is_too_small() -> None:
    assert fault_of(stratified_indices, np.array([0] * 20 + [1] * 2), ("sitting", "walking"), 0.1, rng()) == (
        "class 'walking': data.validation_fraction=0.1 of 2 samples leaves none for validation: "
        "choose another fraction, or 0 for no validation split"
    )
    with pytest.raises(DataError, match="class 'walking' has no training samples: give some of each of the 2 classes"):
        stratified_indices(np.array([0] * 20), ("sitting", "walking"), 0.1, rng())


def test_undersampling_evens_out_and_draws_from_everywhere() -> None:
    targets = np.repeat([0, 2, 1], [300, 40, 50])
    kept = undersample_indices(targets, rng())
    np.testing.assert_array_equal(np.bincount(targets[kept]), [40, 40, 40])
    np.testing.assert_array_equal(kept, np.unique(kept))
    assert kept[40] == 300  # the smallest class is kept whole
    assert kept[39] > 250
    assert not np.array_equal(kept, undersample_indices(targets, rng(1)))


@given(st.floats(0, 0.4), st.floats(0, 0.4), st.integers(0, 1000))
def test_people_are_in_one_split_each(validation: float, test: float, seed: int) -> None:
    people = split_people(PEOPLE, validation, test, rng(seed))
    assert sorted(sum(people, ())) == list(PEOPLE)
    assert len(people.validation) == (max(1, round(10 * validation)) if validation else 0)
    assert len(people.test) == (max(1, round(10 * test)) if test else 0)
    assert people == split_people(PEOPLE, validation, test, rng(seed))


def test_people_that_are_named() -> None:
    people = split_people(PEOPLE, [7, 3], [9], rng())
    assert people[1:] == ((3, 7), (9,))
    assert len(people.train) == 7
    drawn = split_people(PEOPLE, 0.2, [9], rng())
    assert drawn.test == (9,)
    assert 9 not in drawn.validation
    assert split_people(PEOPLE, [], [], rng()).train == tuple(PEOPLE)


def test_test_people_do_not_depend_on_the_validation_fraction() -> None:
    assert split_people(PEOPLE, 0.1, 0.3, rng(4)).test == split_people(PEOPLE, 0.4, 0.3, rng(4)).test


@pytest.mark.parametrize(
    ("validation", "test", "line"),
    [
        (0.1, [3, 11], "data.test_people asks for person 11, who is not in the data: there are 1, 2, 3"),
        ([0], 0.2, "data.validation_people asks for person 0, who is not in the data: there are 1, 2, 3"),
        (0.6, 0.3, "of 3 people, 1 for test and 2 for validation leave nobody for training: "),
        ([1, 2], [3], "of 3 people, 1 for test and 2 for validation leave nobody for training: "),
    ],
)
def test_people_who_cannot_be_split(validation: float | Sequence[int], test: float | Sequence[int], line: str) -> None:
    assert fault_of(split_people, (1, 2, 3), validation, test, rng()).startswith(line)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(1, 20), st.integers(1, 30))
def test_windows_lie_in_one_recording_each(lengths: list[int], window: int, step: int) -> None:
    recordings = [
        np.stack([np.full(n, k), np.arange(n)], axis=1) for k, n in enumerate(lengths)
    ]  # which one, which row
    places = window_places(lengths, window, step)
    windows = cut_windows(recordings, places, window)
    assert windows.shape == (len(places.row), window, 2)
    assert windows.flags.c_contiguous
    by_hand = [(k, row) for k, n in enumerate(lengths) for row in range(0, n - window + 1, step)]
    np.testing.assert_array_equal(windows[:, 0], np.reshape(by_hand, (-1, 2)))
    np.testing.assert_array_equal(
        windows - windows[:, :1], np.arange(window)[None, :, None] * np.array([0, 1]) + 0 * windows
    )


def test_standardised_training_windows_have_mean_0_and_std_1() -> None:
    train = (rng().normal(size=(50, 9, 3)) * [1, 10, 1e-3] + [5, -100, 0]).astype(np.float32)
    scale = fit_scale(train, "xyz")
    scaled = standardise(train, scale, np.dtype("float64"))
    np.testing.assert_allclose(scaled.mean((0, 1)), 0, atol=1e-12)  # float64 sums of 450 numbers
    np.testing.assert_allclose(scaled.std((0, 1)), 1, rtol=1e-12)
    np.testing.assert_allclose(
        standardise(train[:1] + 1, scale, np.dtype("float32")), (train[:1] + 1 - scale.mean) / scale.std, rtol=1e-6
    )


@pytest.mark.parametrize("value", [0.0, 0.1, -9.81, 1e20])
def test_a_channel_that_does_not_vary_is_named(value: float) -> None:
    windows = rng().normal(size=(30, 5, 2)).astype(np.float32)
    windows[..., 1] = value
    with pytest.raises(
        DataError, match=r"channel 'gravity\.y' is .* in every training window, so it cannot be standard"
    ):
        fit_scale(windows, ("gravity.x", "gravity.y"))
