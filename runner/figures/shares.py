"""Shares of a whole as bars from the left, the largest first."""

from collections.abc import Mapping
from pathlib import Path

from duograd.runner.figures.canvas import Body, save, sheet
from duograd.runner.figures.lettering import font
from duograd.runner.figures.panels import cut
from duograd.runner.figures.style import COLOURS, INK, LABEL, SMALL

WIDTH = 620  # pixels of a bar of 100 %
BAR = 46  # of a bar's room


def shares(found: Mapping[str, float], path: Path, title: str, what: str, footer: str = "") -> Path:
    """Draw a bar for each name's share, 0 to 1, labelled in percent; returns `path`. At least one name."""
    ordered = sorted(found.items(), key=lambda item: -item[1])
    names = [cut(name) for name, _ in ordered]
    left = round(1.03 * max(font(LABEL).getlength(name) for name in names)) + 20
    figure, axes = sheet(Body(WIDTH, BAR * len(names), left, 70, 0, 16), title, what, footer)
    axes.grid(visible=False)
    axes.spines[["bottom"]].set_visible(False)
    axes.barh(range(len(names)), [share for _, share in ordered], height=0.6, color=COLOURS[0])
    axes.set_yticks(range(len(names)), names, fontsize=LABEL, color=INK, parse_math=False)
    axes.set_xticks([])
    axes.set_xlim(0, 1)
    axes.set_ylim(len(names) - 0.5, -0.5)
    for row, (_, share) in enumerate(ordered):
        axes.text(share + 0.01, row, f"{100 * share:.0f} %", fontsize=SMALL, color=INK, va="center")
    return save(figure, path)
