"""What people read in charts: every word lies on the paper, and none over another, whatever the names are."""

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from drawn import NAN
from matplotlib.text import Text

from duograd.runner.plots.by_axis import AxisRuns, Parameter, lines_by_axis, scatter
from duograd.runner.plots.chart import Chart
from duograd.runner.plots.confusion import confusion_matrices, confusion_matrix
from duograd.runner.plots.curves import Curve, draw_metrics, overlay
from duograd.runner.plots.figures.windows import draw_windows
from duograd.runner.plots.heat_map import Grid, Side, heat_maps
from duograd.runner.plots.text import Output

NAME = "hidden_size=100 optimizer=vanilla_adam lambda=1e-05 seed="  # of 60 characters with its number
RNG = np.random.default_rng(0)
VALUES = RNG.random((3, 4)) + 1e-5
COUNTS = RNG.integers(0, 10**5, (12, 12))
CURVES = [Curve(f"{NAME}{k:03}", RNG.random(9), k, k // 7) for k in range(40)]
CLASSES = [f"{'going ' * (k % 5)}downstairs {k}" for k in range(12)]
CASES: dict[str, Callable[[Output], Path]] = {
    "40 curves at their ends": lambda out: overlay({"train": CURVES}, out, "loss"),
    "40 curves in a legend": lambda out: overlay({"train": CURVES, "validation": CURVES}, out, "loss"),
    "equal curves": lambda out: draw_metrics({f"{NAME}{k}": [1, 1] for k in range(20)}, [f"{NAME}{7}"], out, ""),
    "one epoch": lambda out: overlay({"train": [Curve(c.name, [k]) for k, c in enumerate(CURVES)]}, out, "loss"),
    "heat maps": lambda out: heat_maps(
        [Grid(f"{NAME}{k}", VALUES, VALUES / 9) for k in range(7)],
        Side(NAME, "abc"),
        Side(NAME, [NAME] * 4),
        True,
        out,
        "",
    ),
    "means": lambda out: lines_by_axis(
        [AxisRuns(NAME, [NAME] * 4, [VALUES[0]] * 4, [np.empty(0)] * 4)] * 4, out, "", ""
    ),
    "close numbers": lambda out: lines_by_axis(
        [AxisRuns("lr", [0, 1e-5, 1e-3, 1], [VALUES[0]] * 4, [np.empty(0)] * 4)], out, "", ""
    ),
    "dots": lambda out: scatter(
        [Parameter(NAME, [NAME, "b", *"abcdef"])] * 3, np.arange(8.0), np.ones(8, bool), out, ""
    ),
    "nothing": lambda out: overlay({"train": [Curve("a", [NAN])]}, out, "loss"),
    "12 classes": lambda out: confusion_matrix(COUNTS, CLASSES, out),
    "matrices": lambda out: confusion_matrices({f"{NAME}{k}": COUNTS for k in range(3)}, CLASSES, out, "test"),
    "windows": lambda out: draw_windows(RNG.random((12, 9, 3)), [NAME, "y", "z"], "g", CLASSES, CLASSES[::-1], out),
}


def words(chart: Chart) -> Iterator[Text]:
    """All that is written, without tick labels beyond the axes' limits."""
    yield from chart.figure.texts
    yield from [text for legend in chart.panels.legends for text in legend.get_texts()]
    for axes in chart.axes:
        yield from [axes._left_title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            yield from [tick.label1 for tick in axis.get_major_ticks() if min(limits) <= tick.get_loc() <= max(limits)]


@pytest.mark.parametrize("case", CASES)
def test_words_lie_apart_and_on_the_paper(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    charts = []
    save = Chart.save
    monkeypatch.setattr(Chart, "save", lambda chart: charts.append(chart) or save(chart))
    CASES[case](Output(tmp_path / "c.png", NAME * 3, NAME * 3))
    [chart] = charts
    paper = chart.figure.bbox
    boxes = {text: text.get_window_extent() for text in words(chart) if text.get_visible() and text.get_text().strip()}
    for text, box in boxes.items():
        assert min(box.x0, box.y0, paper.x1 - box.x1, paper.y1 - box.y1) >= 0, text
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        over = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(over) < 3, f"{one} lies over {other}"  # pixels: boxes have air around their letters
