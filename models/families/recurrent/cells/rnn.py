"""The plain recurrent cell (Elman 1990)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from duograd.models.families.recurrent.cell import Cell, TorchState
from duograd.models.layers.rnn import RNN


def step(F: Any, config: Any, zx: Any, state: TorchState, w: Mapping[str, Any]) -> TorchState:
    return (getattr(F, config.nonlinearity)(zx + F.linear(state[0], w["weight_hh"])),)


CELL = Cell(
    gates=1,
    states=1,
    layer=lambda config: partial(RNN, config.nonlinearity),
    step=step,
    kernel=lambda config: f"rnn_{config.nonlinearity}",
    keys={"nonlinearity": "tanh or relu"},
)
