"""What a recurrent cell is, and how one is declared.

A cell is one module of `cells`, called by its name (`model.cell`), with `CELL = Cell(…)`: its layer by hand, which
stands in `models/layers`, and its step in torch, whose functions it is handed. Nothing else names it.

Legend: B batch, I input, H hidden, G = H times the number of gates.
"""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from duograd.models.families.recurrent import cells
from duograd.models.layers.recurrence import Recurrence

NAMES = sorted(module.name for module in pkgutil.iter_modules(cells.__path__))
TorchState = tuple[Any, ...]


@dataclass(frozen=True)
class Cell:
    """gates: how many weight_ih (G, I) and weight_hh (G, H) hold. states: h, and others of its shape, such as c.

    layer(config): what makes the layer by hand of (H, dtype, background).
    step(F, config, zx, state, w): the state after a step, in torch; F is torch.nn.functional, zx = W_ih x_t + b (B, G).
    kernel(config): the name of torch's own function for the whole layer; None where it has none.
    keys: of the configuration that are this cell's alone, each with its values where one must be given.
    fast_on_cpu: whether that function beats, on a CPU, any number of networks that are trained as one step by step.
    """

    gates: int
    states: int
    layer: Callable[[Any], Callable[..., Recurrence]]
    step: Callable[[Any, Any, Any, TorchState, Mapping[str, Any]], TorchState]
    kernel: Callable[[Any], str | None]
    keys: Mapping[str, str | None] = field(default_factory=dict)
    fast_on_cpu: bool = False


def find_cell(name: str) -> Cell:
    """The cell of that name, which is one of `NAMES`."""
    cell: Cell = import_module(f"{cells.__name__}.{name}").CELL
    return cell
