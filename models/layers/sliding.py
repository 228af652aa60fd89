"""Where a window that slides over an image stands: sizes and their faults, for convolution and pooling alike.

Legend: H, W image, KH, KW window, SH, SW stride, PH, PW padding, OH, OW positions.
"""

from operator import index
from typing import NamedTuple

Pair = tuple[int, int]


class Sliding(NamedTuple):
    """Positions (OH, OW) of a window of a size, moved by a stride over an image with a border of padding."""

    image: Pair
    size: Pair
    stride: Pair
    padding: Pair
    positions: Pair


def slide(what: str, image: Pair, size: int | Pair, stride: int | Pair, padding: int | Pair = 0) -> Sliding:
    """Positions per axis: (image + 2 padding - size) // stride + 1. What is left over at the far end is not seen.

    Raises ValueError where the window, called `what`, does not fit the padded image, or a number makes no sense.
    """
    size, stride, padding = pair(size), pair(stride), pair(padding)
    if min(*size, *stride) < 1 or min(padding) < 0:
        raise ValueError(
            f"{what} {_by(size)} with stride {_by(stride)} and padding {_by(padding)}: "
            "size and stride must be at least 1, padding at least 0"
        )
    room = image[0] + 2 * padding[0] - size[0], image[1] + 2 * padding[1] - size[1]
    if min(room) < 0:
        enough = max(-(-(k - i) // 2) for k, i in zip(size, image, strict=True))
        raise ValueError(
            f"{what} {_by(size)} is larger than the input {_by(image)} with padding {_by(padding)}: "
            f"take a smaller {what}, a larger input, or padding of at least {enough}"
        )
    return Sliding(image, size, stride, padding, (room[0] // stride[0] + 1, room[1] // stride[1] + 1))


def pair(value: int | Pair) -> Pair:
    """3 and (3, 3) mean the same; NumPy's integers are as good."""
    height, width = value if isinstance(value, tuple) else (value, value)
    return index(height), index(width)


def _by(pair: Pair) -> str:
    return f"{pair[0]}x{pair[1]}"
