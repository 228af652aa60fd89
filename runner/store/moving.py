"""A project that is moved stays together: paths in its files are relative to what moves with them.

The project is the directory where the command was given. What lies in it is written relative to the folder of the file,
if that lies in it too; what lies elsewhere stays absolute.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from duograd.runner import arguments

SQLITE = "sqlite:///"
PATHS = (("data", "path"), ("data", "root"), ("tracking", "uri"))  # of a configuration
TYPED = (*arguments.PATHS, "hydra.searchpath")  # of overrides


def relative(text: str, folder: Path, project: Path) -> str:
    """An absolute path, or the address of a database, as it is written in a folder of the project."""
    if is_server(text):
        return text
    prefix, path = _split(text)
    folder, project = folder.resolve(), project.resolve()
    inside = path.is_absolute() and folder.is_relative_to(project) and path.is_relative_to(project)
    return prefix + os.path.relpath(path, folder) if inside else text


def absolute(text: str, folder: Path) -> str:
    """What `relative` wrote, from where the folder is now."""
    if is_server(text):
        return text
    prefix, path = _split(text)
    return prefix + str((folder.resolve() / path).resolve())


def relative_config(tree: Mapping[str, Any], folder: Path, project: Path) -> dict[str, Any]:
    """The configuration with its paths as they are written in a folder of the project."""
    return _changed(tree, lambda text: relative(text, folder, project))


def absolute_config(tree: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The configuration with the paths that stand in a folder's file, from where the folder is now."""
    return _changed(tree, lambda text: absolute(text, folder))


def relative_overrides(overrides: Iterable[str], project: Path) -> list[str]:
    """`data.root=./photos` for `data.root=/project/photos`: what is typed in the project is meant from there."""
    beginning = re.compile(rf"(^|[,'\"(\[]|{SQLITE}|file://){re.escape(str(project))}(?=[/,'\")\]]|$)")

    def moved(override: str) -> str:
        key, equals, value = override.partition("=")
        return override if key.lstrip("+") not in TYPED else key + equals + beginning.sub(r"\1.", value)

    return [moved(override) for override in overrides] if project.parent != project else list(overrides)


def _changed(tree: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    changed = deepcopy(dict(tree))
    for group, key in PATHS:
        options = changed.get(group)
        if isinstance(options, dict) and isinstance(value := options.get(key), str):
            options[key] = change(value)
    return changed


def is_server(text: str) -> bool:
    """Whether it is the address of a server, and no path."""
    return text.startswith(("http://", "https://"))


def _split(text: str) -> tuple[str, Path]:
    prefix = SQLITE if text.startswith(SQLITE) else ""
    return prefix, Path(text.removeprefix(prefix))
