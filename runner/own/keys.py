"""The signature of a function or class of the user's as keys of a configuration: names, types, defaults, bounds."""

import dataclasses
import inspect
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import GenericAlias
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import PydanticUndefined

from duograd.runner.errors import UserError

M = TypeVar("M", bound=BaseModel)
UNSET = "???"  # what OmegaConf calls missing
Tree = dict[str, Any]


class Key(NamedTuple):
    """kind: its type, with bounds. default: `inspect.Parameter.empty` where the user must give a value."""

    name: str
    kind: Any
    default: Any


def keys_of(thing: Callable[..., Any], given: Collection[str] = (), taken: Collection[str] = ()) -> list[Key]:
    """The keys that a function or a class is called with. given: parameters that duograd gives, which are none.

    taken: names that duograd's own keys have. Raises UserError where a parameter cannot be a key.
    """
    keys = []
    for name, kind, default in _parameters(thing):
        if name in given:
            continue
        if name in taken:
            raise UserError(f"{_called(thing)}({name}=…): {name} is a key of duograd's own: choose another name")
        keys.append(Key(name, _checked(thing, name, kind, default), default))
    return keys


def config_class(called: str, base: type[M], keys: Collection[Key], /, **more: Any) -> type[M]:
    """A class of the base that checks these keys too. more: fields of ours, (type, default) each."""
    fields: dict[str, Any] = {key.name: (key.kind, ... if _needed(key) else key.default) for key in keys}
    made: type[M] = create_model(called, __base__=base, **(more | fields))
    return made


def tree_of(config: type[BaseModel]) -> Tree:
    """What a YAML of such a configuration holds: every key with its default, `???` where it has none."""
    tree = {}
    for name, field in config.model_fields.items():
        default = field.get_default(call_default_factory=True)
        choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        absent = choices[0] if len(choices) == 1 else UNSET
        tree[field.alias or name] = absent if default is PydanticUndefined else _plain(default)
    return tree


def arguments(thing: Callable[..., Any], config: BaseModel, **given: Any) -> Tree:
    """What of a configuration's keys and of what duograd gives a function or class takes.

    Raises UserError where it needs more.
    """
    known = {**{name: getattr(config, name) for name in type(config).model_fields}, **given}
    chosen = {}
    for name, kind, default in _parameters(thing):
        if name in known:
            chosen[name] = Path(known[name]) if kind is Path and isinstance(known[name], str) else known[name]
        elif default is inspect.Parameter.empty:
            raise UserError(f"{_called(thing)} needs {name}: its keys are those of what stands beside it in the file")
    return chosen


def takes(thing: Callable[..., Any], name: str) -> bool:
    """Whether a function can be called with that argument."""
    parameters = inspect.signature(thing).parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _parameters(thing: Callable[..., Any]) -> Iterator[Key]:
    """Names, annotations and defaults; of a dataclass its fields."""
    empty = inspect.Parameter.empty
    if isinstance(thing, type) and dataclasses.is_dataclass(thing):
        for field in (field for field in dataclasses.fields(thing) if field.init):
            default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
            yield Key(field.name, _resolved(thing, field.type), empty if default is dataclasses.MISSING else default)
        return
    for parameter in inspect.signature(thing).parameters.values():
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            yield Key(parameter.name, _resolved(thing, parameter.annotation), parameter.default)


def _resolved(thing: Any, annotation: Any) -> Any:
    """The type of an annotation, which `from __future__ import annotations` leaves a text; empty where none is had."""
    if not isinstance(annotation, str):
        return annotation
    space = sys.modules.get(getattr(thing, "__module__", ""))
    try:
        return eval(annotation, vars(space) if space else {})
    except Exception:  # a name that only a type checker has
        return inspect.Parameter.empty


def _checked(thing: Any, name: str, kind: Any, default: Any) -> Any:
    """The type of a key, as it stands or as its default has it. Raises UserError where no YAML could hold it."""
    empty = inspect.Parameter.empty
    kind = str if kind is Path else kind
    if kind is empty:
        kind = Any if default is empty or default is None else _kind_of(default)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        if default is not empty:
            adapter.validate_python(_plain(default), strict=True)
    except (PydanticSchemaGenerationError, PydanticUserError):
        raise UserError(f"{_called(thing)}({name}: {kind}): no key can be of that type") from None
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise UserError(f"{_called(thing)}({name}={default!r}) has another type itself: {reason}") from None
    return kind


def _kind_of(default: Any) -> Any:
    if isinstance(default, list | tuple):
        return GenericAlias(list, (_kind_of(default[0]) if default else Any,))
    return float | int if isinstance(default, float) else type(default)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _needed(key: Key) -> bool:
    return key.default is inspect.Parameter.empty


def _called(thing: Any) -> str:
    return str(getattr(thing, "__name__", thing))
