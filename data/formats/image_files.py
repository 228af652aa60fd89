"""Image files that users bring: found in a folder, read one at a time, each fault named in one line.

Legend: N images, H height, W width.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from duograd.data.dataset import Array
from duograd.data.errors import DataError, reason
from duograd.data.formats.files import Files, read_file

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
WORKERS = 2  # threads; more get into each other's way where images are small
BLOCK = 64  # images a thread takes at a time


@dataclass(frozen=True)
class ImageFiles:
    """Images on disk, each opened when asked for and kept nowhere: memory holds one at a time."""

    paths: Sequence[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int, /) -> Array:
        return read_image(self.paths[index])


def find_images(root: Path) -> ImageFiles:
    """Every image in `root` and its sub-folders, sorted by path; hidden files and other suffixes are passed over.

    Raises DataError where there is no such folder, or no image in it.
    """
    if not root.exists():
        raise DataError(f"data.root={root} does not exist: give a folder of images")
    if not root.is_dir():
        raise DataError(f"data.root={root} is a file: give the folder that holds it, data.root={root.parent}")
    paths = sorted(path for path in root.rglob("*") if _is_image(path))
    if not paths:
        raise DataError(f"data.root={root} holds no images: give a folder with {', '.join(SUFFIXES)} files")
    return ImageFiles(paths)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def read_image(path: Path) -> Array:
    """The image at `path` as people see it, (H, W, 3) uint8: RGB, turned upright, transparency dropped.

    Raises DataError for a file that Pillow cannot read, has too many pixels, or holds more than 8 bits per channel.
    """
    with quiet():
        return np.asarray(open_image(path, path))


@contextmanager
def quiet() -> Iterator[None]:
    """Pillow's remarks on odd metadata are passed over, too many pixels are an error. Not for one thread of several."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def open_image(file: Path | IO[bytes], path: object) -> Image.Image:
    """As read_image, for files of any kind: `path` is what an error calls this one. Inside `quiet`."""
    try:
        with Image.open(file) as image:
            return _upright_rgb(image, path)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        limit = f"{Image.MAX_IMAGE_PIXELS} pixels, the limit"
        raise DataError(f"{path} has more than {limit}: scale it down or remove it") from error
    except (DataError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise a dozen kinds of exception on damaged files
        raise DataError(f"{path} cannot be read as an image ({_reason(error)}): repair it or remove it") from error


def _upright_rgb(image: Image.Image, path: object) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # Pillow would clip these at 255, which turns most pixels white
        raise DataError(f"{path} holds more than 8 bits per pixel (mode {image.mode}): save it with 8, or remove it")
    return ImageOps.exif_transpose(image).convert("RGB")


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no image format known to Pillow"
    return reason(error)


def read_images(files: Files, names: Sequence[str], size: int | None) -> NDArray[np.uint8]:
    """The images (N, 3, H, W), cut to the square in their middle and scaled to `size`; or as they are, all of one size.

    Raises DataError where one cannot be read, or, without a size, two differ.
    """
    with quiet():
        H, W = (size, size) if size else read_one(files, names[0], None).shape[:2]
        images = np.empty((len(names), 3, H, W), np.uint8)

        def read_block(start: int) -> None:
            for n, name in enumerate(names[start : start + BLOCK], start):
                pixels = read_one(files, name, size)
                _require_size(pixels, name, images, names[0])
                images[n] = pixels.transpose(2, 0, 1)

        with ThreadPoolExecutor(WORKERS) as pool:
            for _ in pool.map(read_block, range(0, len(names), BLOCK)):
                pass  # raises what a block raised, the first block first
    return images


def read_one(files: Files, name: str, size: int | None) -> Array:
    """One image (H, W, 3)."""
    image = open_image(io.BytesIO(read_file(files, name)), name)
    if size and image.size != (size, size):
        image = _square(image).resize((size, size), Image.Resampling.BICUBIC)  # averages where it makes smaller
    return np.asarray(image)


def _square(image: Image.Image) -> Image.Image:
    """The largest square in the middle; cut out before it is scaled, which else would blur in what lies beside it."""
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    return image.crop((left, top, left + side, top + side))


def _require_size(pixels: Array, name: str, images: Array, first: str) -> None:
    (height, width), (H, W) = pixels.shape[:2], images.shape[2:]
    if (height, width) != (H, W):
        raise DataError(
            f"{first} is {W}×{H} pixels and {name} {width}×{height}: give images of one size, or have all of them "
            f"scaled, data.size={min(H, W, height, width)}"
        )
