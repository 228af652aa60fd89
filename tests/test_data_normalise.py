"""Normalisation of images of bytes: against float64, on a few images at a time, without a float copy of all."""

import tracemalloc

import numpy as np
import pytest
from faults import fault_of
from hypothesis import given
from hypothesis import strategies as st

from duograd.data.normalise import channel_counts, fit_normaliser, mean_image, measured_statistics
from duograd.data.sources.cifar10 import Cifar10
from duograd.data.sources.shapes import Shapes

IMAGES = np.random.default_rng(0).integers(0, 256, (600, 3, 5, 4), dtype=np.uint8)  # more than are counted at once
IMAGES[:, 1] //= 2  # channels that differ
IMAGES[:, 2] //= 5
ATOL = {"float32": 2e-6, "float64": 1e-13}  # a few roundings of values up to 10
WAYS = ("channels", "mean_image", "scale")


def in_float64(normalise: str, images: np.ndarray) -> np.ndarray:
    """The definitions, written out once more, fitted on all of IMAGES."""
    every, x = IMAGES.astype(np.float64), images.astype(np.float64)
    if normalise == "mean_image":
        return x - every.mean(axis=0)
    if normalise == "scale":
        return x / 255
    mean, std = ((every / 255).mean(axis=(0, 2, 3)), (every / 255).std(axis=(0, 2, 3)))
    return (x / 255 - mean[:, None, None]) / std[:, None, None]


@pytest.mark.parametrize("dtype", ATOL)
@pytest.mark.parametrize("normalise", WAYS)
@given(size=st.integers(0, 40), seed=st.integers(0, 99))
def test_a_batch_is_what_float64_says(normalise, dtype, size, seed):
    index = np.random.default_rng(seed).integers(0, len(IMAGES), size)
    batch = fit_normaliser(Shapes(normalise=normalise), IMAGES, np.dtype(dtype))(IMAGES[index])
    atol = ATOL[dtype] * (255 if normalise == "mean_image" else 1)  # its values are so much larger
    np.testing.assert_allclose(batch, in_float64(normalise, IMAGES[index]), rtol=0, atol=atol)
    assert batch.dtype == dtype
    assert batch.flags.c_contiguous


def test_given_constants_are_taken():
    config = Cifar10()
    batch = fit_normaliser(config, IMAGES, np.dtype("float64"))(IMAGES[:9])
    for c in range(3):
        expected = (IMAGES[:9, c] / 255 - config.mean[c]) / config.std[c]
        np.testing.assert_allclose(batch[:, c], expected, atol=ATOL["float64"])


def test_what_is_not_given_is_measured():
    one = fit_normaliser(Shapes(mean=[0.4, 0.4, 0.4]), IMAGES, np.dtype("float64"))(IMAGES)
    np.testing.assert_allclose(one.std(axis=(0, 2, 3)), 1, rtol=1e-12)
    np.testing.assert_array_less(0.1, np.abs(one.mean(axis=(0, 2, 3))))
    other = fit_normaliser(Shapes(std=[0.5, 0.25, 0.125]), IMAGES, np.dtype("float64"))(IMAGES)
    np.testing.assert_allclose(other.mean(axis=(0, 2, 3)), 0, atol=1e-12)


def test_statistics_are_exact():
    x = IMAGES.astype(np.float64)
    np.testing.assert_allclose(measured_statistics(IMAGES)[0], (x / 255).mean(axis=(0, 2, 3)), rtol=1e-13)
    np.testing.assert_allclose(measured_statistics(IMAGES)[1], (x / 255).std(axis=(0, 2, 3)), rtol=1e-13)
    np.testing.assert_allclose(mean_image(IMAGES), x.mean(axis=0), rtol=1e-13)
    assert channel_counts(IMAGES).sum() == IMAGES.size


def test_a_batch_that_is_not_contiguous_comes_out_contiguous():
    batch = fit_normaliser(Shapes(), IMAGES, np.dtype("float32"))(
        IMAGES[:8].transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    )
    assert batch.flags.c_contiguous


def test_bytes_are_left_alone():
    before = IMAGES.copy()
    for normalise in WAYS:
        fit_normaliser(Shapes(normalise=normalise), IMAGES, np.dtype("float32"))(IMAGES)
    np.testing.assert_array_equal(IMAGES, before)


@pytest.mark.parametrize("normalise", WAYS)
def test_fitting_makes_no_float_copy_of_all_images(normalise):
    images = np.zeros((4000, 3, 16, 16), np.uint8)  # 3 MB
    images[::2] = 255
    tracemalloc.start()
    fit_normaliser(Shapes(normalise=normalise), images, np.dtype("float32"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < images.nbytes  # as float32 they would be four times that


def test_a_constant_channel_is_named():
    flat = IMAGES.copy()
    flat[:, 1] = 7
    assert fault_of(fit_normaliser, Shapes(), flat, np.dtype("float32")) == (
        "the green channel is one value in all training images, so it cannot be divided by its standard deviation: "
        "set data.std=[…], or data.normalise=scale"
    )
    assert np.isfinite(fit_normaliser(Shapes(std=[1.0, 1.0, 1.0]), flat, np.dtype("float32"))(flat)).all()
    assert np.isfinite(fit_normaliser(Shapes(normalise="mean_image"), flat, np.dtype("float32"))(flat)).all()
