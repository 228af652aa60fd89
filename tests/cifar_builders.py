"""CIFAR-10's files, as small as a test wants them."""

import io
import pickle
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")


def pixels(count: int, seed: int = 0) -> np.ndarray:
    """Rows (count, 3072) of bytes; the first of each is `seed`, the second its number, so that each can be told."""
    rows = np.random.default_rng(seed).integers(0, 256, (count, 3072), dtype=np.uint8)
    rows[:, 0], rows[:, 1] = seed, np.arange(count) % 256
    return rows


def labels(count: int) -> list[int]:
    return [n % 10 for n in range(count)]


def batch(count: int, seed: int = 0) -> dict[bytes, object]:
    return {b"batch_label": b"batch", b"labels": labels(count), b"data": pixels(count, seed), b"filenames": [b"a.png"]}


def python2_pickle(rows: np.ndarray, numbers: list[int]) -> bytes:
    """A batch in the form of the published files: written by Python 2 and its NumPy, strings as bytes."""

    def string(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + b"K\x00\x85" + string(b"b") + b"\x87R"
    dtype = b"cnumpy\ndtype\n" + string(b"u1") + b"K\x00K\x01\x87R(K\x03" + string(b"|") + b"NNN" + number(-1) * 2
    shape = number(rows.shape[0]) + number(rows.shape[1]) + b"\x86"
    array = empty + b"(K\x01" + shape + dtype + b"K\x00tb\x89" + string(rows.tobytes()) + b"tb"
    items = string(b"data") + array + string(b"labels") + b"](" + b"".join(map(number, numbers)) + b"e"
    return b"\x80\x02}(" + items + b"u."


def files(counts: Mapping[str, int]) -> dict[str, bytes]:
    """The seven files, with so many images in each batch; written by Python 3 in its form for Python 2."""
    batches = {name: pickle.dumps(batch(counts[name], k), protocol=2) for k, name in enumerate(BATCHES)}
    meta = {b"num_vis": 3072, b"label_names": [name.encode() for name in CLASSES]}
    return batches | {"batches.meta": pickle.dumps(meta, protocol=2)}


def small(count: int = 20) -> dict[str, bytes]:
    return files(dict.fromkeys(BATCHES, count))


def write_folder(folder: Path, content: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return folder


def write_archive(path: Path, content: Mapping[str, bytes], mode: str = "w:gz") -> Path:
    """The files in the order given, as the published archive has its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path
