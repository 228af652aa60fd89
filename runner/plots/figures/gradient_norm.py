"""How much of a loss's gradient reaches each time step of a recurrent network on its way back.

Legend: T time steps.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from duograd.runner.plots.curves import Curve, draw_curves
from duograd.runner.plots.figure import Figure, FinishedRun
from duograd.runner.plots.scale import DECADE, UNSHOWABLE, Floats, Scale, drawable
from duograd.runner.plots.text import Output

PROBED = 100  # samples whose gradient is followed back in time
FLOOR = 1e-18  # below it float32's squares, of which a norm is summed, run out of exponent
READ = "‖∂L/∂hₜ‖, logarithmic · falling to the left: the gradient vanishes on its way back; rising: it explodes"


def draw_norms(norms: Mapping[str, ArrayLike], out: Output) -> Path:
    """Draw the norms of ∂L/∂hₜ (T,), one for each t = 1 … T, a curve per name; returns the path.

    norms: name -> norms, such as {"at the start": ..., "at the end": ...}. A logarithmic axis has no place for 0:
    zeros, norms below 1e-18 or from 1e100 up and what is not finite are left out, and the subtitle counts them.
    """
    arrays = {name: np.asarray(values, np.float64) for name, values in norms.items()}
    curves = [Curve(name, showable(y), colour) for colour, (name, y) in enumerate(arrays.items())]
    missing = " · ".join(filter(None, (left_out(name, y) for name, y in arrays.items())))
    full = [curve for curve in curves if len(curve.measured)]
    along = ("time step t", max([1, *map(len, arrays.values())]))
    return draw_curves(full, decades([curve.y for curve in full]), along, out, f"{READ}\n{missing}")


def showable(norms: Floats) -> Floats:
    """Norms (T,), NaN where a logarithmic axis cannot show them."""
    y = drawable(norms)
    y[y < FLOOR] = np.nan
    return y


def left_out(name: str, norms: Floats) -> str:
    """What of norms (T,) is not drawn, in words; nothing for nothing."""
    counts = {
        "zero": (norms == 0).sum(),
        f"below {FLOOR:g}": ((norms > 0) & (norms < FLOOR)).sum(),
        f"from {UNSHOWABLE:g} up": ((norms >= UNSHOWABLE) & np.isfinite(norms)).sum(),
        "not finite": (~np.isfinite(norms)).sum(),
    }
    parts = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"left out of “{name}” ({len(norms)} steps): {parts}" if parts else ""


def decades(curves: list[Floats]) -> Scale:
    """A little air around all values, and a decade at least, so that rounding does not look like a slope."""
    values = np.concatenate(curves or [np.ones(1)])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    air = max((high / low) ** 0.04, (DECADE * low / high) ** 0.5)
    return Scale(low / air, high * air, log=True)


def _draw(run: FinishedRun) -> None:
    """Before and after training."""
    batch = run.data.train.batch(slice(PROBED))
    engines = {"at the start": run.untrained(), "at the end": run.engine}
    norms = {name: engine.probe(batch)["gradient_norm_by_step"] for name, engine in engines.items()}
    draw_norms(norms, run.output("gradient_norm", f"Gradient in time: {run.title}"))


FIGURE = Figure(_draw, inside=True)
