"""One value of one name: how it is reached, what it is, and what it was made of.

A *version* is `xhat` after line 7, the third time. Every pass takes the same way, so a version is found again by the
number of trace events before it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Access = tuple[str | int, ...]
"""How a value is reached from a frame: ("x",), ("self", ".W"), ("grads", "W"), ("hs", 3)."""


@dataclass(eq=False)
class Version:
    """One value of one name. step: events before it; line: of the statement that made it, 0 for an argument.

    call: number of the call of its function, in order; owner: the function's name.
    """

    step: int
    call: int
    owner: str
    access: Access
    line: int
    value: Array
    scalar: bool
    phase: str
    reads: tuple["Version", ...] = ()
    order: int = 0
    held: object = None
    file: str = ""

    @property
    def name(self) -> str:
        """As the user writes it: x, self.W, grads['W']."""
        first, *rest = self.access
        return str(first) + "".join(
            part if isinstance(part, str) and part.startswith(".") else f"[{part!r}]" for part in rest
        )

    @property
    def base(self) -> str:
        """The word that says what it is: W of self.W and of params['W']; the list's name of hs[3]."""
        words = [part for part in self.access if isinstance(part, str)]
        return words[-1].lstrip(".")

    @property
    def holder(self) -> str:
        """The container that it lies in: grads of self.grads['W']; nothing for a plain name."""
        words = [part for part in self.access if isinstance(part, str)]
        return words[-2].lstrip(".") if len(words) > 1 else ""


def ingredients(
    versions: Iterable[Version],
    counts: Callable[[Version], bool] = lambda _: True,
    through: Callable[[Version], bool] = lambda _: True,
) -> Iterator[Version]:
    """Values and all that they were made of, each once: what counts, and behind it only what one may look through."""
    seen: set[int] = set()
    ahead = list(versions)
    while ahead:
        version = ahead.pop()
        if version.order not in seen and counts(version):
            seen.add(version.order)
            yield version
            ahead += version.reads if through(version) else ()


def reach(value: object, access: Access) -> Any:
    """What lies at the end of an access, from what its first name holds."""
    for part in access:
        value = getattr(value, part[1:]) if isinstance(part, str) and part.startswith(".") else value[part]  # type: ignore[index]
    return value


def root(access: Access) -> str:
    """The variable of a value, as statements name it; an attribute of self is one by itself."""
    first, *rest = access
    return f"self{rest[0]}" if first == "self" and rest else str(first)
