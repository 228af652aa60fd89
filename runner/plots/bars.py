"""Numbers as bars, each named at its left and written out at its end."""

from collections.abc import Callable, Sequence
from pathlib import Path

from duograd.runner.plots.chart import Chart
from duograd.runner.plots.style import COLOURS, INK, LABEL, SMALL
from duograd.runner.plots.text import Output, legible

WIDTH, ROOM = 620, 46  # pixels of the longest bar, and from one bar to the next
MANY, LITTLE_ROOM = 20, 28  # so many bars stand closer


def draw_bars(
    bars: Sequence[tuple[str, float]],
    out: Output,
    subtitle: str,
    write: Callable[[float], str],
    colours: Sequence[str] = COLOURS[:1],
    longest: float | None = None,
    whiskers: Sequence[tuple[float, float] | None] = (),
) -> Path:
    """Draw a bar for each name and number, colours in turn, as long as the number; returns the path. At least one bar.

    write: the number as text. longest: the number of a bar of full length; None takes the largest. whiskers: the ends
    of each bar's interval, where it has one.
    """
    values = [value for _, value in bars]
    ends = [(row, *ends) for row, ends in enumerate(whiskers) if ends is not None]
    low = min([0.0, *values, *(first for _, first, _ in ends)])
    high = longest or max([0.0, *values, *(last for _, _, last in ends)])
    chart = Chart(out, subtitle, (WIDTH, (ROOM if len(bars) < MANY else LITTLE_ROOM) * len(bars)))
    [axes] = chart.axes
    axes.grid(visible=False)
    axes.spines[["bottom"]].set_visible(False)
    axes.barh(range(len(bars)), values, height=0.6, color=[colours[k % len(colours)] for k in range(len(bars))])
    axes.set_yticks(range(len(bars)), [legible(name) for name, _ in bars], fontsize=LABEL, parse_math=False)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_xticks([])
    axes.set_xlim(low, high if high > low else low + 1)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    for row, first, last in ends:
        axes.errorbar(values[row], row, xerr=[[values[row] - first], [last - values[row]]], color=INK, capsize=4)
    reached = dict([*enumerate(values), *((row, last) for row, _, last in ends)])
    for row, value in enumerate(values):
        place = max(reached[row], 0.0) + 0.01 * ((high - low) or 1)
        axes.text(place, row, write(value), fontsize=SMALL, color=INK, va="center")
    return chart.save()
