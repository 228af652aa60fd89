"""Where the inputs of a layer lie: its arguments, its object's attributes, and what lists, dicts and objects hold."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from duograd.runner.gradcheck.names import HOLDERS_OF_GRADIENTS, gradient_of, same_word

Path = tuple[str | int, ...]
"""From a name to a value: ("self", "params", "W"), ("weights", 0); attributes and keys alike."""

BOXED = ("data", "value", "val")  # attributes of a parameter that is an object, with its gradient beside it
DEPTH = 5  # containers inside containers
MOST = 64  # items of a list


def written(path: Path) -> str:
    """A path as text: self.params.W, weights[0]."""
    first, *rest = path
    return str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)


def members(holder: Any) -> dict[Any, Any]:
    """What a container or an object holds, by key."""
    if isinstance(holder, Mapping):
        return dict(holder)
    if isinstance(holder, list | tuple):
        return dict(enumerate(holder[:MOST]))
    return dict(getattr(holder, "__dict__", {}))


def get(holder: Any, path: Path) -> Any:
    """What lies at the end of a path. Raises KeyError."""
    for part in path:
        holder = members(holder)[part]
    return holder


def put(holder: Any, key: Any, value: Any) -> None:
    """Puts a value into a container or an object; into an array, in place."""
    old = members(holder)[key]
    if isinstance(old, np.ndarray) and old.dtype == np.asarray(value).dtype:
        old[...] = value
    elif hasattr(holder, "__setitem__"):
        holder[key] = value
    elif not isinstance(holder, tuple):
        setattr(holder, str(key), value)


def floats(name: str, value: Any, own: Callable[[Any], bool], depth: int = DEPTH) -> Iterator[tuple[Path, Any]]:
    """Every float array and float number in a value, with its path; gradients left out. own: objects to look into."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and value.size:
            yield (name,), value
    elif isinstance(value, float | np.floating):
        yield (name,), value
    elif depth and (isinstance(value, dict | list | tuple) or own(value)):
        inside = members(value)
        for key, item in inside.items():
            if isinstance(key, str | int) and not _is_gradient(key, inside):
                yield from (((name, *path), v) for path, v in floats(key, item, own, depth - 1))  # type: ignore[arg-type]


def _is_gradient(key: str | int, siblings: Mapping[Any, Any]) -> bool:
    """dW beside W, grads beside params: results, no inputs."""
    if key in HOLDERS_OF_GRADIENTS:
        return True
    said = gradient_of(str(key))
    return said is not None and any(same_word(said, str(other)) for other in siblings if other != key)


def gradient_beside(root: Any, path: Path, used: set[int]) -> Any:
    """The gradient that an object keeps of one of its values: dW beside W, grads['W'], layers[0].dW; else None.

    used: the ids of gradients that belong to other values.
    """
    for strict in (True, False):
        for depth in reversed(range(len(path))):
            inside = members(get(root, path[:depth]))
            for key, held in inside.items():
                if key == path[depth]:
                    continue
                ways: tuple[Path, ...] = ()
                if key in HOLDERS_OF_GRADIENTS:
                    ways = (
                        (path[depth:], path[depth + 1 :])
                        if path[depth + 1 :] or path[depth] in BOXED
                        else (path[depth:],)
                    )
                elif _names(str(key), path[depth], strict):
                    ways = (path[depth + 1 :],)
                for way in ways:
                    gradient = _follow(held, way, strict)
                    if gradient is not None and id(gradient) not in used:
                        return gradient
    return None


def _names(key: str, value: str | int, strict: bool) -> bool:
    """Whether a key says that it is the gradient of a value."""
    said, word = gradient_of(key), str(value)
    if said is None:
        return False
    return same_word(said, word) if strict else said.lower() == word.lower()


def _follow(held: Any, way: Path, strict: bool) -> Any:
    for part in way:
        inside = members(held)
        keys = [k for k in inside if k == part] or [k for k in inside if _names(str(k), part, strict)]
        if not keys:
            return None
        held = inside[keys[0]]
    return held if isinstance(held, np.ndarray | float | np.floating) else None
