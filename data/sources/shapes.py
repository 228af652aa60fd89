"""Drawings of ten shapes: for work without network or files, and for tests. They are no photographs of anything.

Where a shape lies, its size, how it is turned, its colour and that of the ground say nothing about its class.

Legend: N images, B images drawn at once, S side of an image.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from duograd.data.config.images import Images
from duograd.data.dataset import DataSet, Split
from duograd.data.source import Source
from duograd.data.sources.images import Splits, image_dataset
from duograd.data.sources.shapes_figures import FIGURES

CLASSES = tuple(FIGURES)
AT_ONCE = 256  # images drawn at once: what is floating-point stays small
RADIUS = (0.22, 0.4)  # of a shape, in sides of the image
CONTRAST = (0.25, 0.75)  # how far each colour channel of a shape is from the ground's, on a circle of length 1
SLOPE = 0.15  # how much the ground changes across the image, at most
NOISE = 0.04  # standard deviation, of white
WHITE = 255.0


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


class Shapes(Images):
    """Drawings of ten shapes: `count` to train, `test_count` to test; to validate, a fraction of `count` more."""

    name: Literal["shapes"] = "shapes"
    count: int = Field(default=5000, ge=10, le=200_000)
    test_count: int = Field(default=1000, ge=10, le=200_000)
    size: int = Field(default=32, ge=8, le=256)
    validation_fraction: float = Field(default=0.1, ge=0, lt=1)

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """As many images of each class as divides evenly; those that validate come on top of `count`.

        Each split has its own generator, so that training images do not change with the size of the test, or the
        reverse.
        """
        rngs = (np.random.default_rng([self.seed, use]) for use in range(3))
        held_out = max(len(CLASSES), round(self.count * self.validation_fraction)) if self.validates else 0
        counts = (self.count, held_out, self.test_count)
        train, validation, test = (draw(n, self.size, rng) if n else None for n, rng in zip(counts, rngs, strict=True))
        assert train is not None
        splits = Splits(train, validation, test)
        return image_dataset(self, "synthetic: drawings of ten shapes", splits, dtype, classes=CLASSES, synthetic=True)


SOURCE = Source(config=Shapes, inputs="images", targets="classes", offline=True)


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
