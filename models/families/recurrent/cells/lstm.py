"""Long short-term memory (Hochreiter and Schmidhuber 1997)."""

from collections.abc import Mapping
from typing import Any

from duograd.models.families.recurrent.cell import Cell, TorchState
from duograd.models.layers.lstm import LSTM


def step(F: Any, config: Any, zx: Any, state: TorchState, w: Mapping[str, Any]) -> TorchState:
    h, c = state
    i, f, g, o = (zx + F.linear(h, w["weight_hh"])).chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


CELL = Cell(
    gates=4,
    states=2,
    layer=lambda config: LSTM,
    step=step,
    kernel=lambda config: "lstm",
    keys={"forget_bias": None},
    fast_on_cpu=True,
)
