"""From the bytes of an image file to its pixels, as people see them, even where what is not pixels is damaged."""

import io
import logging
import struct
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from duograd.data.dataset import Array
from duograd.data.errors import DataError, reason

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it says of damaged files is said by errors
EXIF = b"Exif\0\0"
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}  # the chunks of a PNG file that make its pixels
# The segments of a JPEG file that hold EXIF, ICC, text …; not JFIF's and Adobe's, which say what colours are.
METADATA = {*range(0xE1, 0xEE), 0xEF, 0xFE}
START_OF_SCAN, END = 0xDA, b"\xff\xd9"
FILLERS = (b"", b"\x55" * 64)


@dataclass(frozen=True)
class ImageReader:
    """Reads images as people see them, RGB and upright. Inside `quiet`, where there are several.

    background: the colour that shows through what is transparent.
    bad_metadata: gets the names of images whose metadata cannot be read, which is passed over.
    """

    background: str = "white"
    bad_metadata: list[str] = field(default_factory=list)

    def open(self, content: bytes, name: str) -> Image.Image:
        """The image in the content of a file, whose name is for errors.

        Raises DataError for what Pillow cannot read, has too many pixels, or holds more than 8 bits per channel.
        """
        try:
            return self._first_that_works(content, name)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            limit = f"{Image.MAX_IMAGE_PIXELS} pixels, the limit"
            raise DataError(f"{name} has more than {limit}: scale it down or remove it") from error
        except (DataError, MemoryError):
            raise
        except Exception as error:  # Pillow's decoders raise a dozen kinds of exception on damaged files
            why = "no image format known to Pillow" if isinstance(error, UnidentifiedImageError) else reason(error)
            raise DataError(f"{name} cannot be read as an image ({why}): repair it or remove it") from error

    def _first_that_works(self, content: bytes, name: str) -> Image.Image:
        """The content as it is, else without its metadata, else with the end that it lacks."""
        try:
            return self._decode(content, name)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError, DataError, MemoryError):
            raise
        except Exception:
            for repaired, names in ((strip_metadata(content), [name]), (close_jpeg(content), [])):
                with suppress(Exception):
                    if repaired is not None:
                        image = self._decode(repaired, name)
                        self.bad_metadata.extend(names)
                        return image
            raise

    def _decode(self, content: bytes, name: str) -> Image.Image:
        with Image.open(io.BytesIO(content)) as image:
            if image.mode.startswith(("I", "F")):  # Pillow would clip these at 255, which turns most pixels white
                what = f"{name} holds more than 8 bits per pixel (mode {image.mode})"
                raise DataError(f"{what}: save it with 8, or remove it")
            image.load()
            return self._opaque(self._upright(image, name))

    def _upright(self, image: Image.Image, name: str) -> Image.Image:
        """Turned as EXIF says; an EXIF of which nothing can be read says nothing."""
        with suppress(Exception):  # whatever a camera or a program wrote there
            if image.getexif() or len(image.info.get("exif", b"")) <= len(EXIF):
                return ImageOps.exif_transpose(image)
        self.bad_metadata.append(name)
        return image

    def _opaque(self, image: Image.Image) -> Image.Image:
        if not image.has_transparency_data:
            return image.convert("RGB")
        above = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", above.size, self.background), above).convert("RGB")

    def notes(self) -> tuple[str, ...]:
        """What was passed over, in a line, or nothing."""
        if not self.bad_metadata:
            return ()
        many = len({*self.bad_metadata}) > 1
        which = f"{len({*self.bad_metadata})} images" if many else "1 image"
        return (f"metadata of {which} cannot be read and is ignored: {min(self.bad_metadata)}{' …' if many else ''}",)


def strip_metadata(content: bytes) -> bytes | None:
    """The file without metadata; None where it has none, or is neither PNG nor JPEG."""
    strip = {PNG: _strip_png, JPEG: _strip_jpeg}
    rest = next((one(content) for start, one in strip.items() if content.startswith(start)), content)
    return rest if len(rest) < len(content) else None


def _strip_png(content: bytes) -> bytes:
    kept, place = [PNG], len(PNG)
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 12 + length
        if kind in PIXELS:
            kept.append(content[place:end])
        place = end
    return b"".join(kept)


def _strip_jpeg(content: bytes) -> bytes:
    kept, place = [JPEG], len(JPEG)
    while place + 4 <= len(content) and content[place] == 0xFF and content[place + 1] != START_OF_SCAN:
        end = place + 2 + int.from_bytes(content[place + 2 : place + 4])
        if content[place + 1] not in METADATA:
            kept.append(content[place:end])
        place = end
    return b"".join([*kept, content[place:]])


def close_jpeg(content: bytes) -> bytes | None:
    """A JPEG file with the end marker that it lacks; None where it lacks pixels too, or is another file.

    Where all pixels are there, they do not depend on what follows. A progressive file does not tell.
    """
    if not content.startswith(JPEG) or content.endswith(END):
        return None
    start = content.removesuffix(END[:1])
    try:
        one, other = (_pixels(start + filler + END) for filler in FILLERS)
    except Exception:  # Pillow's decoders raise a dozen kinds of exception on damaged files
        return None
    return start + END if one is not None and other is not None and np.array_equal(one, other) else None


def _pixels(content: bytes) -> Array | None:
    with Image.open(io.BytesIO(content)) as image:
        return None if image.info.get("progressive") else np.asarray(image)
