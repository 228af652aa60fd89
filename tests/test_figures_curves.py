"""Curves over epochs: what a run may leave, gaps, scales and labels."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from drawn import LONG, NAN, opened
from PIL import ImageColor

from duograd.runner.plots.chart import Chart
from duograd.runner.plots.curves import DEEPEST, Curve, draw_metrics, overlay, spread
from duograd.runner.plots.figures.loss_curve import draw_loss
from duograd.runner.plots.line import trace
from duograd.runner.plots.scale import scale_for, show_values
from duograd.runner.plots.style import COLOURS
from duograd.runner.plots.text import Output


def test_a_loss_that_is_cross_entropy_alone_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setattr("duograd.runner.plots.figures.loss_curve.overlay", lambda *given, **_: drawn.append(given))
    history = {"train/loss": [2.0, 1.0], "train/cross_entropy": [2.0, 1.0], "train/l2": [0.5, 0.25]}
    for loss in ([2.0, 1.0], [2.5, 1.25]):
        draw_loss(history | {"train/loss": loss}, Output(tmp_path / "l.png", ""), ("cross_entropy", "l2"))
    names = [[curve.name for curve in panels[""]] for panels, *_ in drawn]
    assert names == [["train/loss", "train/l2"], ["train/loss", "train/cross_entropy", "train/l2"]]
    assert drawn[0][2] == "the loss is cross_entropy"


def test_one_epoch_is_bars(tmp_path: Path) -> None:
    one = opened(draw_loss({"train/loss": [2.0], "val/loss": [1.0]}, Output(tmp_path / "l.png", "loss"), ()))
    widths = [(one == ImageColor.getrgb(colour)).all(axis=2).sum(axis=1).max() for colour in COLOURS[:2]]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.02)
    seeds = [opened(overlay({"train": [Curve("a", [1.0])] * k}, Output(tmp_path / "o.png", ""), "")) for k in (1, 3)]
    assert seeds[0].shape[0] < seeds[1].shape[0]  # each has its bar
    opened(overlay({"train": [Curve(LONG, [-1.0]), Curve("b", [NAN])], "test": []}, Output(tmp_path / "o.png", ""), ""))


@pytest.mark.parametrize("span", [1e-14, 1e-9, 1e-4, 0.5, 3.0, 1e4, 1e12])
def test_no_two_ticks_bear_one_label(span: float, tmp_path: Path) -> None:
    chart = Chart(Output(tmp_path / "c.png", ""))
    [axes] = chart.axes
    show_values(axes, scale_for([np.array([2.0, 2.0 + span])], "auto"))
    chart.save()
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(set(labels)) == len(labels) > 0


def test_metric_curve_takes_many_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    history = {f"{name} {split}/accuracy": rng.random(9) for name in "abcdefghijklm照" for split in ("train", "test")}
    opened(draw_metrics(history, history, Output(tmp_path / "m.png", "照片"), "accuracy"))


def test_threads_draw_the_same_bytes(tmp_path: Path) -> None:
    def draw(name: str) -> bytes:
        out = Output(tmp_path / name, "title", "footer")
        return draw_metrics({"a": [1, 2], "b": [2, 1]}, "ab", out, "accuracy").read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(draw, "wxyz"))) == 1


def test_gaps_stay_and_sparse_values_are_joined() -> None:
    epoch, y, dots = trace(np.array([1.0, 2.0, NAN, 3.0, NAN, 4.0, 5.0]))
    assert (len(epoch), np.isnan(y).sum(), dots) == (7, 2, [3])
    epoch, y, dots = trace(np.array([NAN, 1.0, NAN, NAN, 2.0]))
    assert (epoch.tolist(), y.tolist(), dots) == ([2, 5], [1, 2], [0, 1])


def test_scale_is_logarithmic_over_a_decade_of_positive_values() -> None:
    assert scale_for([np.array([0.1, 2.0])], "auto").log
    assert not scale_for([np.array([0.5, 2.0])], "auto").log
    assert not scale_for([np.array([0.0, 2.0])], "auto").log
    assert not scale_for([np.array([0.1, 2.0])], "linear").log
    assert scale_for([np.array([1e-300, 1.0])], "auto", DEEPEST).low > 1e-7
    assert scale_for([np.array([1e-90, 1.0])], "auto").low < 1e-90


def test_spread_moves_labels_apart_and_keeps_them_inside() -> None:
    np.testing.assert_allclose(spread(np.array([50.0, 50.0, 10.0]), 10, 0, 100), [45, 55, 10])
    np.testing.assert_allclose(spread(np.array([99.0, 100.0]), 10, 0, 100), [90, 100])
