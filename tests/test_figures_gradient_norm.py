"""Gradient norms by time step: many decades, and what a logarithmic axis cannot show is left out and counted."""

from pathlib import Path

import numpy as np
import pytest
from drawn import LONG, NAN, opened
from numpy.typing import ArrayLike

from duograd.runner.plots.figures.gradient_norm import FLOOR, decades, draw_norms, left_out, showable
from duograd.runner.plots.scale import Scale
from duograd.runner.plots.text import Output


@pytest.mark.parametrize("steps", [1, 2, 150])
def test_gradient_norm_opens(steps: int, tmp_path: Path) -> None:
    norms = {"at the start": np.geomspace(1e-40, 0.1, steps), "at the end": np.geomspace(1e9, 0.2, steps)}
    pixels = opened(draw_norms(norms, Output(tmp_path / "g.png", LONG, LONG)))
    assert pixels.shape[0] > 600
    assert pixels.shape[1] > 1000


@pytest.mark.parametrize(
    "norms", [[], [0.0] * 9, [NAN] * 9, [1.5] * 9, [0.0, NAN, np.inf, 1e-300, 1e300], [1e-18, 1e99], [0.0, 1.0, 0.0]]
)
def test_gradient_norm_takes_what_a_network_may_leave(norms: ArrayLike, tmp_path: Path) -> None:
    opened(draw_norms({"at the end": norms}, Output(tmp_path / "g.png", "no formula: $\\frac{$")))


def test_gradient_norm_without_curves_opens(tmp_path: Path) -> None:
    opened(draw_norms({}, Output(tmp_path / "g.png", "none")))


def test_zeros_and_what_is_below_the_floor_are_left_out_and_counted() -> None:
    norms = np.array([0.0, 0.0, FLOOR / 2, FLOOR, 1.0, NAN, np.inf, 1e200])
    np.testing.assert_array_equal(showable(norms), [NAN, NAN, NAN, FLOOR, 1, NAN, NAN, NAN])
    says = "2 zero, 1 below 1e-18, 1 from 1e+100 up, 2 not finite"
    assert left_out("at the end", norms) == f"left out of “at the end” (8 steps): {says}"
    assert left_out("at the end", np.array([FLOOR, 1.0])) == ""


def test_what_is_left_out_is_said_in_the_picture(tmp_path: Path) -> None:
    full = opened(draw_norms({"a": [1e-3, 1e-2, 0.1]}, Output(tmp_path / "g.png", "")))
    less = opened(draw_norms({"a": [0.0, 1e-2, 0.1]}, Output(tmp_path / "g.png", "")))
    assert less.shape[0] > full.shape[0]  # a line more above the axes


def test_scale_shows_all_decades_and_at_least_one() -> None:
    wide = decades([np.array([1e-17, NAN]), np.array([1e12])])
    assert wide.log
    assert wide.low < 1e-17
    assert wide.high > 1e12
    flat = decades([np.full(3, 2.0)])
    assert flat.high / flat.low == pytest.approx(10)
    assert decades([]) == Scale(pytest.approx(10**-0.5), pytest.approx(10**0.5), log=True)
