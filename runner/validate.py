"""From Hydra's composed tree to a RunConfig, or to one line that says what is wrong with it.

`sweep.*` is no part of a run: `plain` keeps it, `validate_plain` leaves it out (runner/sweep/options.py checks it).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from duograd.runner.config import RunConfig, part_class
from duograd.runner.errors import UserError, nearest, suggestion
from duograd.runner.explain import not_set, omegaconf_fault
from duograd.runner.store.overrides import as_text

M = TypeVar("M", bound=BaseModel)
SWEEP = "sweep"

ALIKE = 0.88  # how close a word must be to be meant: float16 is not float64
OF_A_PART = ("model_type", "model_attributes_type", "dict_type")  # faults of what has keys of its own

# What a `strict` model calls a type -> what a person calls it.
EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a string",
    "bool_type": "true or false",
    "list_type": "a list, such as [64,32]",
    "finite_number": "a finite number",
}


def plain(tree: DictConfig) -> dict[str, Any]:
    """The tree as plain data, every interpolation resolved. Raises UserError."""
    try:
        content = OmegaConf.to_container(tree, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise UserError(omegaconf_fault(error)) from None
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


def validate_plain(tree: Mapping[str, Any]) -> RunConfig:
    """The checked configuration. Raises UserError naming every fault, the value and what was expected."""
    return parse(RunConfig, {key: value for key, value in tree.items() if key != SWEEP})


def parse(model: type[M], tree: Mapping[str, Any]) -> M:
    """The model's object for plain data. Raises UserError."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise UserError("; ".join(dict.fromkeys(_lines(error.errors(), tree, model)))) from None


def _lines(faults: Sequence[ErrorDetails], tree: Mapping[str, Any], model: type[BaseModel]) -> Iterator[str]:
    missing = [".".join(_path(fault["loc"], tree)) for fault in faults if fault["type"] == "missing"]
    if len(missing) > 1:
        yield f"{', '.join(missing)} are not set: add {missing[0]}=VALUE and the others"
        faults = [fault for fault in faults if fault["type"] != "missing"]
    yield from (_line(fault, tree, model) for fault in faults)


def _line(fault: ErrorDetails, tree: Mapping[str, Any], model: type[BaseModel]) -> str:
    path = _path(fault["loc"], tree)
    key = ".".join(path)
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        known = _known(model, path[:-1], tree)
        return f"unknown key '{key}'{suggestion(path[-1], known, '.'.join([*path[:-1], '']) if path[:-1] else '')}"
    if fault["type"] == "missing":
        return not_set(key)
    if fault["type"] in OF_A_PART:
        return _part(key, fault["input"], _models_at(model, path, tree))
    if fault["type"] == "value_error":
        return message
    expected = EXPECTED.get(fault["type"], message.removeprefix("Input should be "))
    meant = _meant((key, word) for word in _close_words(fault))
    return f"{key}={as_text(fault['input'])}: {meant}expected {expected}"


def _path(loc: Iterable[int | str], tree: Mapping[str, Any]) -> list[str]:
    """A fault's place as the user types it: without the tags that pydantic adds for the chosen member of a union."""
    path: list[str] = []
    node: Any = tree
    parts = [str(part) for part in loc]
    for i, part in enumerate(parts):
        inside = isinstance(node, Mapping) and part in node
        if inside or i == len(parts) - 1:
            path.append(part)
            node = node[part] if inside else None
        elif isinstance(node, list) and part.isdigit():
            path.append(part)
            node = node[int(part)]
    return path


def _part(key: str, value: Any, models: Sequence[Any]) -> str:
    """A part of the configuration that was set as if it were one value: the key that takes it, and what keys it has."""
    fields = {field.alias or name: field for model in models for name, field in model.model_fields.items()}
    meant = _meant((f"{key}.{name}", taken) for name, field in fields.items() for taken in _taken(field, value))
    return f"{key}={as_text(value)}: {meant}it is set by its keys: {', '.join(f'{key}.{name}' for name in fields)}"


def _taken(field: Any, value: Any) -> list[Any]:
    """The value, where a key takes it, or the word that it takes and that is close."""
    try:
        TypeAdapter(Annotated[field.annotation, "", *field.metadata]).validate_python(value, strict=True)
    except ValidationError as error:
        return [word for fault in error.errors() for word in _close_words(fault)]
    return [value]


def _close_words(fault: ErrorDetails) -> list[str]:
    """Of the words that alone may stand there, the one that was meant; none where none is close."""
    if fault["type"] != "literal_error":
        return []
    return nearest(str(fault["input"]), re.findall("'(.+?)'", fault["ctx"]["expected"]), ALIKE)


def _meant(choices: Iterable[tuple[str, Any]]) -> str:
    """The first as a question, if there is one."""
    return next((f"did you mean {key}={as_text(value)}? " for key, value in choices), "")


def _known(model: type[BaseModel], path: list[str], tree: Mapping[str, Any]) -> list[str]:
    """The keys that may stand under a node, in every variant of it."""
    return [field.alias or name for m in _models_at(model, path, tree) for name, field in m.model_fields.items()]


def _models_at(model: type[BaseModel], path: list[str], tree: Mapping[str, Any]) -> list[Any]:
    """The models that a node may be of."""
    models: list[Any] = [model]
    for depth, part in enumerate(path):
        chosen = part_class(part, tree.get(part)) if model is RunConfig and depth == 0 else None
        models = [chosen] if chosen else [m for model in models for m in _models(model, part)]
    return models


def _models(model: Any, key: str) -> list[Any]:
    """The models that the field of a key can hold."""
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            return [m for m in _members(field.annotation) if hasattr(m, "model_fields")]
    return []


def _members(annotation: Any) -> list[Any]:
    """The members of a union, however deep in Annotated it stands; else the annotation itself."""
    inner = getattr(annotation, "__origin__", None)
    arguments = getattr(annotation, "__args__", ())
    if hasattr(annotation, "__metadata__"):
        return _members(inner)
    return [m for a in arguments for m in _members(a)] if arguments else [annotation]
