"""Gradient norms by time step: many decades, and what a logarithmic axis cannot show is left out and counted."""

from pathlib import Path

import numpy as np
import pytest
from drawn import NAN, opened

from duograd.runner.plots.figures.gradient_norm import FLOOR, decades, draw_norms, left_out, showable
from duograd.runner.plots.scale import Scale
from duograd.runner.plots.text import Output


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
