"""Where a transformer looks: one window, how much attention each of its places gets, and the map of every head.

Legend: T places, h heads, S channels.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from duograd.data.dataset import Batch
from duograd.runner.plots.chart import Chart
from duograd.runner.plots.confusion import percent
from duograd.runner.plots.curves import PATTERNS
from duograd.runner.plots.figure import Array, Figure, FinishedRun
from duograd.runner.plots.figures.windows import channel_style
from duograd.runner.plots.heat_map import FULL
from duograd.runner.plots.line import plot_values
from duograd.runner.plots.scale import Floats, drawable, scale_for, show_steps, show_values
from duograd.runner.plots.style import COLOURS, FAINT, PAPER, SMALL
from duograd.runner.plots.text import Output, joined

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADS, BLOCKS = 4, 3  # maps beside each other, and under each other
SIDE = 300  # pixels of a panel
TICKS = 4
READ = "a map's row is the place that looks, its column the place it looks at; white is no attention"


def draw_attention(window: Array, channels: Sequence[str], label: str, maps: Sequence[Array], out: Output) -> Path:
    """Draw a window (steps, S), the attention that its places get, and maps (h, T, T) a block; returns the path.

    A map's row sums to 1; each is as dark as its own largest share, which its title says. The first 4 heads of the
    first 3 blocks are shown.
    """
    T, heads, blocks = maps[0].shape[-1], min(HEADS, len(maps[0])), min(BLOCKS, len(maps))
    across = max(2, heads)
    chart = Chart(out, joined(label, READ, left_out(maps)), (SIDE, SIDE), across * (1 + blocks), across)
    _draw_window(chart.axes[0], drawable(window))
    received = [T * p.mean(axis=(0, 1)) for p in maps[:blocks]]
    _draw_received(chart.axes[1], received)
    chart.entitle(chart.axes[0], "window")
    chart.entitle(chart.axes[1], "attention it gets (1: mean)")
    chart.names = [(name, channel_style(channel)) for channel, name in enumerate(channels)]
    chart.names += [(f"block {b + 1}", block_style(b)) for b in range(blocks)]
    for b, block in enumerate(maps[:blocks]):
        for head, p in enumerate(block[:heads]):
            axes = chart.axes[across * (1 + b) + head]
            chart.entitle(axes, f"block {b + 1}, head {head + 1}: up to {percent(p.max())}")
            _draw_map(axes, p, looks="place" if head == 0 else "", at="place" if b == blocks - 1 else "")
    for spare in [*range(2, across), *(across * (1 + b) + 1 for b in range(blocks) if heads == 1)]:
        chart.axes[spare].remove()
    return chart.save()


def left_out(maps: Sequence[Array]) -> str:
    """What is not shown of so many maps (h, T, T), in words; nothing for nothing."""
    heads, blocks = len(maps[0]), len(maps)
    return joined(
        f"the first {HEADS} of {heads} heads" if heads > HEADS else "",
        f"the first {BLOCKS} of {blocks} blocks" if blocks > BLOCKS else "",
    )


def _draw_window(axes: "Axes", window: Floats) -> None:
    show_steps(axes, len(window), "time step", TICKS)
    show_values(axes, scale_for([window.ravel()], "linear"), TICKS)
    for channel, values in enumerate(window.T):
        plot_values(axes, values, **channel_style(channel))


def _draw_received(axes: "Axes", curves: Sequence[Floats]) -> None:
    """What each place gets (T,) in each block: over heads and the places that look, the mean is 1."""
    show_steps(axes, len(curves[0]), "place", TICKS)
    show_values(axes, scale_for([np.concatenate([[0.0], *curves])], "linear"), TICKS)
    for block, values in enumerate(curves):
        plot_values(axes, values, **block_style(block))


def block_style(block: int) -> dict[str, Any]:
    """One grey, and a dash for each block: colours are the channels'."""
    return {"color": COLOURS[-1], "linestyle": PATTERNS[block], "linewidth": 1.1, "markersize": 2.5}


def _draw_map(axes: "Axes", p: Array, looks: str, at: str) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    edge = len(p) + 0.5
    axes.imshow(
        p,
        cmap=LinearSegmentedColormap.from_list("share", [PAPER, FULL]),
        vmin=0,
        extent=(0.5, edge, edge, 0.5),
        aspect="auto",
        interpolation="nearest",
    )
    axes.grid(visible=False)
    show_steps(axes, len(p), at, TICKS)
    axes.set_xlim(0.5, edge)
    axes.set_yticks(axes.get_xticks())
    axes.set_ylim(edge, 0.5)
    axes.set_ylabel(looks, fontsize=SMALL, color=FAINT)


def _label(run: FinishedRun, batch: Batch) -> str:
    """What the sample is, and what was said of it; nothing where it is no class."""
    if not run.data.classes or batch.targets is None:
        return ""
    true, said = (run.data.classes[int(i)] for i in (batch.targets[0], run.engine.predict(batch.inputs)[0].argmax()))
    return f"{true}, recognised" if true == said else f"{true}, taken for {said}"


def _draw(run: FinishedRun) -> None:
    """The first sample that was held out."""
    split = run.data.splits[run.data.held_out]
    batch = split.batch(slice(1))
    maps = [p[0] for p in run.engine.probe(batch).values()]
    out = run.output("attention_maps", f"Attention: {run.title}")
    draw_attention(batch.inputs[0], run.data.channels, _label(run, batch), maps, out)


FIGURE = Figure(_draw, needs=["channels"], inside=True)
