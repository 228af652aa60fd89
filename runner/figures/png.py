"""PNG files that appear whole or not at all."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from duograd.runner.store.files import write_bytes

Pixels = NDArray[np.uint8]


def write_atomically(content: bytes, path: Path) -> Path:
    """Write `content` to `path`, atomically, and make the folders that it lies in; returns `path`."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)
    return path


def save_image(image: Image.Image, path: Path) -> Path:
    """Write a Pillow image as PNG, atomically; returns `path`."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return write_atomically(buffer.getvalue(), path)


def save_png(array: Pixels, path: Path) -> Path:
    """Write uint8 pixels, (H, W) grey or (H, W, 3) colour, as PNG, atomically; returns `path`."""
    if array.dtype != np.uint8:
        raise ValueError(f"pixels are {array.dtype}: a PNG takes uint8, as tile() returns them")
    return save_image(Image.fromarray(array), path)
