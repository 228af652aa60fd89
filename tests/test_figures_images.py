"""Pages about image classifiers: filters, activation maps, samples, mistakes."""

from pathlib import Path

import numpy as np
import pytest
from drawn import LONG, NAN, opened

from duograd.runner.plots.figures.activation_maps import draw_maps
from duograd.runner.plots.figures.filters import draw_filters, filter_frame, separate
from duograd.runner.plots.figures.mistakes import draw_mistakes
from duograd.runner.plots.figures.samples import draw_samples
from duograd.runner.plots.text import Output


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).random(shape)


def pure(pixels: np.ndarray, *colour: int) -> int:
    """Pixels of exactly this colour; no letter or margin has a saturated one."""
    return int((pixels == colour).all(axis=2).sum())


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (32, 3, 7, 7), (16, 1, 5, 5), (6, 2, 3, 5), (300, 3, 8, 8)])
def test_filters_open(shape: tuple[int, ...], tmp_path: Path) -> None:
    height, width, _ = opened(
        draw_filters(noise(*shape) - 0.5, "filters", Output(tmp_path / "f.png", LONG, LONG))
    ).shape
    assert height > 200
    assert width >= 720


def test_three_channels_are_red_green_and_blue() -> None:
    weight = np.zeros((2, 3, 1, 2))
    weight[0, 0, 0, 0] = 5.0  # red at the left
    weight[1, 2, 0, 1] = -0.1  # no blue at the right
    frame = filter_frame(weight, side=5)
    grey = [128] * 3
    np.testing.assert_array_equal(frame[:, :2], [[[255, 128, 128], grey], [[255] * 3] * 2, [grey, [128, 128, 0]]])


def test_other_channels_are_grey_pictures_each() -> None:
    weight = noise(4, 2, 3, 5)
    assert separate(weight).shape == (8, 3, 5)
    np.testing.assert_array_equal(separate(weight)[3], weight[1, 1])


def test_a_wide_layer_shows_its_first_units_only() -> None:
    weight = noise(500, 3, 4, 4)
    changed = weight.copy()
    changed[144:] = 0
    np.testing.assert_array_equal(filter_frame(weight), filter_frame(changed))
    changed[143] = 0
    assert (filter_frame(weight) != filter_frame(changed)).any()


@pytest.mark.parametrize(
    "shapes", [[(32, 32, 32), (64, 16, 16)], [(1, 1, 1)], [(3, 300, 10)], [(40, 7, 7)] * 6], ids=str
)
def test_activation_maps_open(shapes: list[tuple[int, ...]], tmp_path: Path) -> None:
    maps = {f"conv{k}": noise(*shape).astype(np.float32) for k, shape in enumerate(shapes)}
    opened(draw_maps(noise(32, 32, 3), LONG, maps, Output(tmp_path / "a.png", LONG, LONG)))


def test_each_map_has_its_own_contrast_and_a_flat_one_is_grey(tmp_path: Path) -> None:
    maps = np.array([[[0.0, 1e-6]], [[500.0, -500.0]], [[0.0, 0.0]]])
    pixels = opened(draw_maps(np.zeros((1, 2)), "", {"conv0": maps}, Output(tmp_path / "a.png", "")))
    row = pixels[(pixels == 191).all(axis=2).any(axis=1)]  # the two gaps between maps
    cells = row[8, 36 : 36 + 16 * 8 : 16, 0]  # pixels come 16 x 16 large
    assert cells.tolist() == [0, 255, 191, 255, 0, 191, 128, 128]


@pytest.mark.parametrize("maps", [np.full((2, 3, 3), NAN), np.full((2, 3, 3), np.inf)])
def test_activation_maps_take_a_broken_network(maps: np.ndarray, tmp_path: Path) -> None:
    with np.errstate(invalid="ignore"):
        opened(draw_maps(noise(4, 4), "", {"conv0": maps}, Output(tmp_path / "a.png", "")))


@pytest.mark.parametrize("count", [1, 5, 7, 25, 30])
def test_mistakes_open(count: int, tmp_path: Path) -> None:
    labels = [f"automobile → truck {k}.0 %" for k in range(count)]
    opened(
        draw_mistakes(noise(count, 32, 32, 3), labels, (count, 1000), "measure", Output(tmp_path / "m.png", LONG, LONG))
    )


def test_mistakes_keep_their_order_and_the_26th_is_not_shown(tmp_path: Path) -> None:
    images = np.zeros((26, 1, 1, 3))
    images[:, 0, 0, 0] = np.linspace(0.5, 1, 26)  # ever redder; a pixel comes 16 x 16 large
    pixels = opened(draw_mistakes(images, ["a → b"] * 26, (26, 30), "", Output(tmp_path / "m.png", "")))
    levels = np.rint(255 * images[:, 0, 0, 0]).astype(int)
    places = [np.argwhere((pixels == (level, 0, 0)).all(axis=2)) for level in levels]
    assert [len(place) for place in places] == [16 * 16] * 25 + [0]
    corners = [tuple(place[0]) for place in places[:25]]
    assert corners == sorted(corners)
    assert len({x for _, x in corners}) == len({y for y, _ in corners}) == 5


def test_a_network_without_mistakes_is_said_to_have_none(tmp_path: Path) -> None:
    pixels = opened(draw_mistakes(np.zeros((0, 8, 8, 3)), [], (0, 100), "", Output(tmp_path / "m.png", "M", "footer")))
    assert (pixels < 128).any()
    assert pixels.shape[0] < 300


def test_mistakes_with_long_names_stay_in_their_columns(tmp_path: Path) -> None:
    short = opened(draw_mistakes(noise(6, 8, 8), ["a"] * 6, (6, 9), "", Output(tmp_path / "m.png", "")))
    long = opened(draw_mistakes(noise(6, 8, 8), [LONG, "照片", *"abcd"], (6, 9), "", Output(tmp_path / "m.png", "")))
    assert short.shape[1] == long.shape[1]
    assert short.shape[0] < long.shape[0]


@pytest.mark.parametrize(("classes", "size"), [(2, (32, 32, 3)), (10, (28, 28)), (25, (5, 9, 3)), (3, (150, 150, 3))])
def test_samples_open(classes: int, size: tuple[int, ...], tmp_path: Path) -> None:
    by_class = {f"{LONG[:k]} {k}": noise(10, *size) for k in range(1, classes + 1)}
    opened(draw_samples(by_class, Output(tmp_path / "s.png", LONG, LONG), LONG))


def test_a_row_a_class_and_room_for_a_class_without_any(tmp_path: Path) -> None:
    red, green = np.zeros((2, 10, 4, 4, 3))
    red[..., 0], green[..., 1] = 1, 1
    pixels = opened(
        draw_samples({"red": red, "none": red[:0], "green": green[:1]}, Output(tmp_path / "s.png", "samples"))
    )
    assert pure(pixels, 255, 0, 0) == 10 * pure(pixels, 0, 255, 0) > 0
    assert pure(pixels, 0, 0, 0) == 0, "where there is no image there is paper"
    rows = [np.flatnonzero((pixels == colour).all(axis=2).any(axis=1)) for colour in ((255, 0, 0), (0, 255, 0))]
    height = len(rows[0])
    assert rows[1][0] - rows[0][-1] > height  # one row between them
