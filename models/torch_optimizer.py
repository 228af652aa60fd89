"""The torch twins of `models/optimizer.py`: torch's own optimizers, and `Slotted` for rules that torch lacks."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from duograd.models.optimizer import FirstOrderConfig

Named = Mapping[str, Tensor]
Update = Callable[[Any, Any, dict[str, Any], float, int], None]


class Slotted(torch.optim.Optimizer):
    """An update of tensors, for each parameter with its slots and its count of steps."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, weight_decay: float, slots: tuple[str, ...], update: Update
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})
        self.slots, self.rule = slots, update

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update from the gradients at hand."""
        for group in self.param_groups:
            for w in group["params"]:
                state = self.state[w]
                if not state:
                    state.update(step=torch.zeros(()), **{slot: torch.zeros_like(w) for slot in self.slots})
                state["step"] += 1
                g = w.grad.add(w, alpha=group["weight_decay"])
                self.rule(w, g, state, group["lr"], int(state["step"]))


def make(config: FirstOrderConfig, params: Iterable[Tensor]) -> torch.optim.Optimizer:
    """The torch optimizer of a configuration."""
    twin = config.twin()
    common: dict[str, Any] = {"lr": config.lr, "weight_decay": config.weight_decay}
    if callable(twin.optimizer):
        return Slotted(params, **common, slots=config.slots, update=twin.optimizer)
    optimizer: type[torch.optim.Optimizer] = getattr(torch.optim, twin.optimizer)
    return optimizer(params, **common, **twin.options)


def clip(params: Iterable[Tensor], value: float | None, norm: float | None) -> None:
    """Clips the gradients of params in place, by value and then by norm."""
    params = list(params)
    if value is not None:
        clip_grad_value_(params, value)
    if norm is not None:
        clip_grad_norm_(params, norm)


def state_of(optimizer: torch.optim.Optimizer, params: Named, steps: int) -> dict[str, Tensor]:
    """The optimizer's state under the names of `models.optimizer`: `step`, and `parameter/slot` for every slot."""
    slots = {
        f"{name}/{slot}": value
        for name, w in params.items()
        for slot, value in optimizer.state[w].items()
        if slot != "step" and value is not None
    }
    return {"step": torch.tensor(steps), **slots}


def load_state(optimizer: torch.optim.Optimizer, params: Named, state: Named) -> None:
    """Puts back what `state_of` gave. Torch keeps a step count per parameter, where it keeps one."""
    step = state["step"].to(torch.float32)
    for key, value in state.items():
        if key == "step":
            continue
        name, slot = key.rsplit("/", 1)
        w = params[name]
        optimizer.state[w][slot] = value.to(w.device, w.dtype, copy=True)
        optimizer.state[w]["step"] = step.clone()
