"""A picture that was drawn, read back; and what is hard to draw. Shared by the tests of figures."""

from pathlib import Path

import numpy as np
from PIL import Image

NAN = float("nan")
LONG = "data: a folder of photographs, " * 12 + "/and/a/path/" + "without-a-space" * 20


def opened(path: Path) -> np.ndarray:
    """The picture (height, width, 3) once it has been read back; nothing may touch the paper's edge."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB"))
    inside = np.zeros(pixels.shape[:2], bool)
    inside[12:-12, 12:-12] = True
    assert (pixels[~inside] == 255).all(), "something is cut off at the edge"
    return pixels
