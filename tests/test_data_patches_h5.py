"""The course's HDF5 form is read as it is, and each fault of a file is one line."""

import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from faults import fault_of
from scipy.io import savemat

from duograd.data.sources.patches_h5 import read_patches

PATCHES = np.random.default_rng(0).standard_normal((6, 3, 4, 5)).astype(np.float32)


def write(path: Path, **datasets: Any) -> Path:
    with h5py.File(path, "w") as file:
        for key, value in datasets.items():
            file[key] = value
    return path


def read(path: Path, count: int | None = None) -> np.ndarray:
    return read_patches(path, count)[0]


fault = partial(fault_of, read)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "patches.h5"


def test_reads_all_or_the_first_so_many(path: Path) -> None:
    write(path, data=PATCHES, xForm=np.eye(2), invXForm=np.eye(2))
    np.testing.assert_array_equal(read(path), PATCHES)
    np.testing.assert_array_equal(read(path, 2), PATCHES[:2])


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "f2", "u1", "i4"])
def test_other_number_types_become_float32(path: Path, dtype: str) -> None:
    values = np.arange(24).reshape(1, 3, 2, 4)
    patches = read(write(path, data=values.astype(dtype)))
    assert patches.dtype == np.float32
    np.testing.assert_array_equal(patches, values)


def test_chunks_and_compression(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=PATCHES, chunks=(4, 1, 2, 2), compression="gzip")
    np.testing.assert_array_equal(read(path, 5), PATCHES[:5])


@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize("count", [None, 4])
def test_matlab_s_order_of_axes_is_recognised(path: Path, marked: bool, count: int | None) -> None:
    patches = (
        PATCHES[:, :, :3] if marked else PATCHES
    )  # 3 × 3 pixels fit either way, unless MATLAB says that it wrote it
    with h5py.File(write(path, data=patches.transpose()), "a") as file:
        if marked:
            file["data"].attrs["MATLAB_class"] = np.bytes_("single")
    samples, source = read_patches(path, count)
    np.testing.assert_array_equal(samples, patches[:count])
    assert samples.flags.c_contiguous
    assert source == "patches.h5, axes in MATLAB's order"


def unwritten(file: h5py.File) -> None:
    file.create_dataset("data", PATCHES.shape, "f4")


def half_written(file: h5py.File) -> None:
    file.create_dataset("data", PATCHES.shape, "f4", chunks=(2, 3, 4, 5))[:4] = PATCHES[:4]


def zeros(file: h5py.File) -> None:
    file["data"] = 0 * PATCHES


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(PATCHES.shape, "f4")
    layout[:] = h5py.VirtualSource("part.h5", "data", PATCHES.shape)
    file.create_virtual_dataset("data", layout)


def foreign(file: h5py.File) -> None:
    """A chunk that says it went through a filter that is not here."""
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((6, 3, 4, 5))
    created.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple(PATCHES.shape)
    made = h5py.h5d.create(file.id, b"data", h5py.h5t.NATIVE_FLOAT, space, created)
    made.write_direct_chunk((0, 0, 0, 0), PATCHES.tobytes())


def outside(file):
    """In any file of the reader's that whoever made this one has named."""
    PATCHES.tofile(Path(file.filename).with_name("raw"))
    file.create_dataset("data", PATCHES.shape, PATCHES.dtype, external=[("raw", 0, PATCHES.nbytes)])


def bomb(file):
    made = file.create_dataset("data", (10**6, 3, 10, 20), "f4", chunks=(10**5, 3, 10, 20), compression="gzip")
    chunk = zlib.compress(bytes(240_000_000))
    for start in range(0, 10**6, 10**5):
        made.id.write_direct_chunk((start, 0, 0, 0), chunk)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (unwritten, "was never written, or not to its end: give a file that is whole"),
        (half_written, "was never written, or not to its end: give a file that is whole"),
        (zeros, "holds nothing but zeros: give a file that was filled"),
        (outside, "lies in raw, outside of the file: store it in the file"),
        (bomb, "unpacks to 2400000000 bytes: store it with less compression"),
        (virtual, "is put together from part.h5, which is missing: copy it too"),
        (
            foreign,
            "is compressed with filter 32015, which is not installed: pip install hdf5plugin, or store it with gzip",
        ),
    ],
)
def test_what_hdf5_would_make_up_is_refused(path: Path, make: Callable[[h5py.File], None], line: str) -> None:
    with h5py.File(path, "w") as file:
        make(file)
    assert fault(path) == f"{path}: 'data' {line}"


def test_a_virtual_data_set_is_read_from_its_parts(path: Path) -> None:
    write(path.parent / "part.h5", data=PATCHES)
    with h5py.File(path, "w") as file:
        virtual(file)
    np.testing.assert_array_equal(read(path), PATCHES)


