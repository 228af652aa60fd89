"""Sensor windows: every shape, names of any length, and misses that stand out."""

from pathlib import Path

import numpy as np
import pytest
from drawn import LONG, NAN, opened
from PIL import ImageColor

from duograd.runner.plots.figures.windows import LINES, PALE, WRONG, draw_windows
from duograd.runner.plots.style import COLOURS
from duograd.runner.plots.text import Output

CLASSES = ["downstairs", "jogging", "sitting", "standing", "upstairs", "walking"]


def draw(values: np.ndarray, path: Path, predicted: list[str] | None = None, words: str = "") -> np.ndarray:
    """Windows (K, T, S) of classes in turn, all recognised if `predicted` does not say otherwise."""
    count, _, width = values.shape
    true = [CLASSES[k % 6] for k in range(count)]
    channels = [f"channel {k}" for k in range(width)]
    return opened(
        draw_windows(values, channels, words, true, predicted or true, Output(path, words or "windows", words))
    )


def area(pixels: np.ndarray, colour: str) -> int:
    """Pixels of a colour in a picture (height, width, 3)."""
    return int((pixels == ImageColor.getrgb(colour)).all(axis=2).sum())


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 150, 3), (5, 2, 12), (12, 30, 6)])
def test_windows_open(shape: tuple[int, int, int], tmp_path: Path) -> None:
    pixels = draw(noise(*shape), tmp_path / "w.png", words=LONG)
    assert 1000 < pixels.shape[1] < 1400
    assert all(area(pixels, colour) for colour in LINES[: shape[2]])


def test_all_pages_are_as_wide_and_more_rows_are_higher(tmp_path: Path) -> None:
    sizes = [draw(noise(count, 4, 1), tmp_path / "w.png").shape for count in (4, 9)]
    assert np.ptp([width for _, width, _ in sizes]) < 20
    assert sizes[0][0] < sizes[1][0]


def test_a_miss_is_marked_and_nothing_else_is(tmp_path: Path) -> None:
    values = np.zeros((3, 10, 2))
    quiet = draw(values, tmp_path / "right.png")
    loud = draw(values, tmp_path / "wrong.png", ["downstairs", "walking", "sitting"])
    assert area(quiet, WRONG) == area(quiet, PALE) == 0
    assert area(loud, WRONG) > 1000  # a frame and a title
    assert area(loud, PALE) > 40000  # one panel, not three
    assert area(loud, PALE) < 80000
    assert quiet.shape == loud.shape


def test_the_thirteenth_window_is_not_drawn(tmp_path: Path) -> None:
    values = noise(13, 10, 1)
    all_right = [CLASSES[k % 6] for k in range(13)]
    pixels = draw(values, tmp_path / "w.png", [*all_right[:12], "walking"])
    assert area(pixels, WRONG) == 0
    values[12] = 1000  # nor does it set the scale
    np.testing.assert_array_equal(draw(values, tmp_path / "w.png"), pixels)


@pytest.mark.parametrize("values", [NAN, np.inf, 1e308, -1e5, 1e-9, 0.0])
def test_windows_take_what_sensors_may_send(values: float, tmp_path: Path) -> None:
    window = noise(2, 20, 3)
    window = window.astype(np.float64)
    window[0], window[1, 5:9, 0] = values, values
    draw(window, tmp_path / "w.png")


def test_long_names_stay_on_the_page_and_apart(tmp_path: Path) -> None:
    names = [LONG, "照片", "$\\frac{$", "", "walking"]
    opened(draw_windows(noise(5, 9, 5), names, LONG, names, names[::-1], Output(tmp_path / "w.png", LONG, LONG)))


def test_no_channel_has_the_colour_of_a_miss() -> None:
    assert WRONG in COLOURS
    assert WRONG not in LINES
