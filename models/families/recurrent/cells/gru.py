"""The gated recurrent unit, with its reset gate before the product (Cho et al. 2014) or after it (torch, Keras)."""

from collections.abc import Mapping
from typing import Any

from duograd.models.families.recurrent.cell import Cell, TorchState
from duograd.models.layers.gru import ResetAfter, ResetBefore


def step(F: Any, config: Any, zx: Any, state: TorchState, w: Mapping[str, Any]) -> TorchState:
    [h] = state
    H = h.shape[1]
    r, z = (zx[:, : 2 * H] + F.linear(h, w["weight_hh"][: 2 * H])).sigmoid().chunk(2, dim=1)
    U_n = w["weight_hh"][2 * H :]
    a = r * F.linear(h, U_n, w["bias_hn"]) if config.reset_after else F.linear(r * h, U_n)
    n = (zx[:, 2 * H :] + a).tanh()
    return (z * h + (1 - z) * n,)


CELL = Cell(
    gates=3,
    states=1,
    layer=lambda config: ResetAfter if config.reset_after else ResetBefore,
    step=step,
    kernel=lambda config: "gru" if config.reset_after else None,
    keys={"reset_after": "true or false"},
)
