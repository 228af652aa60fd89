"""Drawings of ten shapes, of which each is the signed distance of a point to its edge, below 0 inside.

Where a shape lies, its size, how it is turned, its colour and that of the ground say nothing about its class. Each fits
in a circle of radius 1. A distance need not be exact to draw well: a slope of about 1 where it crosses 0 makes the edge
smooth.

Legend: N images, B images drawn at once, S side of an image; u to the right, v upwards, both of any shape alike.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Split
from duograd.data.normalise import WHITE

Field = NDArray[np.float64]

AT_ONCE = 256  # images drawn at once: what is floating-point stays small
RADIUS = (0.22, 0.4)  # of a shape, in sides of the image
CONTRAST = (0.25, 0.75)  # how far each colour channel of a shape is from the ground's, on a circle of length 1
SLOPE = 0.15  # how much the ground changes across the image, at most
NOISE = 0.04  # standard deviation, of white


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
CLASSES = tuple(FIGURES)


class Scene(NamedTuple):
    """What is drawn, once for each image: centre (N, 2) and radius (N,) in sides, turn (N,) in radians, colours (N, 3).

    slope (N, 2, 3): how the ground changes to the right and downwards.
    """

    centre: NDArray[np.float64]
    radius: NDArray[np.float64]
    turn: NDArray[np.float64]
    ground: NDArray[np.float64]
    colour: NDArray[np.float64]
    slope: NDArray[np.float64]

    def part(self, of: slice) -> "Scene":
        return Scene(*(one[of] for one in self))


def draw(count: int, size: int, rng: np.random.Generator) -> Split:
    """Images (N, 3, S, S) of bytes, the classes taking turns."""
    targets = np.arange(count) % len(CLASSES)
    scene = imagine(count, rng)
    images = np.empty((count, 3, size, size), np.uint8)
    for start in range(0, count, AT_ONCE):
        of = slice(start, start + AT_ONCE)
        images[of] = paint(scene.part(of), targets[of], size, rng)
    return Split(images, targets.astype(np.int64))


def imagine(count: int, rng: np.random.Generator) -> Scene:
    """Scenes drawn at random, their shapes wholly inside the image."""
    radius = rng.uniform(*RADIUS, count)
    centre = 0.5 + rng.uniform(-1, 1, (count, 2)) * (0.5 - radius)[:, None]
    ground = rng.random((count, 3))
    return Scene(
        centre=centre,
        radius=radius,
        turn=rng.uniform(0, 2 * np.pi, count),
        ground=ground,
        colour=(ground + rng.uniform(*CONTRAST, (count, 3))) % 1,
        slope=rng.uniform(-SLOPE, SLOPE, (count, 2, 3)),
    )


def paint(scene: Scene, targets: NDArray[np.int64], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The scenes as images (B, 3, S, S): ground, shape over it by how much of each pixel it covers, and noise."""
    place = (np.arange(size) + 0.5) / size
    across = np.stack(np.meshgrid(place - 0.5, place - 0.5))  # (2, S, S): to the right, downwards
    ground = scene.ground[:, :, None, None] + np.einsum("bkc,khw->bchw", scene.slope, across)
    cover = coverage(scene, targets, place)[:, None]
    image = ground + cover * (scene.colour[:, :, None, None] - ground)
    image += NOISE * rng.standard_normal(image.shape)
    painted: NDArray[np.uint8] = np.rint(image.clip(0, 1) * WHITE).astype(np.uint8)
    return painted


def coverage(scene: Scene, targets: NDArray[np.int64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of each pixel the shape covers, (B, S, S) in [0, 1]: its distance to the edge, in pixels, tells."""
    right = (place - scene.centre[:, :1])[:, None, :] / scene.radius[:, None, None]  # (B, 1, S)
    down = (place - scene.centre[:, 1:])[:, :, None] / scene.radius[:, None, None]  # (B, S, 1)
    cos, sin = np.cos(scene.turn)[:, None, None], np.sin(scene.turn)[:, None, None]
    u, v = cos * right - sin * down, -sin * right - cos * down
    covered = np.empty(u.shape)
    for index, distance in enumerate(FIGURES.values()):
        mine = targets == index
        pixels = distance(u[mine], v[mine]) * scene.radius[mine, None, None] * len(place)
        covered[mine] = (0.5 - pixels).clip(0, 1)
    return covered
