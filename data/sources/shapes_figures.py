"""Ten shapes, each as the signed distance of a point to its edge, below 0 inside; each fits in a circle of radius 1.

A distance need not be exact to draw well. It needs a slope of about 1 where it crosses 0, which makes the edge smooth.

Legend: u to the right, v upwards, both of any shape alike.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]


def circle(u: Field, v: Field) -> Field:
    return np.hypot(u, v) - 0.85


def square(u: Field, v: Field) -> Field:
    return box(u, v, 0.7, 0.7)


def triangle(u: Field, v: Field) -> Field:
    return _sector_edge(u, v, 3) - 0.5


def cross(u: Field, v: Field) -> Field:
    return np.minimum(box(u, v, 0.95, 0.3), box(u, v, 0.3, 0.95))


def ring(u: Field, v: Field) -> Field:
    return np.abs(np.hypot(u, v) - 0.7) - 0.22


def star(u: Field, v: Field) -> Field:
    """Five points at radius 1, the corners between them at 0.42: by symmetry one edge, in a tenth of the circle."""
    angle, radius = np.arctan2(u, v), np.hypot(u, v)
    sector = 2 * np.pi / 5
    folded = np.abs((angle + sector / 2) % sector - sector / 2)  # from the nearest point: 0 … π/5
    x, y = radius * np.cos(folded), radius * np.sin(folded)
    inner = 0.42 * np.array([np.cos(sector / 2), np.sin(sector / 2)])
    edge = inner - [1.0, 0.0]
    nx, ny = np.array([edge[1], -edge[0]]) / np.hypot(*edge)
    distance: Field = (x - 1) * nx + y * ny
    return distance


def crescent(u: Field, v: Field) -> Field:
    return np.maximum(np.hypot(u, v) - 0.9, 0.75 - np.hypot(u - 0.45, v))


def arrow(u: Field, v: Field) -> Field:
    head = np.maximum(np.abs(u) * 0.8 + (v - 0.95) * 0.6, 0.05 - v)
    return np.minimum(head, box(u, v + 0.4, 0.22, 0.55))


def stripes(u: Field, v: Field) -> Field:
    """Three bars."""
    return np.maximum(box(u, v, 0.7, 0.7), np.abs((v + 0.26) % 0.52 - 0.26) - 0.13)


def checks(u: Field, v: Field) -> Field:
    """A board of three by three fields, of which the corners and the middle are filled."""
    column, row = np.abs(u) - 0.23, np.abs(v) - 0.23  # below 0 in the middle one
    filled = np.minimum(np.maximum(column, row), -np.minimum(column, row))  # middle of both, or of neither
    return np.maximum(box(u, v, 0.69, 0.69), filled)


def box(u: Field, v: Field, width: float, height: float) -> Field:
    """A rectangle: half its width and half its height."""
    distance: Field = np.maximum(np.abs(u) - width, np.abs(v) - height)
    return distance


def _sector_edge(u: Field, v: Field, sides: int) -> Field:
    """How far a point lies out towards the nearest side of a regular polygon."""
    turns = 2 * np.pi * np.arange(sides) / sides
    distance: Field = np.max([u * np.sin(turn) - v * np.cos(turn) for turn in turns], axis=0)
    return distance


FIGURES: dict[str, Callable[[Field, Field], Field]] = {
    one.__name__: one for one in (circle, square, triangle, cross, ring, star, crescent, arrow, stripes, checks)
}
