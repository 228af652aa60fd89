"""Image grids: geometry and contrast against values worked out by hand."""

import numpy as np
import pytest
from drawn import NAN

from duograd.runner.plots.images import fit_side, stretch_each, tile


def test_tile_lays_images_out_row_by_row() -> None:
    images = np.array([[[0.0, 1.0]], [[0.2, 0.4]], [[0.6, 0.8]]])  # three images of 1 x 2
    expected = [[0, 255, 255, 51, 102], [255] * 5, [153, 204, 255, 255, 255]]
    np.testing.assert_array_equal(tile(images, columns=2), expected)


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (7, 3, 3), (10, 3, 4), (64, 8, 8), (100, 10, 10)]
)
def test_tile_is_near_square(count: int, rows: int, columns: int) -> None:
    assert tile(np.zeros((count, 5, 5)), gap=2).shape == (7 * rows - 2, 7 * columns - 2)


def test_tile_of_flat_images_stacks_them() -> None:
    assert tile(np.zeros((4, 10, 40))).shape == (43, 40)


def test_tile_keeps_colour_and_needs_no_gap() -> None:
    images = np.stack([np.full((1, 1, 3), [1.0, 0.0, 0.2]), np.zeros((1, 1, 3))])
    np.testing.assert_array_equal(tile(images, columns=1, gap=0), [[[255, 0, 51]], [[0, 0, 0]]])


def test_tile_clips_and_shows_nan_as_black() -> None:
    np.testing.assert_array_equal(tile(np.array([[[NAN, -3.0, 7.0, np.inf]]])), [[0, 0, 255, 255]])


@pytest.mark.parametrize(
    "images", [np.zeros((0, 4, 4)), np.zeros((4, 4)), np.zeros((2, 4, 4, 1)), np.ones((1, 2, 2), int)]
)
def test_tile_refuses_what_is_no_image(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        tile(images)


def test_stretch_each_by_range() -> None:
    images = np.array([[[2.0, 4.0, 6.0]], [[-1.0, 0.0, 0.0]], [[7.0, 7.0, 7.0]]])
    np.testing.assert_allclose(stretch_each(images), [[[0, 0.5, 1]], [[0, 1, 1]], [[0.5, 0.5, 0.5]]])


def test_stretch_each_around_zero_keeps_the_sign() -> None:
    weights = np.array([[[-2.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]], [[3.0, 3.0, 3.0]], [[1e-320, 0.0, 0.0]]])
    expected = [[[0, 0.5, 0.75]], [[0.5, 0.5, 0.5]], [[1, 1, 1]], [[1, 0.5, 0.5]]]
    np.testing.assert_allclose(stretch_each(weights, centre=0.0), expected)


def test_stretch_each_takes_its_scale_from_finite_values() -> None:
    images = np.array([[[NAN, -1.0, 1.0, np.inf]], [[NAN] * 4], [[np.inf] * 4]])
    stretched = stretch_each(images, centre=0.0)
    np.testing.assert_array_equal(stretched, [[[NAN, 0, 1, np.inf]], [[NAN] * 4], [[np.inf] * 4]])


@pytest.mark.parametrize(
    ("shape", "side", "fitted"), [((10, 20), 70, (30, 60)), ((2, 2), 999, (32, 32)), ((50, 90), 30, (17, 30))]
)
def test_fit_side_scales_by_whole_factors(shape: tuple[int, int], side: int, fitted: tuple[int, int]) -> None:
    assert fit_side(np.zeros(shape, np.uint8), side).shape == fitted
    np.testing.assert_array_equal(fit_side(np.array([[1, 2]], np.uint8), 4), [[1, 1, 2, 2], [1, 1, 2, 2]])
