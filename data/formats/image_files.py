"""Image files that users bring: found in a folder or an archive, read one at a time.

Legend: N images, H height, W width.
"""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from duograd.data.dataset import Array
from duograd.data.errors import DataError
from duograd.data.formats.archives import open_files
from duograd.data.formats.files import Files, read_file, require_modest, skip_lines
from duograd.data.formats.image_bytes import ImageReader
from duograd.data.pasting import override

SUFFIXES = (
    *(".bmp", ".dib", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga"),
    *(".tif", ".tiff", ".webp"),
)
TYPES_SHOWN = 5  # of what is skipped
WORKERS = 2  # threads; more get into each other's way where images are small
BLOCK = 64  # images a thread takes at a time


@dataclass(frozen=True)
class ImageFiles:
    """Images in a folder or an archive, each opened when asked for and kept nowhere: memory holds one at a time.

    paths: where each lies, in `root`. skip_notes: what else lies there, a line for each reason.
    """

    files: Files
    root: Path
    paths: Sequence[Path]
    reader: ImageReader = field(default_factory=ImageReader)
    skip_notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int, /) -> Array:
        path = self.paths[index]
        content = read_file(self.files, path.relative_to(self.root).as_posix())
        with quiet():
            return np.asarray(self.reader.open(content, str(path)))


@contextmanager
def open_images(root: Path, background: str = "white") -> Iterator[ImageFiles]:
    """Every image in the folder or archive `root`, sorted by path; hidden ones are passed over, other files counted.

    Raises DataError where there is none such, or no image in it.
    """
    if root.is_file() and root.name.lower().endswith(SUFFIXES):
        folder = override("data.root", str(root.parent))
        raise DataError(f"data.root={root} is a file: give the folder that holds it, {folder}")
    with open_files(root, "a folder of images, or a zip or tar archive of them") as files:
        names = files.namelist()
        paths = sorted(root / name for name in names if name.lower().endswith(SUFFIXES))
        if not paths:
            remedy = f"give a folder with {', '.join(SUFFIXES)} files"
            raise DataError(f"data.root={root} holds no images: {remedy}{else_there(names)}")
        yield ImageFiles(files, root, paths, ImageReader(background), skip_notes(files, names))


def skip_notes(files: Files, names: Sequence[str]) -> tuple[str, ...]:
    """How many of the `names` of files are no images, and how many more could not be taken: a line for each reason."""
    return (*(f"{count} skipped: not an image type that is read" for count in _others(names)), *skip_lines(files))


def else_there(names: Sequence[str]) -> str:
    """What there is where there are no images, in brackets, or nothing."""
    return f" (it holds {', '.join(others)})" if (others := _others(names)) else ""


def _others(names: Sequence[str]) -> list[str]:
    """How many of the `names` of files are of each type that is not read, such as `15 .heic`; at most six."""
    others = Counter(Path(name).suffix.lower() for name in names if not name.lower().endswith((*SUFFIXES, "/")))
    types = sorted(others.most_common(TYPES_SHOWN))
    rest = others.total() - sum(count for _, count in types)
    more = [f"{rest} of {len(others) - len(types)} other types"] if rest else []
    return [f"{count} {suffix or 'without a suffix'}" for suffix, count in types] + more


def read_image(path: Path) -> Array:
    """The image at `path` as people see it, (H, W, 3) uint8. Raises DataError as `ImageReader.open` does."""
    with quiet():
        require_modest(path.stat().st_size, str(path))
        return np.asarray(ImageReader().open(path.read_bytes(), str(path)))


@contextmanager
def quiet() -> Iterator[None]:
    """Pillow's remarks on odd metadata are passed over, too many pixels are an error. Not for one thread of several."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def read_images(files: Files, names: Sequence[str], size: int | None, reader: ImageReader) -> NDArray[np.uint8]:
    """The images (N, 3, H, W), cut to the square in their middle and scaled to `size`; or as they are, all of one size.

    Raises DataError where one cannot be read, or, without a size, two differ.
    """
    with quiet():
        H, W = (size, size) if size else read_one(files, names[0], None, reader).shape[:2]
        images = np.empty((len(names), 3, H, W), np.uint8)

        def read_block(start: int) -> None:
            for n, name in enumerate(names[start : start + BLOCK], start):
                pixels = read_one(files, name, size, reader)
                _require_size(pixels, name, images, names[0])
                images[n] = pixels.transpose(2, 0, 1)

        with ThreadPoolExecutor(WORKERS) as pool:
            for _ in pool.map(read_block, range(0, len(names), BLOCK)):
                pass  # raises what a block raised, the first block first
    return images


def read_one(files: Files, name: str, size: int | None, reader: ImageReader) -> Array:
    """One image (H, W, 3)."""
    image = reader.open(read_file(files, name), name)
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
