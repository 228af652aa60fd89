"""The autoencoder's preprocessing, step by step, against values worked out by hand."""

import numpy as np
import pytest
from faults import fault_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from duograd.data.dataset import require_finite
from duograd.data.errors import DataError
from duograd.data.patches import (
    clip_to,
    fit_range,
    flatten,
    luminosity,
    remove_mean,
    rescale,
    to_range,
)

RTOL = 1e-14  # float64, a handful of operations


def test_luminosity_weighs_red_green_blue() -> None:
    colour = np.zeros((1, 3, 2, 2), np.float32)
    colour[0, 0, 0, 0] = 1  # pure red
    colour[0, 1, 0, 1] = 1  # pure green
    colour[0, 2, 1, 0] = 1  # pure blue
    colour[0, :, 1, 1] = 1  # white
    np.testing.assert_allclose(luminosity(colour), [[[0.2126, 0.7152], [0.0722, 1.0]]], rtol=RTOL)


def test_luminosity_mixes_channels() -> None:
    colour = np.array([0.5, 0.25, 0.75]).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(luminosity(colour), 0.1063 + 0.1788 + 0.05415, rtol=RTOL)


def test_remove_mean_takes_each_images_own() -> None:
    grey = np.array([[[1.0, 2.0], [3.0, 6.0]], [[10.0, 10.0], [10.0, 14.0]]])
    np.testing.assert_array_equal(remove_mean(grey), [[[-2, -1], [0, 3]], [[-1, -1], [-1, 3]]])


def test_clip_to_is_symmetric() -> None:
    np.testing.assert_array_equal(clip_to(np.array([[[-5.0, -2.0], [0.5, 9.0]]]), 2), [[[-2, -2], [0.5, 2]]])


def test_rescale_takes_low_to_a_tenth_and_high_to_nine_tenths() -> None:
    grey = np.array([[[-2.0, 2.0], [0.0, -1.0]]])
    np.testing.assert_allclose(rescale(grey, -2, 2), [[[0.1, 0.9], [0.5, 0.3]]], rtol=RTOL)


def test_rescale_has_exact_ends_and_keeps_the_order() -> None:
    grey = np.linspace(-0.7, 1.3, 50).reshape(2, 5, 5)
    scaled = rescale(grey, grey.min(), grey.max()).ravel()
    assert (scaled[0], scaled[-1]) == (0.1, 0.9)
    assert (np.diff(scaled) > 0).all()  # bright stays bright


def test_flatten_reads_pixels_row_by_row() -> None:
    grey = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_array_equal(flatten(grey), [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]])


def test_fit_range_clips_at_three_standard_deviations_over_all_images() -> None:
    grey = np.zeros((25, 2, 2))
    grey[3, 0, 1] = 10.0  # one pixel of 100: mean 0.1, variance 100/100 - 0.01
    assert fit_range(grey) == pytest.approx((0.0, 3 * np.sqrt(0.99)), rel=RTOL)


def test_fit_range_without_outliers_is_the_range_itself() -> None:
    assert fit_range(np.array([[[-1.0, 0.0], [0.5, 0.5]]])) == (-1.0, 0.5)


def test_to_range_holds_new_images_to_the_fitted_range() -> None:
    new = np.array([[[-7.0, -1.0], [0.0, 3.5]]])
    np.testing.assert_allclose(to_range(new, -1, 3), [[[0.1, 0.1], [0.3, 0.9]]], rtol=RTOL)


@pytest.mark.parametrize("magnitude", [0.0, 1.0, 65535.0])
def test_flat_images_are_an_error_not_amplified_rounding(magnitude: float) -> None:
    shades = magnitude * np.random.default_rng(0).random((40, 1, 1))
    grey = remove_mean(shades + np.zeros((40, 15, 15)))
    assert (grey.std() > 0) == (magnitude > 0)  # rounding alone looks like contrast
    with pytest.raises(DataError, match=r"one flat grey \(standard deviation 0\): give images with some contrast"):
        fit_range(grey, magnitude)


@given(arrays(np.float32, (4, 3, 3, 3), elements=st.floats(-8, 8, width=32)), st.sampled_from(["float32", "float64"]))
def test_any_images_with_contrast_end_in_the_range(colour: np.ndarray, dtype: str) -> None:
    grey = remove_mean(luminosity(colour))
    if grey.std() < 1e-6:
        return
    low, high = fit_range(grey)
    samples = flatten(to_range(grey, low, high)).astype(dtype)
    assert samples.min() == np.dtype(dtype).type(0.1)
    assert samples.max() == np.dtype(dtype).type(0.9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_require_finite_counts_and_points(bad: float) -> None:
    samples = np.ones((4, 2, 3), np.float32)
    samples[2, 1, 0] = samples[3, 0, 0] = bad
    assert fault_of(require_finite, samples, "file.h5: 'data'") == (
        "file.h5: 'data' has 2 values that are NaN or infinite as float32, the first at [2, 1, 0]: "
        "repair such samples or leave them out"
    )


def test_require_finite_passes_good_and_empty_samples() -> None:
    require_finite(np.ones((2, 2)), "x")
    require_finite(np.ones((0, 2)), "x")
