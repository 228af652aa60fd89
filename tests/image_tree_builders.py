"""Trees of painted images, one folder per class, that tell which of them was read."""

import shutil
from collections import Counter
from functools import partial

import numpy as np
from faults import fault_of
from PIL import Image

from duograd.data.load import load
from duograd.data.sources.image_folder import ImageFolder

FEW = {"cat": 10, "dog": 20}


def paint(path, number, height=6, width=6):
    """An image whose first pixel tells its number, and whose others are its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels[0, 0] = number
    Image.fromarray(pixels).save(path)


def grow(root, counts, start=0):
    """So many images in each class folder, numbered through."""
    for name, count in counts.items():
        for n in range(count):
            paint(root / name / f"{n}.png", start := start + 1)
    return root


def zipped(root, path):
    shutil.make_archive(str(path.with_suffix("")), "zip", root)
    return path


def tree(root, size=None, **given):
    return load(ImageFolder(root=str(root), size=size, **given))


fault = partial(fault_of, tree)


def numbers(split):
    """Which images a split holds."""
    return split.inputs[:, 0, 0, 0].tolist()


def per_class(split):
    return dict(Counter(split.targets.tolist()))
