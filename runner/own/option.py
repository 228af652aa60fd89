"""A part of a run by a user's file: what declares it, and the keys that Hydra composes of it."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import Field

from duograd.data.source import Source
from duograd.models.family import Family
from duograd.models.loss import Loss
from duograd.models.optimizer import Optimizer
from duograd.runner.errors import UserError
from duograd.runner.own import losses, modules, networks, optimizers, sources
from duograd.runner.own.code import Reference
from duograd.runner.own.keys import UNSET, Tree, config_class, tree_of

Declaration = Family | Loss | Optimizer | Source
DECLARE: dict[str, Callable[[ModuleType, str | None, str], Declaration]] = {
    "model": networks.family,
    "loss": losses.loss,
    "optimizer": optimizers.optimizer,
    "data": sources.source,
}
FIXED = ("family", "rule")  # keys that a Literal of the file's own declaration may hold: here the file says it


def declared(part: str, reference: str, digest: str) -> Declaration:
    """What a file declares as a part of a run, its code being imported already. Raises UserError."""
    parsed = Reference.parse(reference)
    if parsed is None:
        raise UserError(
            f"{part}.file={reference}: expected a file of Python, such as my_{part}.py or my_{part}.py:NAME"
        )
    return _declared(part, parsed.path.name, parsed.name, digest)


@cache
def _declared(part: str, file: str, name: str | None, digest: str) -> Declaration:
    module = modules.module(digest)
    with modules.guarded():
        declaration = DECLARE[part](module, name, f"{file}:{name}" if name else file)
    known = tree_of(declaration.config)["name"]
    named = {"name": (str, name or (file.removesuffix(".py") if known == UNSET else known))}
    fixed = {key: (str, "own") for key in FIXED if key in declaration.config.model_fields}
    where: dict[str, Any] = {"file": (str, ...), "hash": (str, Field(pattern="[0-9a-f]+"))}
    config: Any = config_class(declaration.config.__name__, declaration.config, (), **named, **fixed, **where)
    return replace(declaration, config=config)


@cache
def of_thing(part: str, name: str, thing: Any) -> Declaration:
    """What a function or a class of an installed package declares, under the name of its entry point."""
    space = vars(sys.modules[thing.__module__])
    makers: dict[str, Callable[[], Declaration]] = {
        "model": lambda: networks.of_thing(thing, space, name),
        "loss": lambda: losses.of_thing(thing, space, name),
        "optimizer": lambda: optimizers.of_thing(thing, name),
        "data": lambda: sources.of_thing(thing, name),
    }
    return makers[part]()


def reference(text: str, places: Sequence[Path]) -> Reference | None:
    """What a text refers to: from the current directory, or where nothing lies there, in one of the places.

    None where it names no file of Python.
    """
    meant = Reference.parse(text)
    if meant is None or meant.path.exists():
        return meant
    inside = (Reference.parse(str(place.absolute() / text)) for place in places)
    return next((other for other in inside if other and other.path.exists()), meant)


def option(part: str, reference: Reference) -> Tree:
    """The keys of a file's part with their defaults; its code is imported. Raises UserError."""
    code = modules.find(reference.path)
    modules.load(code)
    tree = tree_of(declared(part, str(reference), code.hash).config)
    return {**tree, "file": str(reference), "hash": code.hash}
