"""What people read in charts: every word lies on the paper, and none over another, whatever the names are."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from drawings import DRAWINGS, NAME
from drawn import opened
from matplotlib.text import Text

from duograd.runner.plots.chart import Chart
from duograd.runner.plots.text import Output


def words(chart: Chart) -> Iterator[Text]:
    """All that is written, without tick labels beyond the axes' limits."""
    yield from chart.figure.texts
    yield from [text for legend in chart.panels.legends for text in legend.get_texts()]
    for axes in chart.axes:
        yield from [axes._left_title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            yield from [tick.label1 for tick in axis.get_major_ticks() if min(limits) <= tick.get_loc() <= max(limits)]


@pytest.mark.parametrize("name", DRAWINGS)
def test_words_lie_apart_and_on_the_paper(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    charts = []
    save = Chart.save
    monkeypatch.setattr(Chart, "save", lambda chart: charts.append(chart) or save(chart))
    assert min(opened(DRAWINGS[name](Output(tmp_path / "c.png", NAME * 3, NAME * 3))).shape[:2]) > 200
    [chart] = charts
    paper = chart.figure.bbox
    boxes = {text: text.get_window_extent() for text in words(chart) if text.get_visible() and text.get_text().strip()}
    for text, box in boxes.items():
        assert min(box.x0, box.y0, paper.x1 - box.x1, paper.y1 - box.y1) >= 0, text
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        over = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(over) < 3, f"{one} lies over {other}"  # pixels: boxes have air around their letters
