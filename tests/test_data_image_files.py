"""Image files are found, read as people see them, and named where they are at fault."""

import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from faults import fault_of
from PIL import Image

from duograd.data.errors import DataError
from duograd.data.formats.image_files import open_images, read_image

RNG_SEED = 5


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(RNG_SEED).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path: Path, height: int = 12, width: int = 20, mode: str = "RGB") -> Path:
    Image.fromarray(picture(height, width)).convert(mode).save(path)
    return path


def test_pixels_come_back_in_red_green_blue_order(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    Image.fromarray(colours).save(tmp_path / "rgb.png")
    np.testing.assert_array_equal(read_image(tmp_path / "rgb.png"), colours)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("L", "png"), ("LA", "png"), ("RGBA", "png"), ("P", "png"), ("1", "png"), ("P", "gif"), ("CMYK", "tif")],
)
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str, suffix: str) -> None:
    path = save(tmp_path / f"a.{suffix}", mode=mode)
    with Image.open(path) as image:
        assert image.mode == mode
    pixels = read_image(path)
    assert pixels.shape == (12, 20, 3)
    assert pixels.dtype == np.uint8


def test_cmyk_jpeg_has_about_the_colours_it_was_made_from(tmp_path: Path) -> None:
    flat = np.full((16, 16, 3), (200, 60, 30), np.uint8)
    Image.fromarray(flat).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg"), flat, atol=6)  # JPEG is lossy


def test_the_background_shows_through_what_is_transparent(tmp_path: Path) -> None:
    pixels, alpha = picture(4, 4), np.repeat(np.array([0, 255], np.uint8), 8).reshape(4, 4)
    Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "clear.png")
    seen = read_image(tmp_path / "clear.png")
    np.testing.assert_array_equal(seen[:2], 255)
    np.testing.assert_array_equal(seen[2:], pixels[2:])


def test_palette_with_transparent_bytes_warns_nobody(tmp_path: Path) -> None:
    path = tmp_path / "palette.png"
    Image.fromarray(picture(6, 6)).convert("P").save(path, transparency=bytes([0, 128, 255]))
    assert read_image(path).shape == (6, 6, 3)


def test_camera_orientation_is_applied(tmp_path: Path) -> None:
    pixels = picture(4, 8)
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: a viewer turns it 90° clockwise
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "turned.png"), np.rot90(pixels, -1))


def jpeg(pixels: np.ndarray, exif: bytes = b"", **keys: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **keys)
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif if exif else b""
    return file.getvalue()[:2] + segment + file.getvalue()[2:]


def png(pixels: np.ndarray, kind: bytes, data: bytes) -> bytes:
    """With one more chunk, before the pixels."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return file.getvalue()[:33] + chunk + file.getvalue()[33:]


TEXT = zlib.compress(b"x" * 1_200_000)
PIXELS = picture(12, 20)
ORIENTED = b"II*\0\x08\0\0\0" + struct.pack("<HHHI4s", 1, 0x112, 2, 2, b"6\0\0\0") + bytes(4)


@pytest.mark.parametrize(
    ("content", "noted"),
    [
        (png(PIXELS, b"eXIf", b"\0\x08\0\x02\x01\x12\0\x03rest"), True),
        (png(PIXELS, b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + TEXT), True),
        (png(PIXELS, b"zTXt", b"Comment\0\0" + TEXT), True),
        (png(PIXELS, b"iCCP", b"profile\0\0" + TEXT), True),
        (jpeg(PIXELS, ORIENTED), False),
        (jpeg(PIXELS, b"garbage that is no TIFF"), True),
        (jpeg(PIXELS, b"II*\0\x08\0\0\0\x05\0\x12"), True),
        (jpeg(PIXELS)[:-2], False),
        (jpeg(PIXELS)[:-1], False),
    ],
    ids=["EXIF", "text", "zipped text", "ICC", "orientation as text", "no EXIF", "short EXIF", "no end", "half an end"],
)
def test_pixels_are_read_where_they_can_be(tmp_path: Path, content: bytes, noted: bool) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with Image.open(io.BytesIO(jpeg(PIXELS))) as plain:
        expected = PIXELS if content.startswith(b"\x89PNG") else np.asarray(plain)
    with open_images(tmp_path) as images:
        np.testing.assert_array_equal(images[0], expected)
    note = f"metadata of 1 image cannot be read and is ignored: {tmp_path / 'a.png'}"
    assert images.reader.notes() == ((note,) if noted else ())


@pytest.mark.parametrize(("length", "keys"), [(3, {}), (40, {}), (3, {"progressive": True})])
def test_a_jpeg_that_lacks_pixels_is_refused(tmp_path: Path, length: int, keys: dict[str, bool]) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(picture(64, 64), **keys)[:-length])
    with pytest.raises(DataError, match=r"a.jpg cannot be read as an image \(.*truncated"):
        read_image(tmp_path / "a.jpg")


def test_sixteen_bit_grey_is_refused_rather_than_clipped_to_white(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match=r"deep.png holds more than 8 bits per pixel \(mode I.*\): save it with 8"):
        read_image(tmp_path / "deep.png")


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_unreadable_image_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    assert fault_of(read_image, path) == (
        f"{path} cannot be read as an image (no image format known to Pillow): repair it or remove it"
    )


def test_truncated_image_is_named_in_one_line(tmp_path: Path) -> None:
    path = save(tmp_path / "cut.jpg", 100, 100)
    path.write_bytes(path.read_bytes()[:800])
    assert re.search(r"cut.jpg cannot be read as an image \(.*truncated.*\): repair", fault_of(read_image, path))


@pytest.mark.parametrize("limit", [200, 100])  # Pillow warns above its limit, and raises above twice that
def test_decompression_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    path = save(tmp_path / "bomb.png")  # 240 pixels
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    assert fault_of(read_image, path) == f"{path} has more than {limit} pixels, the limit: scale it down or remove it"


def test_images_are_found_at_any_depth_in_order(tmp_path: Path) -> None:
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / "folder.png").mkdir()
    for name in ("z.JPG", "b/deep/y.Png", "b/a.tiff", "notes.txt", "._z.jpg", "b/data.csv"):
        (tmp_path / name).touch()
    with open_images(tmp_path) as images:
        names = [path.relative_to(tmp_path).as_posix() for path in images.paths]
    assert names == ["b/a.tiff", "b/deep/y.Png", "z.JPG"]


def listed(root: Path) -> None:
    with open_images(root):
        pass


def test_a_folder_of_images_that_is_none(tmp_path: Path) -> None:
    gone, path = tmp_path / "gone", save(tmp_path / "a.png")
    what = "a folder of images, or a zip or tar archive of them"
    assert fault_of(listed, gone) == f"data.root={gone} does not exist: give {what}"
    expected = f"data.root={path} is a file: give the folder that holds it, data.root={tmp_path}"
    assert fault_of(listed, path) == expected
    path.rename(tmp_path / "a.txt")
    assert fault_of(listed, tmp_path) == (
        f"data.root={tmp_path} holds no images: give a folder with "
        ".bmp, .dib, .gif, .jfif, .jp2, .jpe, .jpeg, .jpg, .pbm, .pgm, .png, .pnm, .ppm, .tga, .tif, .tiff, .webp "
        "files (it holds 1 .txt)"
    )
