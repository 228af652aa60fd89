"""A matplotlib figure in the house style: panels of the size that is asked for, with what they need around them.

matplotlib's constrained layout gives tick labels, titles and legends their room, and the paper grows until the panels
have their size. No pyplot and no global state, so threads and workers can draw at once. Lengths are pixels at our
resolution. matplotlib is imported when the first chart is made.
"""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.plots.images import save_content
from duograd.runner.plots.style import DPI, FAINT, GRID, INK, LABEL, MARGIN, MIN_WIDTH, PAPER, SMALL, TITLE, pixels
from duograd.runner.plots.text import Output, cut, font, legible, text_width, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Style = Mapping[str, Any]

GAP = 12  # between blocks of text, and around panels
AROUND = 2000  # first guess of what stands around the panels: enough, so that none of them collapses
MOST_LAYOUTS = 4  # each brings the panels nearer to their size; two are nearly always enough
LONGEST = 160  # characters of a name in a legend or above a panel
SWATCH = 44  # of a line beside its name in a legend: long enough to show a dash pattern


class Chart:
    """Panels in rows, `axes` one after the other, each `size` pixels wide and high; title, subtitle and footer."""

    def __init__(
        self,
        out: Output,
        subtitle: str = "",
        size: tuple[int, int] = (900, 560),
        panels: int = 1,
        across: int = 1,
    ) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        self.out, self.subtitle = out, subtitle
        self.size, self.across, self.down = size, across, math.ceil(panels / across)
        self.engine = ConstrainedLayoutEngine(w_pad=GAP / DPI, h_pad=GAP / DPI, wspace=0, hspace=0)
        self.figure = Figure(dpi=DPI, facecolor=PAPER, layout=self.engine)
        FigureCanvasAgg(self.figure)
        self.panels = self.figure.add_subfigure(self.figure.add_gridspec()[0])
        every = self.panels.subplots(self.down, across, squeeze=False).ravel().tolist()
        self.axes: list[Axes] = [_plain(axes) for axes in every[:panels]]
        for axes in every[panels:]:
            axes.remove()
        self.above = self.below = float(MARGIN)
        self.names: Sequence[tuple[str, Style]] = []  # of a legend for all panels

    def is_left(self, panel: int) -> bool:
        """Whether the panel stands first in its row."""
        return panel % self.across == 0

    def is_lowest(self, panel: int) -> bool:
        """Whether no other panel stands below it."""
        return panel + self.across >= len(self.axes)

    def entitle(self, axes: "Axes", title: str, colour: str = INK, bold: bool = False) -> None:
        """Set a panel's title above it, wrapped to its width."""
        lines = wrap(cut(title, LONGEST), 0.97 * self.size[0], font(LABEL, bold))
        weight = "bold" if bold else "normal"
        text: dict[str, Any] = {"fontsize": LABEL, "color": colour, "fontweight": weight, "parse_math": False}
        axes.set_title("\n".join(lines), loc="left", pad=4, **text)

    def label(self, axes: "Axes", along: str = "", up: str = "", note: str = "") -> None:
        """Name a panel's axes, cut if long and wrapped if the panel is short; a note for the one along."""
        text: dict[str, Any] = {"fontsize": LABEL, "color": FAINT, "parse_math": False}
        for name, side, put in ((cut(along) + note, 0, axes.set_xlabel), (cut(up), 1, axes.set_ylabel)):
            put("\n".join(wrap(name, 0.97 * self.size[side], font(LABEL))), **text)

    def save(self) -> Path:
        """Draw to a PNG, atomically; returns its path."""
        self._resize(self.across * self.size[0] + AROUND, self.down * self.size[1] + AROUND)
        self._fit()
        self._write()  # wrapped to the width that was found
        self._resize(self.body[0], self.body[1] + (AROUND if self.names else 0))
        self._fit()
        self.figure.set_layout_engine("none")  # all is in its place
        # Not savefig: it obeys the reader's matplotlibrc (tight boxes, other resolutions). No version in the file.
        buffer = io.BytesIO()
        canvas: Any = self.figure.canvas  # matplotlib leaves print_png without types
        canvas.print_png(buffer, metadata={"Software": None})
        return save_content(buffer.getvalue(), self.out.path)

    def _resize(self, width: float, height: float) -> None:
        """Make the paper large enough for panels and what belongs to them, and lay them out."""
        self.body = width, height
        paper = max(width + 2 * MARGIN, MIN_WIDTH), height + self.above + self.below
        self.figure.set_size_inches(paper[0] / DPI, paper[1] / DPI)
        box = (MARGIN / paper[0], self.below / paper[1], width / paper[0], height / paper[1])
        self.engine.set(rect=box)
        self.engine.execute(self.figure)

    def _fit(self) -> None:
        """Give the panels their size; what stands around them keeps its own, or nearly so."""
        for _ in range(MOST_LAYOUTS):
            panel, (width, height) = self.axes[0].get_window_extent(), self.body
            more = self.size[0] - panel.width, self.size[1] - panel.height
            if max(map(abs, more)) < 1:
                return
            self._resize(width + self.across * more[0], height + self.down * more[1])

    def _write(self) -> None:
        """Title and subtitle from the top left corner down, the footer in the bottom left one, the legend between."""
        self.above += self._block(self.out.title, TITLE, INK, self.above, bold=True)
        self.above += self._block(self.subtitle, SMALL, FAINT, self.above)
        self.below += self._block(self.out.footer, SMALL, FAINT, None)
        if self.names:
            self._legend()

    def _block(self, text: str, points: float, colour: str, top: float | None, bold: bool = False) -> float:
        """Set wrapped text `top` pixels from the paper's edge, or at its foot; returns the height with the gap."""
        from matplotlib.transforms import ScaledTranslation

        if not text:
            return 0.0
        width = self.figure.bbox.width - 2 * MARGIN
        lines = wrap(legible(text), 0.97 * width, font(points, bold))
        y, anchor, drop = (0, "bottom", MARGIN) if top is None else (1, "top", -top)
        corner = ScaledTranslation(MARGIN / DPI, drop / DPI, self.figure.dpi_scale_trans)
        block = self.figure.text(
            0,
            y,
            "\n".join(lines),
            transform=self.figure.transFigure + corner,
            fontsize=points,
            color=colour,
            fontweight="bold" if bold else "normal",
            va=anchor,
            parse_math=False,
        )
        return block.get_window_extent().height + GAP

    def _legend(self) -> None:
        """Names beside a piece of their lines, above the panels, in as many columns as there is room for."""
        from matplotlib.lines import Line2D

        letter = pixels(SMALL)
        room = self.body[0] - SWATCH - 2 * letter
        names = ["\n".join(wrap(cut(name, LONGEST), 0.97 * room, font(SMALL))) for name, _ in self.names]
        widest = text_width((line for name in names for line in name.splitlines()), SMALL) + SWATCH + 3 * letter
        legend = self.panels.legend(
            [Line2D([], [], **style) for _, style in self.names],
            ["name"] * len(names),  # matplotlib would leave out those that begin with _
            loc="outside upper left",
            ncols=max(1, min(len(names), int(self.body[0] / widest))),
            frameon=False,
            fontsize=SMALL,
            labelcolor=INK,
            handlelength=SWATCH / letter,
            borderpad=0.4,
            borderaxespad=0,
        )
        for text, name in zip(legend.get_texts(), names, strict=True):
            text.set(text=name, parse_math=False)


def _plain(axes: "Axes") -> "Axes":
    """Two quiet spines, a light grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", color=GRID, labelcolor=FAINT, labelsize=SMALL, length=3)
    return axes


def say_empty(axes: "Axes") -> None:
    """Say in the middle of axes that there is nothing to draw, so that nobody looks for a line."""
    back = {"facecolor": axes.get_facecolor(), "edgecolor": "none"}  # no grid through the words
    axes.text(0.5, 0.5, "nothing to draw", transform=axes.transAxes, ha="center", va="center", color=FAINT, bbox=back)
