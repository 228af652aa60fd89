"""duograd filters IMAGE...: convolution as image processing, by the very conv2d that the networks are made of.

Without --kernel two filters are shown: one turns colours grey, the other finds horizontal edges in the blue channel.
A kernel is applied as networks apply theirs: not flipped, and padded with zeros so that the picture keeps its size.

Legend: H, W image, F filters, KH, KW kernel.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from duograd.data.errors import DataError
from duograd.data.formats.image_files import read_image
from duograd.models.layers.conv import conv2d
from duograd.runner.errors import UserError, system_fault
from duograd.runner.plots.images import Pixels
from duograd.runner.plots.page import Panel, draw_page
from duograd.runner.plots.text import Output
from duograd.runner.subcommands import command_parser

Floats = NDArray[np.floating[Any]]

CHANNELS = ("red", "green", "blue")
SIZE = 400  # pixels
LARGEST = 1e6  # value of a kernel or bias: pixels go to 255
REMEDY = f"give numbers from {-LARGEST:,.0f} to {LARGEST:,.0f}"
EXAMPLE = '"0 1 0; 1 -4 1; 0 1 0"'
READ = "conv2d by hand, padded with zeros · values below 0 are black, above 255 white"


@dataclass(frozen=True)
class Filter:
    """A convolution over RGB: weight (F, 3, KH, KW), bias. One filter gives a grey picture, three one in colour."""

    name: str
    weight: Floats
    bias: float = 0.0

    def __call__(self, image: Pixels) -> Floats:
        """image (H, W, 3) -> (H, W, F)."""
        x = image.transpose(2, 0, 1)[None].astype(np.float32)
        bias = np.full(len(self.weight), self.bias, np.float32)
        height, width = self.weight.shape[2:]
        y, _ = conv2d(x, self.weight.astype(np.float32), bias, padding=(height // 2, width // 2))
        pixels: Floats = y[0].transpose(1, 2, 0)
        return pixels


def main(arguments: list[str]) -> int:
    """Draws originals beside what filters make of them, and prints where; 0. Raises UserError."""
    options = _parser().parse_args(arguments)
    _check(options)
    filters = _wanted(options.kernel, options.bias, options.channel)
    rows = [_row(path, options.size, filters) for path in options.images]
    try:
        print(draw_page(rows, Output(options.out, "Convolution as image processing"), READ))
    except OSError as error:
        raise UserError(f"--out={options.out}: {system_fault(error)}") from None
    return 0


def _parser() -> argparse.ArgumentParser:
    about, _, more = (__doc__ or "").partition("\n\n")
    parser = command_parser("filters", about, more.partition("\n\n")[0])
    parser.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE", help="photographs, one row of the picture each"
    )
    parser.add_argument("--kernel", help=f"rows of numbers, such as {EXAMPLE}, or a text file that holds them")
    parser.add_argument("--bias", type=float, help="added to every value (default: 0; 128 makes 0 mid grey)")
    parser.add_argument("--channel", choices=(*CHANNELS, "all"), help="what the kernel looks at (default: all, each)")
    parser.add_argument("--size", type=int, default=SIZE, help=f"pixels of the longer side at most (default: {SIZE})")
    parser.add_argument("--out", type=Path, default=Path("filters.png"), help="the PNG to write (default: filters.png)")
    return parser


def _check(options: argparse.Namespace) -> None:
    for name in ("bias", "channel"):
        if options.kernel is None and (value := getattr(options, name)) is not None:
            raise UserError(f"--{name}={value} belongs to a kernel of your own: give --kernel, such as {EXAMPLE}")
    if options.bias is not None and not abs(options.bias) <= LARGEST:  # nor is NaN
        raise UserError(f"--bias={options.bias}: {REMEDY}")
    if options.size < 1:
        raise UserError(f"--size={options.size}: give the pixels of the longer side, such as {SIZE}")
    if options.out.suffix.lower() != ".png":
        raise UserError(f"--out={options.out}: the picture is a PNG: give a name that ends in .png")
    if options.out.resolve() in [path.resolve() for path in options.images]:
        raise UserError(f"--out={options.out} is one of the images, and would be lost: give another name")


# -- filters -----------------------------------------------------------------------------------------------------------


def _wanted(kernel: str | None, bias: float | None, channel: str | None) -> list[Filter]:
    if kernel is None:
        return [grey(), edges()]
    taps, where = read_kernel(kernel), channel or "all"
    name = f"{taps.shape[0]}×{taps.shape[1]} kernel on {'each channel' if where == 'all' else where}"
    return [Filter(name, on_each(taps) if where == "all" else on_one(taps, where), bias or 0.0)]


def grey() -> Filter:
    """0.3 red + 0.6 green + 0.1 blue, at the centre tap."""
    weight = np.zeros((1, 3, 3, 3))
    weight[0, :, 1, 1] = 0.3, 0.6, 0.1
    return Filter("grey: 0.3 red + 0.6 green + 0.1 blue", weight)


def edges() -> Filter:
    """Where blue is more above than below: positive, and brighter than mid grey."""
    taps = np.array([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]])
    return Filter("horizontal edges in blue", on_one(taps, "blue"), bias=128.0)


def on_one(kernel: Floats, channel: str) -> Floats:
    """A kernel (KH, KW) that looks at one channel: (1, 3, KH, KW)."""
    weight = np.zeros((1, 3, *kernel.shape))
    weight[0, CHANNELS.index(channel)] = kernel
    return weight


def on_each(kernel: Floats) -> Floats:
    """A kernel (KH, KW) for each channel by itself: (3, 3, KH, KW)."""
    return np.eye(3)[:, :, None, None] * kernel


# -- kernels -----------------------------------------------------------------------------------------------------------


def read_kernel(text: str) -> Floats:
    """A kernel (KH, KW) from rows that end in ; or a new line, as typed or in the file of that name.

    Raises UserError: no numbers, rows of different length, no centre, a value that is not finite.
    """
    rows = _numbers(text)
    if rows is None and _is_file(text):
        rows = _numbers(_content(Path(text)))
        if rows is None:
            raise UserError(f"--kernel={text} holds something else than numbers: write rows such as {EXAMPLE}")
    if rows is None:
        raise UserError(f"--kernel={text} is no file, nor rows of numbers such as {EXAMPLE}")
    return _checked(rows)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # longer than a name may be
        return False


def _content(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise UserError(system_fault(error)) from None
    except UnicodeDecodeError:
        raise UserError(f"--kernel={path} is not a text file: write rows such as {EXAMPLE}") from None


def _numbers(text: str) -> list[list[float]] | None:
    """The rows of numbers, blank ones left out; None where anything is no number."""
    rows = text.replace("\n", ";").replace(",", " ").split(";")
    try:
        return [[float(word) for word in row.split()] for row in rows if row.strip()]
    except ValueError:
        return None


def _checked(rows: Sequence[Sequence[float]]) -> Floats:
    if not rows:
        raise UserError(f"the kernel is empty: give rows of numbers, such as {EXAMPLE}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise UserError(
                f"row {number} of the kernel has {len(row)} numbers, row 1 has {len(rows[0])}: give as many"
            )
        for value in row:
            if not abs(value) <= LARGEST:  # nor is NaN
                raise UserError(f"row {number} of the kernel holds {value}: {REMEDY}")
    kernel = np.array(rows)
    height, width = kernel.shape
    if not (height % 2 and width % 2):
        raise UserError(f"a kernel of {height}×{width} has no centre: give an odd number of rows and of columns")
    return kernel


# -- pictures ----------------------------------------------------------------------------------------------------------


def _row(path: Path, size: int, filters: Sequence[Filter]) -> list[Panel]:
    """The image and what each filter makes of it."""
    image = _image(path, size)
    height, width = image.shape[:2]
    for filter_ in filters:
        high, wide = filter_.weight.shape[2:]
        if high > height or wide > width:
            raise UserError(
                f"the kernel of {high}×{wide} is larger than {path.name}, {height}×{width}: take a smaller one"
            )
    return [Panel(path.name, image), *(_panel(filter_, image) for filter_ in filters)]


def _panel(filter_: Filter, image: Pixels) -> Panel:
    y = filter_(image)
    values = f"values {y.min():.0f} to {y.max():.0f}"
    bias = f", bias {filter_.bias:g}" if filter_.bias else ""
    picture = np.rint(np.clip(y, 0, 255)).astype(np.uint8)
    return Panel(f"{filter_.name}{bias}\n{values}", picture if len(filter_.weight) == 3 else picture[..., 0])


def _image(path: Path, size: int) -> Pixels:
    """The image as people see it, (H, W, 3), its longer side not above `size`."""
    if not path.is_file():
        raise UserError(f"{path} is a folder: name the images in it" if path.is_dir() else f"no image {path}")
    try:
        image = Image.fromarray(read_image(path))
    except DataError as error:
        raise UserError(str(error)) from None
    image.thumbnail((size, size))
    return np.asarray(image)
