"""The loss by step: smoothing, thinning and marks against values worked out by hand."""

from pathlib import Path

import numpy as np
from drawn import opened
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageColor

from duograd.runner.plots.figures.step_curve import FAINT_LOSS, MARK, draw_steps, envelope, running_mean
from duograd.runner.plots.text import Output


def area(pixels: np.ndarray, colour: str) -> int:
    return int((pixels == ImageColor.getrgb(colour)).all(axis=2).sum())


def test_every_step_is_faint_and_epochs_are_marked(tmp_path: Path) -> None:
    y = 2 + np.sin(np.arange(200.0))
    without = opened(draw_steps(range(1, 201), y, [], Output(tmp_path / "s.png", "loss")))
    marked = opened(draw_steps(range(1, 201), y, range(10, 200, 10), Output(tmp_path / "s.png", "loss")))
    assert area(without, FAINT_LOSS) > 1000
    assert area(without, MARK) == 0
    assert area(marked, MARK) > 19 * 100


def test_hundreds_of_epochs_do_not_hide_the_curve(tmp_path: Path) -> None:
    y = np.linspace(3, 1, 1000)
    few = area(opened(draw_steps(range(1, 1001), y, range(50, 1001, 50), Output(tmp_path / "a.png", "loss"))), MARK)
    many = area(opened(draw_steps(range(1, 1001), y, range(2, 1001, 2), Output(tmp_path / "b.png", "loss"))), MARK)
    assert few / 3 < many < 1.2 * few


def test_running_mean_is_centred_and_shrinks_at_the_ends() -> None:
    np.testing.assert_allclose(running_mean(np.array([0.0, 3, 6, 9, 30]), 3), [1.5, 3, 6, 15, 19.5])
    np.testing.assert_allclose(running_mean(np.array([4.0, 2.0]), 1), [4, 2])
    np.testing.assert_allclose(running_mean(np.array([1.0, 2, 3, 4]), 2), [1.5, 2.5, 3.5, 4])
    assert running_mean(np.empty(0), 1).shape == (0,)


@given(st.integers(1, 3000), st.integers(2, 50))
def test_an_envelope_keeps_every_extreme(steps: int, columns: int) -> None:
    y = np.random.default_rng(steps).standard_normal(steps)
    px, py = envelope(np.arange(1.0, steps + 1), y, columns)
    assert len(px) == len(py) <= max(4 * columns, 1)
    assert (py.min(), py.max()) == (y.min(), y.max())
    assert (np.diff(px) >= 0).all()
