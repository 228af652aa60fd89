"""Numbers over swept axes, curves over each other, contact sheets, matrices side by side: they open, whatever comes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from drawn import LONG, NAN, opened

from duograd.runner.plots.by_axis import AxisRuns, lines_by_axis, places_of
from duograd.runner.plots.chart import Chart
from duograd.runner.plots.curves import Band, Curve, overlay, scale_of_most
from duograd.runner.plots.heat_map import Grid, Side, heat_maps
from duograd.runner.plots.page import Cell, contact_sheet
from duograd.runner.plots.text import Output, digits_for, number

NOTHING = np.full((2, 2), NAN)


def test_as_many_digits_as_tell_values_apart() -> None:
    assert digits_for([1.0, 2.0, NAN]) == 4
    assert digits_for([1.9666, 1.9681]) == 4
    assert digits_for([1.9666, 1.9674]) == 5
    assert digits_for([1.96661, 1.96659]) == 6
    assert digits_for([1.0, 1.0]) == 4
    assert [number(v, 4) for v in (1.5, 0.0, NAN, 1234.5678, 8.04e-5)] == ["1.500", "0", "–", "1235", "8.040e-05"]


@pytest.mark.parametrize("rises", [True, False])
def test_the_better_cell_is_the_darker(tmp_path: Path, rises: bool) -> None:
    """Cells of one row: the first holds the larger value."""
    grid = Grid("", np.array([[9.0, 1.0]]), np.full((1, 2), NAN))
    path = heat_maps([grid], Side("r", "a"), Side("c", "bc"), rises, Output(tmp_path / "h.png", "title"), "")
    pixels = opened(path).astype(int)
    blue = (pixels[:, :, 2] - pixels[:, :, 0]).clip(0)
    columns = np.flatnonzero((blue > 60).sum(axis=0) > 30)  # where a dark cell stands
    others = np.flatnonzero(((blue > 5) & (blue < 40)).sum(axis=0) > 30)
    assert (columns.mean() < others.mean()) == rises


@pytest.mark.parametrize(
    ("values", "places", "how"),
    [
        ([10, 50, 100], [0, 4 / 9, 1], "linear"),
        ([0.001, 0.01, 1.0], [0, 1 / 3, 1], "log"),
        ([0, 1e-5, 1e-3], [0, 0.5, 1], "even"),
        (["a", "b"], [0, 1], "even"),
        ([5], [0.5], "even"),
        ([True, False], [0, 1], "even"),
        ([3, 1, 2], [1, 0, 0.5], "linear"),
    ],
)
def test_numbers_stand_where_they_belong(values: list, places: list[float], how: str) -> None:
    positions, named = places_of(values)
    np.testing.assert_allclose(positions, places)
    assert named == how


def limits_of(monkeypatch: pytest.MonkeyPatch, draw: Callable[[Output], Path], path: Path) -> list[tuple[float, float]]:
    """What a chart's panels show along their heights."""
    charts: list[Chart] = []
    save = Chart.save
    monkeypatch.setattr(Chart, "save", lambda chart: (charts.append(chart), save(chart))[1])
    draw(Output(path, "title"))
    return [axes.get_ylim() for axes in charts[-1].axes]


def test_bars_of_three_runs_lie_within_the_axes_those_of_two_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    three, two = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0])
    for runs, ends, inside in ((three, [-0.5, 4.5], True), (two, [-4.9, 7.9], False)):
        panel = AxisRuns("model", ["gru"], [runs], [np.array(ends)])
        [(low, high)] = limits_of(monkeypatch, lambda out, p=panel: lines_by_axis([p], out, "", ""), tmp_path / "a.png")
        assert (low < ends[0] and high > ends[1]) == inside
        assert low < runs.min() < runs.max() < high


def test_an_axis_is_as_long_as_its_lines_however_wide_the_bands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mean = np.array([1.0, 1.5, 2.0])
    band = Band(mean - 9, mean + 9)
    curves = {"train": [Curve("gru", mean, band=band), Curve("lstm", mean + 0.1, 1)]}
    [(low, high)] = limits_of(monkeypatch, lambda out: overlay(curves, out, "loss", "linear"), tmp_path / "a.png")
    assert 0.9 < low < 1
    assert 2.1 < high < 2.2
    opened(
        overlay(
            {"one epoch": [Curve("gru", mean[:1], band=Band(mean[:1] - 1, mean[:1] + 1))]},
            Output(tmp_path / "b.png", "t"),
            "loss",
        )
    )


def test_the_steep_beginning_is_left_out_only_where_it_flattens_the_rest() -> None:
    steep = np.r_[100.0, 50.0, np.linspace(2.0, 1.9, 98)]
    scale, note = scale_of_most([steep], "auto")
    assert scale.high < 2.1
    assert scale.low < 1.9
    assert "above the axis" in note
    for curve in (np.linspace(2, 1, 100), np.r_[0.1, np.linspace(2.0, 1.9, 99)], steep[:5]):
        scale, note = scale_of_most([curve], "auto")
        assert scale.low < curve.min()
        assert scale.high > curve.max()
        assert not note


def test_contact_sheet_lays_cells_out_in_columns(tmp_path: Path) -> None:
    dark, light = np.zeros((16, 16), np.uint8), np.full((16, 16), 200, np.uint8)
    path = contact_sheet([[Cell(dark), Cell(light)]], ["row"], ["a", "b"], Output(tmp_path / "c.png", "title"))
    pixels = opened(path)[:, :, 0]
    black, grey = (np.flatnonzero((pixels == shade).sum(axis=0) > 200) for shade in (0, 200))
    assert len(black) == len(grey) > 200
    assert black.max() < grey.min()


def test_contact_sheet_opens(tmp_path: Path) -> None:
    big, wide = np.zeros((500, 700), np.uint8), np.zeros((33, 203, 3), np.uint8)
    cells = [[Cell(big, LONG), Cell(None, LONG)], [Cell(wide), Cell(None)]]
    opened(contact_sheet(cells, [LONG, ""], [LONG, "b"], Output(tmp_path / "c.png", LONG, LONG), LONG))
    opened(contact_sheet([[Cell(None, "not run")]], [""], [""], Output(tmp_path / "d.png", "title")))
