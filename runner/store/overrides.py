"""What people type, `+loss.lambda=1e-5`, read by Hydra's own parser; and keys and values as they would be typed.

Dotted keys name the leaves of nested settings: `loss: {lambda: 0.1}` is loss.lambda=0.1.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from duograd.runner.errors import UserError
from duograd.runner.explain import explain

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


@cache
def parse(text: str) -> "Override":
    """The override that Hydra reads in a text. Raises UserError where it is none."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_overrides([text])[0]
    except HydraException as error:
        raise explain(error) from None


def parse_all(texts: Sequence[str]) -> "list[Override]":
    """What was typed for a sweep. Lives inside an initialised Hydra, into whose groups `glob(*)` looks.

    Raises Hydra's exceptions.
    """
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create(GlobalHydra.instance().config_loader()).parse_overrides(list(texts))


def key_of(text: str) -> str:
    """`loss.lambda` of `+loss.lambda=1e-5`."""
    return str(parse(text).key_or_group)


def value_of(text: str) -> str:
    """`1e-5` of the same, as it was typed; "" of a deletion (`~loss.beta`)."""
    return str(parse(text).input_line).partition("=")[2]


def by_key(texts: Sequence[str]) -> dict[str, str]:
    """The typed values of overrides by their keys, in order; the last of a key counts."""
    return {key_of(text): value_of(text) for text in texts}


def as_typed(text: str) -> Any:
    """A value as Hydra would take it: `1e-5` is a number, `[64,32]` a tuple, `adam` a word; else the text itself."""
    try:
        value = parse(f"value={text}").value()
    except UserError:
        return text
    return hashable(value) if isinstance(value, int | float | bool | str | list | None) else text


def as_text(value: Any) -> str:
    """The other way round, for one value: null, true, 1e-05, adam."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def hashable(value: Any) -> Any:
    """The value, with tuples for lists, so that it can be a key."""
    return tuple(hashable(item) for item in value) if isinstance(value, list) else value


def dotted(tree: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree with their dotted keys, in order; an empty mapping is a leaf."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """By key the shortest ending that no other key shares: `loss.lambda` -> `lambda`."""

    def ending(key: str, parts: int) -> str:
        return ".".join(key.split(".")[-parts:])

    names = {}
    for key in keys:
        longest = key.count(".") + 1
        unique = (n for n in range(1, longest) if Counter(ending(k, n) for k in keys)[ending(key, n)] == 1)
        names[key] = ending(key, next(unique, longest))
    return names