def test_a_file_that_another_program_writes(path: Path) -> None:
    write(path, data=PATCHES)
    code = f"import h5py, sys; f = h5py.File({str(path)!r}, 'a'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        assert fault(path) == f"{path} is being written by another program: close it there, then try again"
        writer.communicate()


def test_what_is_no_file_of_that_kind(path: Path) -> None:
    assert fault(path) == f"data.path={path} does not exist: give an HDF5 file"
    assert fault(path.parent) == f"data.path={path.parent} is a folder: give an HDF5 file"
    savemat(path, {"data": PATCHES})
    assert fault(path) == f"{path} is a MATLAB file before version 7.3: save it with save(…, '-v7.3')"
    os.mkfifo(path.with_name("pipe"))
    assert fault(path.with_name("pipe")).endswith("pipe is no file: give an HDF5 file")


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\n"])
def test_not_hdf5(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    line = fault(path)
    assert line.startswith(f"{path} cannot be read as HDF5 (")
    assert line.endswith("): download or copy it again")


def test_truncated(path: Path) -> None:
    write(path, data=PATCHES)
    path.write_bytes(path.read_bytes()[:-500])
    assert "truncated file" in fault(path)


def test_damaged_samples(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=PATCHES, chunks=PATCHES.shape, fletcher32=True)
        offset = file["data"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[offset] ^= 0xFF
    path.write_bytes(bytes(content))
    assert fault(path).startswith(f"{path} cannot be read as HDF5 (")


SHAPES = [(6, 4, 5, 3), (6, 60), (3, 4, 5), (), (6, 3, 4, 5, 1)]
FORM = ", expected (N, 3, H, W): give a file in that form"
NO_ARRAY = "its 'data' is a group, a broken link or damaged, give a file with an array there"


@pytest.mark.parametrize(
    ("datasets", "line"),
    [
        ({"trX": PATCHES, "trY": PATCHES}, " has no data set 'data': it has trX, trY"),
        ({"Data": PATCHES, "xForm": 1.0}, " has no data set 'data': did you mean 'Data'? it has Data, xForm"),
        (
            {f"k{number:02}": 1.0 for number in range(30)},
            " has no data set 'data': it has k00, k01, k02, k03, k04, k05, k06, k07, k08, k09, …",
        ),
        ({}, " has no data set 'data': the file is empty, give another"),
        ({"data": h5py.SoftLink("/nowhere")}, f" has no data set 'data': {NO_ARRAY}"),
        ({"data/below": 1.0}, f" has no data set 'data': {NO_ARRAY}"),
        *(({"data": np.zeros(s)}, f": 'data' has shape ({', '.join(map(str, s))}){FORM}") for s in SHAPES),
        ({"data": h5py.Empty("f4")}, f": 'data' has shape (){FORM}"),
        ({"data": PATCHES.astype("S3")}, ": 'data' has type |S3, expected numbers: store it as float32"),
        ({"data": PATCHES.astype(bool)}, ": 'data' has type bool, expected numbers: store it as float32"),
        ({"data": PATCHES.astype("c8")}, ": 'data' has type complex64, expected numbers: store it as float32"),
        ({"data": np.zeros((0, 3, 4, 4))}, ": 'data' is empty, shape (0, 3, 4, 4): give a file with samples"),
        ({"data": np.zeros((5, 3, 0, 4))}, ": 'data' is empty, shape (5, 3, 0, 4): give a file with samples"),
        (
            {"data": PATCHES},
            ": 'data' holds 6 samples, fewer than data.count=7: set data.count=6 or less, or null for all",
        ),
    ],
)
def test_what_is_not_in_the_course_s_form(path: Path, datasets: dict[str, Any], line: str) -> None:
    assert fault(write(path, **datasets), 7) == f"{path}{line}"


@pytest.mark.parametrize("bad", [np.nan, -np.inf, 1e300])  # the last is infinite as float32
def test_not_finite(path: Path, bad: float) -> None:
    values = PATCHES.astype(np.float64)
    values[4, 2, 0, 1] = values[5, 0, 0, 0] = bad
    write(path, data=values)
    assert fault(path) == (
        f"{path}: 'data' has 2 values that are NaN or infinite as float32, the first at [4, 2, 0, 1]: "
        "repair such samples or leave them out"
    )
    assert len(read(path, 4)) == 4  # the faulty ones are not asked for


def test_file_in_the_course_form(shared_data: Path) -> None:
    patches = read(shared_data / "patches_16x16.h5")
    assert patches.shape == (10240, 3, 16, 16)
    assert patches.min() < -1  # whitened
    assert patches.max() > 1
