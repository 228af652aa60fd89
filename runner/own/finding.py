"""Which thing of a user's file is meant: the one that was named, or the only one of its kind."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from duograd.runner.errors import UserError, suggestion


def public(module: ModuleType) -> dict[str, Any]:
    """What a file defines itself, in its order, by name: functions and classes that do not begin with _."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", None) == module.__name__
    }


def named(module: ModuleType, name: str, where: str) -> Any:
    """What the file calls so. Raises UserError."""
    try:
        return getattr(module, name)
    except AttributeError:
        known = public(module)
        raise UserError(f"{where} has no '{name}'{suggestion(name, known)}") from None


def only(module: ModuleType, fits: Callable[[str, Any], bool], where: str, what: str, remedy: str) -> Any:
    """The one thing of a file that fits. Raises UserError: none does, with the remedy, or several do."""
    fitting = {name: value for name, value in public(module).items() if fits(name, value)}
    if not fitting:
        raise UserError(f"{where} defines no {what}: {remedy}")
    if len(fitting) > 1:
        names = list(fitting)
        raise UserError(f"{where} defines {len(names)} of a kind, {', '.join(names)}: say which, {where}:{names[0]}")
    return next(iter(fitting.values()))
