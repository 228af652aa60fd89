"""Nested keys as people type them: `loss: {lambda: 0.1}` is loss.lambda=0.1."""

from collections.abc import Iterator, Mapping
from typing import Any


def dotted(tree: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree with their dotted keys, in order; an empty mapping is a leaf."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
