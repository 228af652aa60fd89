"""What a user's file defines as a network becomes a Family: by hand a function that gives a Chain, or a class with
params, loss_and_grad and predict; in torch a function or class that gives an nn.Module, beside it or alone."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.chain import INITS, Chain, ChainNet
from duograd.models.errors import ArchitectureError
from duograd.models.family import Family, ModelConfig
from duograd.models.guest import GuestNet
from duograd.models.loss import OutputLoss
from duograd.runner.errors import UserError
from duograd.runner.own.finding import named, only, public
from duograd.runner.own.keys import arguments, config_class, keys_of

GIVEN = ("loss", "shape", "outputs", "seed", "dtype", "threads", "rng")
TWIN = "torch_twin"
REMEDY = (
    "write a function of (shape, outputs, …) that gives a duograd.Chain, or a class with params, loss_and_grad and "
    "predict, or a torch.nn.Module"
)


@dataclass(frozen=True)
class Halves:
    """What makes a network by hand and in torch; None where there is none. where: the file, for people."""

    where: str
    by_hand: Any
    torch: Any

    @property
    def main(self) -> Any:
        """Whose signature gives the keys."""
        return self.by_hand or self.torch

    def net(
        self,
        config: Any,
        loss: Any,
        shape: tuple[int, ...],
        outputs: int,
        seed: int,
        dtype: DTypeLike,
        threads: int | None = None,
    ) -> Any:
        """The network by hand. Raises ArchitectureError where there is none."""
        if self.by_hand is None:
            raise ArchitectureError(f"{self.where} has no network by hand, only one in torch: use backend=torch")
        given = _given(loss, shape, outputs, seed, dtype, threads)
        made = self.by_hand(**arguments(self.by_hand, config, **given))
        if isinstance(made, Chain):
            if not isinstance(loss, OutputLoss):
                raise ArchitectureError(f"{self.where}: a chain learns by a loss of its outputs: choose another loss")
            init = getattr(config, "init", "torch")
            return ChainNet(made, loss, outputs, seed, dtype, threads, init, self.where)
        return GuestNet(made, loss, _expected(loss, outputs), dtype, self.where)

    def twin(self, config: Any, loss: Any, shape: tuple[int, ...], outputs: int, seed: int, dtype: DTypeLike) -> Any:
        """The network in torch, at the weights of the one by hand. Raises ArchitectureError where there is none."""
        if fault := self.no_twin(config):
            raise ArchitectureError(f"{fault}; backend=numpy trains the network by hand")
        torch = self._torch(config)
        from duograd.models import torch_guest

        with torch_guest.seeded(seed):
            module = torch(**arguments(torch, config, **_given(loss, shape, outputs, seed, dtype, None)))
        network = torch_guest.as_network(module, loss, _expected(loss, outputs), seed, dtype, self.where)
        if self.by_hand is not None:
            by_hand = self.net(config, loss, shape, outputs, seed, dtype)
            torch_guest.start_at(network, by_hand.params | by_hand.buffers)
        return network

    def no_twin(self, config: Any) -> str | None:
        """Why there is no half in torch, and the remedy; None where there is one."""
        if self._torch(config) is not None:
            return None
        return (
            f"{self.where} has no torch twin: write {TWIN}(…), which gives a torch.nn.Module with the same parameters, "
            "or name one, model.torch=NAME"
        )

    def _torch(self, config: Any) -> Any:
        if config.torch is None:
            return self.torch
        file, _, name = config.torch.rpartition(":")
        module = sys.modules[self.main.__module__]
        if file and not str(module.__file__).endswith(file):
            raise ArchitectureError(f"model.torch={config.torch}: import it in {self.where}, and name it, {name}")
        return named(module, name, self.where)


def _expected(loss: Any, outputs: int) -> int | None:
    """How many outputs a network must say of a sample; None where samples are their own targets."""
    return outputs if isinstance(loss, OutputLoss) else None


def _given(loss: Any, shape: Any, outputs: int, seed: int, dtype: DTypeLike, threads: int | None) -> dict[str, Any]:
    values = (loss, shape, outputs, seed, np.dtype(dtype), threads, np.random.default_rng(seed))
    return dict(zip(GIVEN, values, strict=True))


class OwnModelConfig(ModelConfig):
    """torch: the name of the torch half in the file; null: torch_twin, where there is one."""

    family: str = "own"
    torch: str | None = None


def family(module: ModuleType, name: str | None, where: str) -> Family:
    """The family that a file declares or defines. Raises UserError."""
    thing = named(module, name, where) if name else getattr(module, "FAMILY", None) or _only(module, where)
    return thing if isinstance(thing, Family) else of_thing(thing, vars(module), where)


def of_thing(thing: Any, space: Mapping[str, Any], where: str) -> Family:
    """The family that a function or a class makes; space: what stands beside it. Raises UserError."""
    if not callable(thing):
        raise UserError(f"{where} is a {type(thing).__name__}: {REMEDY}")
    in_torch = is_module(thing)
    halves = Halves(where, None if in_torch else thing, thing if in_torch else space.get(TWIN))
    keys = keys_of(thing, GIVEN, taken=(*OwnModelConfig.model_fields, "file", "hash"))
    drawn = {} if isinstance(thing, type) else {"init": (Literal[INITS], "torch")}
    config = config_class(thing.__name__, OwnModelConfig, keys, **drawn)
    inputs, targets = space.get("INPUTS"), space.get("TARGETS", ("classes", "values"))
    return Family(config, halves.net, halves.twin, inputs, targets, no_twin=halves.no_twin)


def _only(module: ModuleType, where: str) -> Any:
    by_hand = [name for name, value in public(module).items() if is_network(name, value)]
    if by_hand or not any(map(is_module, public(module).values())):
        return only(module, is_network, where, "network", REMEDY)
    return only(module, lambda _, value: is_module(value), where, "network", REMEDY)


def is_network(name: str, value: Any) -> bool:
    """A function of a sample's shape or of how many outputs there are, but no torch_…; or a class with a gradient."""
    if isinstance(value, type):
        return hasattr(value, "loss_and_grad")
    code = getattr(value, "__code__", None)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
    return not name.startswith("torch_") and "targets" not in names and bool({"shape", "outputs"} & set(names))


def is_module(value: Any) -> bool:
    """Whether it is a class of torch modules; torch is imported by whoever defines one."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, type) and issubclass(value, torch.nn.Module)
