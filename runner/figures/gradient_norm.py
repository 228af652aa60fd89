"""How much of a loss's gradient reaches each time step of a recurrent network on its way back.

Legend: T time steps.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from duograd.runner.figures.axis import DECADE, Scale
from duograd.runner.figures.curves import UNSHOWABLE, Curve, draw_curves, drawable
from duograd.runner.figures.style import COLOURS

Floats = NDArray[np.float64]

FLOOR = 1e-18  # below it float32's squares, of which a norm is summed, run out of exponent
READ = "‖∂L/∂hₜ‖, logarithmic · falling to the left: the gradient vanishes on its way back; rising: it explodes"


def gradient_norm(norms: Mapping[str, ArrayLike], path: Path, title: str, footer: str = "") -> Path:
    """Draw the norms of ∂L/∂hₜ (T,), one for each t = 1 … T, a curve per name; returns `path`.

    norms: name -> norms, such as {"at the start": ..., "at the end": ...}. A logarithmic axis has no place for 0:
    zeros, norms below 1e-18 or from 1e100 up and what is not finite are left out, and the subtitle counts them.
    """
    found = {name: _checked(name, np.asarray(values, np.float64)) for name, values in norms.items()}
    curves = [Curve(name, _shown(y), COLOURS[k % len(COLOURS)], "-") for k, (name, y) in enumerate(found.items())]
    missing = " · ".join(filter(None, (_left_out(name, y) for name, y in found.items())))
    shown = [curve for curve in curves if curve.there.any()]
    scale = _scale([curve.values for curve in shown])
    along = ("time step t", max([1, *map(len, found.values())]))
    return draw_curves(shown, scale, along, path, title, f"{READ}\n{missing}", footer)


def _checked(name: str, norms: Floats) -> Floats:
    if norms.ndim != 1 or (norms < 0).any():
        least = np.nanmin(norms, initial=0)
        raise ValueError(f"norms of '{name}' have shape {norms.shape}, from {least:g}: expected (T,), none below 0")
    return norms


def _shown(norms: Floats) -> Floats:
    """Norms (T,), NaN where a logarithmic axis cannot show them."""
    y = drawable(norms)
    y[y < FLOOR] = np.nan
    return y


def _left_out(name: str, norms: Floats) -> str:
    """What of norms (T,) is not drawn, in words; nothing for nothing."""
    counts = {
        "zero": (norms == 0).sum(),
        f"below {FLOOR:g}": ((norms > 0) & (norms < FLOOR)).sum(),
        f"from {UNSHOWABLE:g} up": ((norms >= UNSHOWABLE) & np.isfinite(norms)).sum(),
        "not finite": (~np.isfinite(norms)).sum(),
    }
    found = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"left out of “{name}” ({len(norms)} steps): {found}" if found else ""


def _scale(curves: list[Floats]) -> Scale:
    """A little air around all values, and a decade at least, so that rounding does not look like a slope."""
    values = np.concatenate(curves or [np.ones(1)])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    air = max((high / low) ** 0.04, (DECADE * low / high) ** 0.5)
    return Scale(low / air, high * air, log=True)
