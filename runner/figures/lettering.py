"""Text that fits: a font that is there without matplotlib being imported, and lines broken to a width.

The same measure serves Pillow's pages and matplotlib's figures: both set DejaVu Sans.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

from duograd.runner.figures.style import LINE_SPACING, pixels

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def font(points: float, bold: bool = False) -> Font:
    """DejaVu Sans from the files that matplotlib ships (found, not imported), else Pillow's own font."""
    spec = find_spec("matplotlib")
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder) / "mpl-data" / "fonts" / "ttf" / name
        if file.is_file():
            return ImageFont.truetype(file, pixels(points))
    return ImageFont.load_default(pixels(points))


def line_height(points: float) -> int:
    """Pixels from one baseline to the next."""
    return round(LINE_SPACING * pixels(points))


def wrap(text: str, width: float, face: Font) -> list[str]:
    """Break `text` into lines of at most `width` pixels, at white space; inside a word only where that is too long."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        lines.extend(_fill(paragraph, width, face))
    return lines


def _fill(paragraph: str, width: float, face: Font) -> Iterator[str]:
    line = ""
    for word in paragraph.split():
        joined = f"{line} {word}" if line else word
        if face.getlength(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        *full, line = _break(word, width, face)
        yield from full
    yield line


def _break(word: str, width: float, face: Font) -> list[str]:
    """Cut a word, such as a long path, into pieces that fit; at least one character each."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and face.getlength(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
