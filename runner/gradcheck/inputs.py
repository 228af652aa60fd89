"""What a layer is tried on: the file's own example, else random values in shapes that a docstring or a person names."""

import inspect
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from duograd.runner.errors import UserError
from duograd.runner.gradcheck.layer import Layer, floating
from duograd.runner.gradcheck.versions import Array

SIZES = (5, 4, 3, 6, 7, 2)  # of the letters of a docstring in turn: all different, so that no transpose goes unseen
KNOWN_SIZES = {"N": 5, "B": 5, "T": 6, "D": 4, "C": 3, "H": 4, "W": 6, "I": 4, "O": 3, "F": 2, "M": 3, "K": 3}
LABELS = ("label", "labels", "classes", "targets", "class")
SHAPE = re.compile(r"\b([A-Za-z_]\w*)\s*\(([\w\s,]+)\)(\s+(?:int|integer|labels?|bool)\b)?")
Shape = tuple[int, ...]


def give_inputs(layer: Layer, shapes: Mapping[str, Shape] | None, seed: int = 0) -> None:
    """Puts inputs into the layer. Raises UserError where nothing says what they are."""
    rng = np.random.default_rng(seed)
    if layer.example is not None and not shapes:
        _from_example(layer, layer.example())
        return
    written = shapes or _written(layer.doc)
    labels = {*LABELS, *_labels(layer.doc)}
    arguments = [_random(rng, written[name], name in labels) for name in layer.parameters if name in written]
    missing = [name for name in layer.parameters if name not in {*written, *_defaults(layer)}]
    if isinstance(layer.forward, type):
        layer.instance = _instance(layer, written, rng)
    if missing or not arguments:
        raise UserError(_three_ways(layer, missing or list(layer.parameters)))
    layer.arguments = tuple(arguments)


def _from_example(layer: Layer, example: Any) -> None:
    arguments = example if isinstance(example, tuple) else (example,)
    if isinstance(layer.forward, type):
        if arguments and isinstance(arguments[0], layer.forward):
            layer.instance, arguments = arguments[0], arguments[1:]
        else:
            layer.instance = _instance(layer, {}, np.random.default_rng(0))
    layer.arguments = tuple(floating(value) for value in arguments)


def _instance(layer: Layer, sizes: Mapping[str, Shape], rng: np.random.Generator) -> Any:
    """An object of the class: made without arguments, or by those of the shapes that its constructor takes."""
    parameters = list(inspect.signature(layer.forward).parameters.values())
    required = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if not required:
        return layer.forward()
    if all(p.name in sizes for p in required):
        return layer.forward(**{p.name: _random(rng, sizes[p.name], False) for p in required})
    raise UserError(
        f"{layer.name}: its constructor needs {', '.join(p.name for p in required)}: write "
        f"`def example_{layer.name}(): return {layer.name}(…), x` into the file"
    )


def _defaults(layer: Layer) -> set[str]:
    """The parameters that need no value."""
    function: Callable[..., Any] = layer.forward
    if isinstance(layer.forward, type):
        function = getattr(layer.forward, "forward" if layer.form == "class" else "loss")
    parameters = inspect.signature(function).parameters.values()
    return {p.name for p in parameters if p.default is not p.empty}


def _random(rng: np.random.Generator, shape: Shape, label: bool) -> Array:
    return rng.integers(0, 3, shape) if label else rng.standard_normal(shape)


def _written(doc: str) -> dict[str, Shape]:
    """Shapes of a docstring in our form: `x (B, D), W (O, D)`. Letters are sizes, equal letters equal ones."""
    sizes: dict[str, int] = {}
    shapes: dict[str, Shape] = {}
    for name, inside, _ in SHAPE.findall(doc):
        parts = [part.strip() for part in inside.split(",") if part.strip()]
        if parts and all(re.fullmatch(r"\w+", part) for part in parts):
            shapes.setdefault(name, tuple(_size(part, sizes) for part in parts))
    return shapes


def _size(word: str, sizes: dict[str, int]) -> int:
    if word.isdigit():
        return int(word)
    if word not in sizes:
        free = [size for size in SIZES if size not in sizes.values()] or [3]
        sizes[word] = KNOWN_SIZES[word] if KNOWN_SIZES.get(word) in free else free[0]
    return sizes[word]


def _labels(doc: str) -> set[str]:
    return {name for name, _, kind in SHAPE.findall(doc) if kind.strip()}


def parse_shapes(text: str) -> dict[str, Shape]:
    """`x 5x3, gamma 3, beta 3` as shapes. Raises UserError."""
    shapes: dict[str, Shape] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"(\w+)\s*[ =:]\s*\(?(\d+(?:\s*[x×*]\s*\d+)*)\)?", item)
        if match is None:
            raise UserError(f"--shapes: cannot read '{item}': write a name and its sizes, such as \"x 5x3, gamma 3\"")
        shapes[match[1]] = tuple(int(size) for size in re.split(r"\s*[x×*]\s*", match[2]))
    return shapes


def _three_ways(layer: Layer, missing: list[str]) -> str:
    shapes = ", ".join(f"{name} 5x3" for name in layer.parameters)
    path, here = layer.source.path, Path.cwd()
    file = path.relative_to(here) if path.is_relative_to(here) else path
    command = f"duograd gradcheck {shlex.quote(f'{file}:{layer.name}')} --shapes {shlex.quote(shapes)}"
    return (
        f"{layer.name}: nothing says what {', '.join(missing)} should be: write `def example_{layer.name}(): return "
        f"{', '.join(layer.parameters)}` into the file, or shapes into its docstring such as `{layer.parameters[0]} "
        f"(B, D)`, or give them: {command}"
    )
