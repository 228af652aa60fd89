"""Splits are seeded, disjoint and complete."""

import numpy as np
import pytest
from faults import fault_of
from hypothesis import given
from hypothesis import strategies as st

from duograd.data.splits import split_indices


@given(st.integers(2, 500), st.floats(0.001, 0.999), st.integers(0, 2**32 - 1))
def test_every_sample_is_in_exactly_one_split(n: int, fraction: float, seed: int) -> None:
    if not 0 < round(n * fraction) < n:
        return
    train, validation = split_indices(n, fraction, np.random.default_rng(seed))
    assert len(validation) == round(n * fraction)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(n))


def test_same_seed_same_split() -> None:
    first, again, other = (split_indices(100, 0.2, np.random.default_rng(seed))[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_validation_is_drawn_from_everywhere() -> None:
    _, validation = split_indices(1000, 0.1, np.random.default_rng(0))
    assert validation.min() < 100
    assert validation.max() >= 900


def test_no_fraction_draws_nothing() -> None:
    rng = np.random.default_rng(0)
    train, validation = split_indices(5, 0.0, rng)
    np.testing.assert_array_equal(train, np.arange(5))
    assert len(validation) == 0
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize(
    ("n", "fraction", "side"), [(10, 0.01, "validation"), (10, 0.99, "training"), (1, 0.7, "training")]
)
def test_an_empty_side_is_an_error(n: int, fraction: float, side: str) -> None:
    assert fault_of(split_indices, n, fraction, np.random.default_rng(0)) == (
        f"data.validation_fraction={fraction} of {n} samples leaves none for {side}: "
        "choose another fraction, or 0 for no validation split"
    )
