"""Text that fits: lines broken to a width, names cut to a length, numbers with as many digits as tell them apart.

The font is found without matplotlib being imported; the same measure serves Pillow's pages and matplotlib's charts,
for both set DejaVu Sans.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

from duograd.runner.plots.style import LINE_SPACING, pixels

LONGEST = 24  # characters of a name beside or below a panel
FEWEST_DIGITS, MOST_DIGITS = 4, 7


@dataclass(frozen=True)
class Output:
    """Where a picture goes, and the words above and below it."""

    path: Path
    title: str
    footer: str = ""


def font(points: float, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, from the files that matplotlib ships."""
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    return ImageFont.truetype(folder / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"), pixels(points))


def line_height(points: float) -> int:
    """Pixels from one baseline to the next."""
    return round(LINE_SPACING * pixels(points))


def text_width(texts: Iterable[str], points: float, bold: bool = False) -> float:
    """Pixels of the longest of several texts; matplotlib sets letters up to 3 % wider than Pillow measures them."""
    face = font(points, bold)
    return 1.03 * max((face.getlength(_encodable(text)) for text in texts), default=0.0)


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def wrap(text: str, width: float, face: ImageFont.FreeTypeFont) -> list[str]:
    """Break `text` into lines of at most `width` pixels, at white space; inside a word only where that is too long.

    Names of files may hold what is no Unicode: it becomes a question mark.
    """
    return [line for paragraph in _encodable(text).splitlines() for line in _fill(paragraph, width, face)]


def _fill(paragraph: str, width: float, face: ImageFont.FreeTypeFont) -> Iterator[str]:
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


def _break(word: str, width: float, face: ImageFont.FreeTypeFont) -> list[str]:
    """Cut a word, such as a long path, into pieces that fit; at least one character each."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and face.getlength(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


@cache
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def legible(text: str) -> str:
    """`text` with a box for each character that matplotlib's font lacks, as it draws it, but without its warning."""
    return "".join(letter if letter == "\n" or ord(letter) in _letters() else "□" for letter in text)


def cut(text: str, most: int = LONGEST) -> str:
    """One line of at most so many characters, the last a mark where some are missing; boxes for what the font lacks."""
    text = " ".join(text.splitlines())
    return legible(text if len(text) <= most else f"{text[: most - 1]}…")


def joined(*notes: str) -> str:
    """Notes in one line, empty ones left out."""
    return " · ".join(note for note in notes if note)


def digits_for(values: Iterable[float]) -> int:
    """The significant digits, 4 to 7, at which different values look different, as far as 7 can show it."""
    finite = {value for value in values if math.isfinite(value)}
    enough = (d for d in range(FEWEST_DIGITS, MOST_DIGITS) if len({f"{v:.{d}g}" for v in finite}) == len(finite))
    return next(enough, MOST_DIGITS)


def number(value: float, digits: int = FEWEST_DIGITS) -> str:
    """The value to so many significant digits, trailing zeros among them, so that columns line up; a dash for NaN."""
    if math.isnan(value):
        return "–"
    return f"{value:#.{digits}g}".rstrip(".") if value else "0"
