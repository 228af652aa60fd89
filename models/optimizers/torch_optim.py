"""The torch twins of `numpy_optim`: torch's own optimizers, and Adam without bias correction, which torch lacks."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from duograd.models.optimizers.config import AdagradConfig, AdamConfig, FirstOrderConfig, RmspropConfig, SgdConfig

Named = Mapping[str, Tensor]


class VanillaAdam(torch.optim.Optimizer):
    """Adam as first printed in many lecture notes: w -= lr m / (√s + eps), no bias correction."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, betas: tuple[float, float], eps: float, weight_decay: float
    ):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update from the gradients at hand."""
        for group in self.param_groups:
            for w in group["params"]:
                self._update(w, group, *group["betas"])

    def _update(self, w: Tensor, group: dict[str, Any], beta1: float, beta2: float) -> None:
        state = self.state[w]
        if not state:
            state.update(step=torch.zeros(()), exp_avg=torch.zeros_like(w), exp_avg_sq=torch.zeros_like(w))
        state["step"] += 1
        assert w.grad is not None
        g = w.grad.add(w, alpha=group["weight_decay"])
        m = state["exp_avg"].mul_(beta1).add_(g, alpha=1 - beta1)
        s = state["exp_avg_sq"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        w.addcdiv_(m, s.sqrt().add_(group["eps"]), value=-group["lr"])


def make(config: FirstOrderConfig, params: Iterable[Tensor]) -> torch.optim.Optimizer:
    """The torch optimizer of a configuration."""
    common: dict[str, Any] = {"lr": config.lr, "weight_decay": config.weight_decay}
    match config:
        case SgdConfig():
            return torch.optim.SGD(params, momentum=config.momentum, nesterov=config.nesterov, **common)
        case AdagradConfig():
            return torch.optim.Adagrad(params, eps=config.eps, **common)
        case RmspropConfig():
            return torch.optim.RMSprop(params, alpha=config.alpha, eps=config.eps, **common)
        case AdamConfig():
            adam = torch.optim.Adam if config.bias_correction else VanillaAdam
            return adam(params, betas=(config.beta1, config.beta2), eps=config.eps, **common)


def clip(params: Iterable[Tensor], value: float | None, norm: float | None) -> None:
    """Clips the gradients of params in place, by value and then by norm."""
    params = list(params)
    if value is not None:
        clip_grad_value_(params, value)
    if norm is not None:
        clip_grad_norm_(params, norm)


def state_of(optimizer: torch.optim.Optimizer, params: Named, steps: int) -> dict[str, Tensor]:
    """The optimizer's state under the names of `numpy_optim`: `step`, and `parameter/slot` for every slot."""
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
