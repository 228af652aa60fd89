"""What a user's file defines as an optimizer becomes an Optimizer: a class with update(w, g, slots, lr, t), which works
in place; its `slots`, if it remembers anything; and torch_update of the same, on tensors, as its twin.

Its parameters are the keys; `lr: float = 1e-4` among them is the rate where no table has one.
"""

import inspect
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field, PrivateAttr

from duograd.models.arrays import Array
from duograd.models.errors import ArchitectureError
from duograd.models.optimizer import FirstOrderConfig, Optimizer, Slots, Twin
from duograd.runner.errors import UserError
from duograd.runner.own.finding import named, only
from duograd.runner.own.keys import arguments, config_class, keys_of

REMEDY = "write a class with update(self, w, g, slots, lr, t), which changes w and slots in place"

TAKEN = ("name", "rule", "weight_decay", "clip_value", "clip_norm", "file", "hash")


class OwnRuleConfig(FirstOrderConfig):
    """What every rule shares, with defaults where these say nothing by themselves."""

    rule: str = "own"
    weight_decay: float = Field(default=0.0, ge=0)
    clip_value: float | None = Field(default=None, gt=0)
    clip_norm: float | None = Field(default=None, gt=0)


def optimizer(module: ModuleType, name: str | None, where: str) -> Optimizer:
    """The optimizer that a file declares or defines. Raises UserError."""
    thing = named(module, name, where) if name else getattr(module, "OPTIMIZER", None)
    thing = thing or only(module, is_optimizer, where, "optimizer", REMEDY)
    return thing if isinstance(thing, Optimizer) else of_thing(thing, where)


def of_thing(thing: Any, where: str) -> Optimizer:
    """The optimizer of a class. Raises UserError."""
    if not is_optimizer("", thing):
        raise UserError(f"{where} is no optimizer: {REMEDY}")
    try:
        inspect.signature(thing.update).bind("self", "w", "g", "slots", "lr", "t")
    except TypeError as error:
        raise UserError(f"{where}: update(self, w, g, slots, lr, t) is called: {error}") from None
    keys = keys_of(thing, taken=TAKEN)
    bounded = [key._replace(kind=Annotated[float, Field(gt=0)]) if key.name == "lr" else key for key in keys]
    return Optimizer(config_class(thing.__name__, _delegating(thing, where), bounded, name=(str, thing.__name__)))


def _delegating(kind: Any, where: str) -> type[OwnRuleConfig]:
    """A configuration whose update is that of the user's object."""

    class Delegating(OwnRuleConfig):
        _rule: Any = PrivateAttr()

        def model_post_init(self, context: Any) -> None:
            self._rule = kind(**arguments(kind, self))

        @property
        def slots(self) -> tuple[str, ...]:
            return tuple(getattr(self._rule, "slots", ()))

        def update(self, w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
            self._rule.update(w, g, slots, lr, t)

        def twin(self) -> Twin:
            if not hasattr(self._rule, "torch_update"):
                raise ArchitectureError(
                    f"{where} has no torch twin: write torch_update(self, w, g, slots, lr, t) in the methods of "
                    "tensors; backend=numpy has the update by hand"
                )
            return Twin(self._rule.torch_update)

    return Delegating


def is_optimizer(name: str, value: Any) -> bool:
    """A class with an update."""
    return isinstance(value, type) and callable(getattr(value, "update", None))
