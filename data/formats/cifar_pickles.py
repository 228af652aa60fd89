"""CIFAR's pickled batches, read by an unpickler that can build nothing but arrays of whole numbers, strings and lists.

A pickle is a program, and Python's own unpickler lets it call any function there is. Here the few names that a batch
needs stand for methods of this file; every other name ends the reading.
"""

import io
import pickle
import pickletools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.errors import DataError, reason

INTEGERS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)}


class Element:
    """The type of an array's elements on its way: a pickle names it, then tells its byte order."""

    __slots__ = ("type",)
    type: np.dtype[Any]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.type = self.type.newbyteorder(state[1])


class PickledArray:
    """An array on its way: a pickle makes it empty, then hands it shape and content."""

    __slots__ = ("values",)
    values: NDArray[Any]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, element, fortran, content = state
        self.values = _array(content, element, shape, "F" if fortran else "C")


def _array(content: Any, element: Any, shape: Any, order: Any) -> NDArray[Any]:
    if not isinstance(element, Element):
        raise pickle.UnpicklingError("an array of something other than whole numbers")
    return np.frombuffer(content, element.type).reshape(shape, order=order)


class Stand:
    """What a batch's names stand for; without attributes, so that no pickle can change what the next one gets."""

    __slots__ = ()

    def reconstruct(self, *_: object) -> PickledArray:
        """For numpy's _reconstruct(type, shape, type code)."""
        return PickledArray()

    def from_buffer(self, content: Any, element: Any, shape: Any, order: Any) -> NDArray[Any]:
        """For numpy's _frombuffer, of protocol 5."""
        return _array(content, element, shape, order)

    def scalar(self, element: Any, content: bytes) -> int:
        """For a single number of NumPy's."""
        return int(_array(content, element, (), "C"))

    def dtype(self, name: object, *_: object) -> Element:
        """For numpy.dtype(name, align, copy)."""
        name = name.decode("latin1") if isinstance(name, bytes) else name
        if name not in INTEGERS:
            raise pickle.UnpicklingError(f"an array of {name!r}, not of whole numbers")
        element = Element()
        element.type = np.dtype(str(name))
        return element

    def latin1(self, text: str, encoding: str) -> bytes:
        """For _codecs.encode(text, "latin1"), the form in which Python 3 writes bytes for Python 2."""
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"text in {encoding!r}, not latin1")
        return text.encode("latin1")


ADMITTED = {
    ("_codecs", "encode"): Stand().latin1,
    ("numpy", "dtype"): Stand().dtype,
    ("numpy", "ndarray"): None,  # only ever an argument of _reconstruct
    **{
        (f"numpy.{core}.{module}", name): stand
        for core in ("core", "_core")
        for module, name, stand in (
            ("multiarray", "_reconstruct", Stand().reconstruct),
            ("multiarray", "scalar", Stand().scalar),
            ("numeric", "_frombuffer", Stand().from_buffer),
        )
    },
}


class Unpickler(pickle.Unpickler):
    """Knows the names in ADMITTED alone."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs")
        return ADMITTED[module, name]


def unpickle(content: bytes, name: str, known: bool = False) -> dict[str, Any]:
    """The dictionary that a batch is, its keys as text, its arrays (…) of whole numbers.

    known: its digest is, so that its memos need no look (40 µs an image).
    Raises DataError where `content` is damaged, is no dictionary, or would build anything else.
    """
    try:
        if not known:
            _require_memos_in_turn(content)
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


def _require_memos_in_turn(content: bytes) -> None:
    """Raises UnpicklingError where a memo is numbered beyond those there are: Python would make room for them all."""
    memos = 0
    for operation, number, _ in pickletools.genops(content):
        if "PUT" in operation.name:
            memos += 1
            if int(number or 0) > memos:
                raise pickle.UnpicklingError(f"its memo {memos} is numbered {number}")


def text(value: object) -> str:
    """A string, whichever Python wrote it."""
    if isinstance(value, bytes):
        return value.decode("latin1")
    if isinstance(value, str):
        return value
    raise pickle.UnpicklingError(f"{value!r} where a string belongs")


def _plain(value: Any) -> Any:
    return value.values if isinstance(value, PickledArray) else value
