"""Metrics over epochs, each line labelled at its end with its name and last value.

Legend: E epochs. A history maps a metric's name, such as train/loss, to its values (E,); NaN where it was not measured.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from duograd.runner.figures.axis import Scale, scale_for, show_steps, show_values
from duograd.runner.figures.canvas import Body, legible, save, say_empty, sheet
from duograd.runner.figures.lettering import font, line_height
from duograd.runner.figures.style import COLOURS, DASHES, INK, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
History = Mapping[str, ArrayLike]

WIDTH, HEIGHT = 900, 560  # pixels of the plotting area
LEFT, BOTTOM = 110, 70  # for the tick labels
LEADER = 40  # pixels from the axes to the labels: a piece of each line, which joins it with its name
MOST_DOTS = 40  # more of them would hide the line that joins them
UNSHOWABLE = 1e100  # a value beyond it belongs to a diverged run, and no axis can show it


@dataclass(frozen=True)
class Curve:
    """One line: values (E,), NaN where there is nothing to draw."""

    name: str
    values: Floats
    colour: str
    dash: Any

    @property
    def there(self) -> NDArray[np.bool_]:
        """Where there is a value (E,)."""
        return np.isfinite(self.values)

    @property
    def last(self) -> float:
        """The last value that was measured."""
        return float(self.values[self.there][-1])

    @property
    def style(self) -> dict[str, Any]:
        return {"color": self.colour, "linestyle": self.dash, "linewidth": 1.4}

    @property
    def label(self) -> str:
        return f"{self.name}  {self.last:.4g}"


def loss_curve(history: History, path: Path, title: str, terms: Sequence[str], footer: str = "") -> Path:
    """Draw the loss and its `terms` (such as mse, l2, kl) for every split that has them; returns `path`.

    The axis is logarithmic where all values are positive and span more than a decade. A term that is 0 throughout
    (lambda = 0) is left out, and the subtitle says so.
    """
    found = [f"{split}/{term}" for term in ("loss", *terms) for split in DASHES if f"{split}/{term}" in history]
    curves = _curves(history, found)
    zero = [curve.name for curve in curves if not (curve.values[curve.there].any() or curve.name.endswith("/loss"))]
    shown = [curve for curve in curves if curve.name not in zero]
    return _draw(shown, path, title, ("loss and its terms", _named("left out, 0 throughout", zero)), footer, "auto")


def metric_curve(
    history: History,
    names: Iterable[str],
    path: Path,
    title: str,
    ylabel: str,
    footer: str = "",
    scale: Literal["linear", "auto"] = "linear",
) -> Path:
    """Draw the metrics `names` of one or several runs, such as accuracies, over one axis; returns `path`.

    Dashes tell splits apart (a word train, val or test in the name), colours the rest of the name; where only the split
    differs, colours tell it too. `scale="auto"` is logarithmic as in `loss_curve`.
    """
    return _draw(_curves(history, names), path, title, (ylabel,), footer, scale)


def _curves(history: History, names: Iterable[str]) -> list[Curve]:
    """One curve a name: colours by metric where there are several, else by split."""
    splits = {name: next((split for split in DASHES if re.search(rf"\b{split}\b", name)), "") for name in names}
    metrics = {name: re.sub(rf"\b{split}\b", "", name) if split else name for name, split in splits.items()}
    keys = metrics if len(set(metrics.values())) > 1 else splits
    order = list(dict.fromkeys(keys.values()))
    colours = {name: COLOURS[order.index(key) % len(COLOURS)] for name, key in keys.items()}
    return [Curve(n, drawable(history[n]), colours[n], DASHES.get(splits[n], "-")) for n in splits]


def _named(what: str, names: Sequence[str]) -> str:
    return f"{what}: {', '.join(names)}" if names else ""


def drawable(values: ArrayLike) -> Floats:
    """Values of any shape as floats, NaN for what no axis can show."""
    y = np.array(values, np.float64)
    y[~(np.abs(y) < UNSHOWABLE)] = np.nan
    return y


def _draw(
    curves: list[Curve], path: Path, title: str, notes: Sequence[str], footer: str, wanted: Literal["linear", "auto"]
) -> Path:
    scale = scale_for([curve.values for curve in curves], wanted)
    empty = _named("no finite value", [curve.name for curve in curves if not curve.there.any()])
    curves = [curve for curve in curves if curve.there.any()]
    subtitle = " · ".join(note for note in (notes[0], "logarithmic" if scale.log else "", *notes[1:], empty) if note)
    epochs = max((len(curve.values) for curve in curves), default=1)
    return draw_curves(curves, scale, ("epoch", epochs), path, title, subtitle, footer)


def draw_curves(
    curves: Sequence[Curve], scale: Scale, along: tuple[str, int], path: Path, title: str, subtitle: str, footer: str
) -> Path:
    """Draw curves, each with a value to show, over an axis `along` of a name and its last step; returns `path`."""
    face = font(SMALL)
    right = LEADER + 12 + round(1.03 * max((face.getlength(curve.label) for curve in curves), default=0))
    height = max(HEIGHT, line_height(SMALL) * len(curves))
    figure, axes = sheet(Body(WIDTH, height, LEFT, right, 10, BOTTOM), title, subtitle, footer)
    name, steps = along
    show_steps(axes, steps, name)
    show_values(axes, scale)
    for curve in curves:
        _line(axes, curve)
    label_ends(axes, curves)
    return save(figure, path)


def _line(axes: "Axes", curve: Curve) -> None:
    """A line with gaps where values are missing, and a dot where one stands alone."""
    epoch, y, dots = trace(curve.values)
    axes.plot(epoch, y, marker="o", markersize=3, markevery=dots, **curve.style)


def trace(values: Floats) -> tuple[Floats, Floats, list[int]]:
    """Epochs and values to draw, and at which of them a dot, from values (E,) with NaN for gaps.

    A metric that is measured only every few epochs is mostly lone values: they are joined, and dotted if they are few.
    """
    epoch, there = np.arange(1.0, len(values) + 1), np.isfinite(values)
    beside = np.concatenate([[False], there[:-1]]) | np.concatenate([there[1:], [False]])
    lone = there & ~beside
    if 2 * lone.sum() <= there.sum():
        return epoch, values, np.flatnonzero(lone).tolist()
    count = int(there.sum())
    return epoch[there], values[there], list(range(count)) if count <= MOST_DOTS else []


def label_ends(axes: "Axes", curves: Sequence[Curve]) -> None:
    """Names at the right, as high as the curves end, moved apart where they would overlap."""
    if not curves:
        say_empty(axes)
        return
    box = axes.get_window_extent()
    ends = np.array([axes.transData.transform((1, curve.last))[1] for curve in curves])
    ends = np.clip(ends, box.y0, box.y1)
    places = spread(ends, line_height(SMALL), box.y0, box.y1)
    for curve, end, place in zip(curves, (ends - box.y0) / box.height, (places - box.y0) / box.height, strict=True):
        _label(axes, curve, end, place, LEADER / box.width)


def _label(axes: "Axes", curve: Curve, end: float, place: float, leader: float) -> None:
    """A label `place` high, joined with the curve's `end`; heights and lengths in shares of the axes."""
    frame: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    axes.plot([1, 1 + leader], [end, place], **curve.style, **frame)
    text = legible(curve.label)
    axes.text(1 + 1.2 * leader, place, text, fontsize=SMALL, color=INK, va="center", parse_math=False, **frame)


def spread(wanted: Floats, gap: float, low: float, high: float) -> Floats:
    """Places (n,) close to the wanted ones (n,), at least `gap` apart, within [low, high] where they all fit."""
    order = np.argsort(wanted, kind="stable")
    step = gap * np.arange(len(wanted))
    flat = wanted[order] - step  # in these coordinates "at least gap apart" is "not decreasing"
    upwards = np.maximum.accumulate(flat)
    downwards = np.minimum.accumulate(flat[::-1])[::-1]
    placed = np.clip((upwards + downwards) / 2, low, high - step[-1]) + step
    return placed[np.argsort(order)]
