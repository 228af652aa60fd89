"""CIFAR's pickled batches, read by an unpickler that can build nothing but arrays of bytes, strings, lists and numbers.

A pickle is a program, and Python's own unpickler lets it call any function there is. Here the few names that a batch
needs stand for objects of this file; every other name ends the reading.
"""

import io
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.errors import DataError, reason

BYTE = ("u1", b"u1")


class PickledArray:
    """An array of bytes on its way: a pickle makes it empty, then hands it shape and content."""

    __slots__ = ("values",)
    values: NDArray[np.uint8]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, element, fortran, content = state
        if not isinstance(element, ByteType):
            raise pickle.UnpicklingError("an array of something other than bytes")
        self.values = np.frombuffer(content, np.uint8).reshape(shape, order="F" if fortran else "C")


class ByteType:
    """NumPy's type uint8; what a pickle says further about it, such as its byte order, means nothing for bytes."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        pass


class Reconstruct:
    """Stands for numpy's _reconstruct(type, shape, type code)."""

    __slots__ = ()

    def __call__(self, *_: object) -> PickledArray:
        return PickledArray()


class Dtype:
    """Stands for numpy.dtype(name, align, copy)."""

    __slots__ = ()

    def __call__(self, name: object, *_: object) -> ByteType:
        if name not in BYTE:
            raise pickle.UnpicklingError(f"an array of {name!r}, not of bytes")
        return ByteType()


class Latin1:
    """Stands for _codecs.encode(text, "latin1"), the form in which Python 3 writes bytes for Python 2."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"text in {encoding!r}, not latin1")
        return text.encode("latin1")


ADMITTED = {  # objects without attributes, so that a pickle cannot change what the next one gets
    ("_codecs", "encode"): Latin1(),
    ("numpy", "dtype"): Dtype(),
    ("numpy", "ndarray"): None,  # only ever an argument of _reconstruct
    ("numpy.core.multiarray", "_reconstruct"): Reconstruct(),
    ("numpy._core.multiarray", "_reconstruct"): Reconstruct(),
}


class Unpickler(pickle.Unpickler):
    """Knows the names in ADMITTED alone."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs")
        return ADMITTED[module, name]


def unpickle(content: bytes, name: str) -> dict[str, Any]:
    """The dictionary that a batch is, its keys as text, its arrays (…) uint8.

    Raises DataError where `content` is damaged, is no dictionary, or would build anything else.
    """
    try:
        batch = Unpickler(io.BytesIO(content), encoding="bytes").load()
        if not isinstance(batch, dict):
            raise pickle.UnpicklingError(f"it holds a {type(batch).__name__}, not a dictionary")
        return {text(key): _plain(value) for key, value in batch.items()}
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle can fail in any operation of its program
        raise DataError(
            f"{name} cannot be read as a batch of CIFAR-10 ({reason(error)}): download or copy it again"
        ) from error


def text(value: object) -> str:
    """A string, whichever Python wrote it."""
    if isinstance(value, bytes):
        return value.decode("latin1")
    if isinstance(value, str):
        return value
    raise pickle.UnpicklingError(f"{value!r} where a string belongs")


def _plain(value: Any) -> Any:
    return value.values if isinstance(value, PickledArray) else value
