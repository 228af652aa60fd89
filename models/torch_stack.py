"""Networks that differ in values alone, computed as one: their tensors are stacked, and a step of all is one step.

Legend: k networks, B batch.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from duograd.models import torch_optimizer
from duograd.models.optimizer import FirstOrderConfig
from duograd.models.torch_loss import Settings

NET = "net"


class StackedNet:
    """k networks of one shape, each with `masks`, `settings` and `terms_with` as `TorchNet` has them.

    params, buffers: by name, (k, …). The networks' own tensors become views of these: what is changed here, they have.
    """

    def __init__(self, nets: Sequence[Any]) -> None:
        self.nets = nets
        form = deepcopy(nets[0]).to("meta")  # it has no values of its own that could be used by mistake
        form.unfused = True
        self._form = _Terms(form)
        self.params, self.buffers = stack_module_state(list(nets))
        stacked = self.params | self.buffers
        self._tensors = {f"{NET}.{name}": w for name, w in stacked.items()}
        for i, net in enumerate(nets):
            for name, w in (*net.named_parameters(), *net.named_buffers()):
                w.data = stacked[name].data[i]
        like = next(iter(self.params.values()))
        self._settings = {name: _column([net.settings[name] for net in nets], like) for name in nets[0].settings}

    def terms(self, inputs: Tensor, targets: Tensor | None, shared: bool, step: int | None) -> dict[str, Tensor]:
        """The terms of each network, (k,) each, over inputs (k, B, …), or (B, …) where they are shared.

        step: that dropout's masks belong to; None: outside of training.
        """
        drawn = [None if step is None else self._masks(i, inputs, shared, step) for i in range(len(self.nets))]
        arguments = self._tensors, inputs, targets, _stacked(drawn), self._settings
        dims = [_dims(argument) for argument in arguments]
        if shared:
            dims[1:3] = None, None
        self._form.train(step is not None)
        return cast(dict[str, Tensor], vmap(self._terms, in_dims=tuple(dims))(*arguments))

    def _masks(self, i: int, inputs: Tensor, shared: bool, step: int) -> Any:
        return self.nets[i].masks(inputs if shared else inputs[i], step)

    def _terms(self, tensors: dict[str, Tensor], *arguments: Any) -> Any:
        return functional_call(self._form, tensors, arguments)


class _Terms(nn.Module):
    """A network whose forward pass ends in its loss."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.add_module(NET, net)

    def forward(self, inputs: Tensor, targets: Any, masks: Any, settings: Settings) -> dict[str, Tensor]:
        """See TorchNet.terms_with."""
        return cast(dict[str, Tensor], cast(Any, self.net).terms_with(inputs, targets, masks, settings))


class StackedOptimizer:
    """Torch's own rule, at the rate 1, on parameters that are always zero: what it makes of them is a direction, and
    each network goes along its own as far as its own rate says.

    That is what the rules of `models/optimizers` do: their steps are proportional to the rate, and look at the weights
    for the decay alone, which is added here as clipping is done here, by each network's own numbers.
    """

    def __init__(self, configs: Sequence[FirstOrderConfig], weights: dict[str, Tensor]) -> None:
        self.weights = weights
        self.moves = {name: torch.zeros_like(w, requires_grad=False) for name, w in weights.items()}
        self.rule = torch_optimizer.make(
            configs[0].model_copy(update={"lr": 1.0, "weight_decay": 0.0}), self.moves.values()
        )
        self._like = next(iter(self.moves.values()))
        self._decay = self._own([config.weight_decay for config in configs])
        self._clip_value = self._own([config.clip_value for config in configs])
        self._clip_norm = self._own([config.clip_norm for config in configs])

    @torch.no_grad()
    def step(self, rates: Sequence[float]) -> None:
        """One update of all weights by their gradients."""
        grads = self._clipped({name: cast(Tensor, w.grad) for name, w in self.weights.items()})
        for name, w in self.weights.items():
            decay = 0 if self._decay is None else _along(self._decay, w) * w
            self.moves[name].grad = grads[name] + decay
        self.rule.step()
        lr = _column(rates, self._like)
        for name, w in self.weights.items():
            w.addcmul_(self.moves[name], _along(lr, w))
            self.moves[name].zero_()

    def _clipped(self, grads: dict[str, Tensor]) -> dict[str, Tensor]:
        """Each network's gradients by value, then by norm: `torch_optimizer.clip`."""
        if (most := self._clip_value) is not None:
            grads = {name: g.clamp(-_along(most, g), _along(most, g)) for name, g in grads.items()}
        if self._clip_norm is not None:
            total = torch.stack([g.flatten(1).square().sum(1) for g in grads.values()]).sum(0).sqrt()
            scale = (self._clip_norm / (total + 1e-6)).clamp(max=1.0)  # torch's own 1e-6
            grads = {name: g * _along(scale, g) for name, g in grads.items()}
        return grads

    def _own(self, values: Sequence[float | None]) -> Tensor | None:
        """A number of each network; None where none of them has any."""
        return _column(values, self._like) if any(values) else None


def _along(values: Tensor, w: Tensor) -> Tensor:
    """(k,) beside w (k, …)."""
    return values.view(-1, *[1] * (w.ndim - 1))


def _column(values: Sequence[Any], like: Tensor) -> Tensor:
    """A number or tensor of each network, stacked."""
    return torch.stack([torch.as_tensor(value, dtype=like.dtype, device=like.device) for value in values])


def _stacked(trees: Sequence[Any]) -> Any:
    """Lists and tuples of tensors and None, one a network, as one whose tensors are stacked."""
    match trees[0]:
        case None:
            return None
        case Tensor():
            return torch.stack(list(trees))
        case _:
            return type(trees[0])(map(_stacked, zip(*trees, strict=True)))


def _dims(tree: Any) -> Any:
    """Where vmap finds the networks: first in every tensor."""
    match tree:
        case None:
            return None
        case Tensor():
            return 0
        case dict():
            return {name: _dims(part) for name, part in tree.items()}
        case _:
            return type(tree)(map(_dims, tree))
