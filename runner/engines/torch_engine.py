"""The torch engine: the same network, its gradient by autograd."""

from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from duograd.data.dataset import Batch
from duograd.models import torch_optimizer
from duograd.models.optimizer import FirstOrderConfig, OptimizerConfig
from duograd.models.optimizers.lbfgs import LbfgsConfig
from duograd.runner.engines import AfterIteration, Grads, Terms
from duograd.runner.errors import UserError

Array = NDArray[Any]
Tensors = tuple[Tensor, Tensor | None]


class TorchEngine:
    """A torch module with `terms(inputs, targets, step)`, and its optimizer; see `runner.engines.Engine`."""

    def __init__(
        self,
        net: nn.Module,
        optimizer: OptimizerConfig,
        device: str = "cpu",
        compiled: bool = False,
        channels_last: bool = False,
        autocast: str | None = None,
    ) -> None:
        self.threads: int | None = torch.get_num_threads()
        self.images = torch.channels_last if channels_last else torch.contiguous_format
        self.net = cast(Any, net).to(device, memory_format=self.images)
        self.config = optimizer
        self.device = device
        self.autocast = partial(torch.autocast, device, getattr(torch, autocast or "bfloat16"), autocast is not None)
        terms: Any = self.net.terms
        self.terms = torch.compile(terms) if compiled else terms
        self.named = dict(net.named_parameters())
        self.steps = 0
        self.optimizer = (
            torch_optimizer.make(optimizer, self.named.values()) if isinstance(optimizer, FirstOrderConfig) else None
        )
        self._resident: deque[tuple[Batch, Tensors]] = deque(maxlen=3)  # a full batch of each split

    def step(self, batch: Batch, lr: float) -> Terms:
        assert self.optimizer is not None
        assert isinstance(self.config, FirstOrderConfig)
        terms = self._backward(batch)
        torch_optimizer.clip(self.named.values(), self.config.clip_value, self.config.clip_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        self.steps += 1
        return {name: value.detach() for name, value in terms.items()}

    def loss_and_grad(self, batch: Batch) -> tuple[Terms, Grads]:
        terms = self._backward(batch)
        grads = {name: _array(cast(Tensor, w.grad)) for name, w in self.named.items()}
        return {name: value.detach() for name, value in terms.items()}, grads

    def minimize(self, batch: Batch, iterations: int, after: AfterIteration) -> str:
        """torch's LBFGS with a strong-Wolfe line search, one iteration a call."""
        assert isinstance(self.config, LbfgsConfig)
        solver = torch.optim.LBFGS(
            list(self.named.values()),
            max_iter=1,
            max_eval=25,
            history_size=self.config.history_size,
            tolerance_grad=1e-10,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )
        evaluated: list[Terms] = []

        def closure() -> Tensor:
            terms = self._backward(batch)
            evaluated.append({name: value.detach() for name, value in terms.items()})
            return terms["loss"]

        for _ in range(iterations):
            before = self.weights()
            evaluated.clear()
            solver.step(closure)  # type: ignore[no-untyped-call]
            if all(np.array_equal(before[name], w) for name, w in self.params().items()):
                return "L-BFGS: converged, no step lowers the cost any more"
            try:
                after(evaluated[0], before)
            except StopIteration:
                break
        return "L-BFGS: stopped"

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> Terms:
        self.net.eval()
        with self.autocast():
            terms = self.net.terms(*self._tensors(batch))
        self.net.train()
        return cast(Terms, terms)

    @torch.no_grad()
    def predict(self, inputs: Array) -> Array:
        self.net.eval()
        with self.autocast():
            output = self.net(self._tensor(inputs))
        self.net.train()
        return _array(output)

    @torch.no_grad()
    def probe(self, batch: Batch) -> dict[str, Array]:
        self.net.eval()
        probed = self.net.probe(*self._tensors(batch))
        self.net.train()
        return {name: _array(value) for name, value in probed.items()}

    def params(self) -> dict[str, Array]:
        return {name: _array(w) for name, w in self.named.items()}

    def weights(self) -> dict[str, Array]:
        return {name: _array(w) for name, w in self.net.state_dict().items()}

    @torch.no_grad()
    def set_weights(self, weights: Mapping[str, Array]) -> None:
        for name, w in self.net.state_dict().items():
            w.copy_(torch.as_tensor(weights[name]))

    def state(self) -> dict[str, Array]:
        memory = torch_optimizer.state_of(self.optimizer, self.named, self.steps) if self.optimizer else {}
        return self.weights() | {f"optimizer/{key}": _array(value) for key, value in memory.items()}

    def load(self, state: Mapping[str, Array]) -> None:
        self.set_weights(state)
        if self.optimizer:
            memory = {
                k.removeprefix("optimizer/"): torch.tensor(v) for k, v in state.items() if k.startswith("optimizer/")
            }
            torch_optimizer.load_state(self.optimizer, self.named, memory)
            self.steps = int(memory["step"])

    def _backward(self, batch: Batch) -> dict[str, Tensor]:
        for w in self.named.values():
            w.grad = None
        with self.autocast():
            terms = cast(dict[str, Tensor], self.terms(*self._tensors(batch), self.steps))
        terms["loss"].backward()  # type: ignore[no-untyped-call]
        return terms

    def _tensors(self, batch: Batch) -> Tensors:
        """The batch on the device. The last few are kept: full batches travel once, not every epoch."""
        for kept, tensors in self._resident:
            if kept is batch:
                return tensors
        tensors = (self._tensor(batch.inputs), None if batch.targets is None else self._tensor(batch.targets))
        self._resident.append((batch, tensors))
        return tensors

    def _tensor(self, array: Array) -> Tensor:
        tensor = torch.as_tensor(array, device=self.device)
        return tensor.contiguous(memory_format=self.images) if tensor.ndim == 4 else tensor


def use_device(device: str, threads: int | None) -> None:
    """Has torch use so many threads. Raises UserError where the device is not there."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda: torch sees no CUDA device here; use device=cpu")
    if threads:
        torch.set_num_threads(threads)


def _array(tensor: Tensor) -> Array:
    """A NumPy copy that no later update can change."""
    whole = tensor.detach().cpu()
    return (whole.float() if whole.dtype is torch.bfloat16 else whole).numpy().copy()  # NumPy has no bfloat16
