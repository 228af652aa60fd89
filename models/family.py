"""What a family of networks is, and how one is declared.

A family is one package of `models/families`, called by its name, and YAMLs of `conf/model` that choose it by
`family: NAME`, one a variant. The package's `__init__.py` declares `FAMILY`. Both networks are made by one signature,

    net(config, loss, shape, outputs, seed, dtype, threads)    by hand: params, loss_and_grad, evaluate, predict, probe
    twin(config, loss, shape, outputs, seed, dtype)            an nn.Module: terms, forward, probe

`loss` as `Loss.bind` gives it, `shape` that of one sample, `outputs` how many values the network says of it. Both start
at the same weights, under the same names; `net.py` and `torch_net.py` have what they share. They are named by
`module:attribute` and imported when they are made: a NumPy run imports no torch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from duograd.models.loss import LossConfig

Size = Annotated[int, Field(ge=1, le=1_000_000)]
"""Of a layer."""


class ModelConfig(BaseModel):
    """name: of the YAML; family: of the package."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)
    name: str
    family: str

    def fault_with(self, loss: LossConfig) -> str | None:
        """Why this network cannot learn by that loss, and the remedy, in one line; None where it can."""
        return None

    def fault_in_stack(self, device: str) -> str | None:
        """Why several of these networks, trained as one, would gain nothing on the device; None where they may."""
        return None


@dataclass(frozen=True)
class Family:
    """One choice of `model.family`.

    net, twin: what makes them, or where that stands.
    inputs: the kinds of samples that it takes, as sources declare them: `vectors`, `sequences`, `images`; None: any.
    targets: the kinds of targets that its losses may have: `classes`, `values`, `inputs`.
    figures: those that look into its networks, which other families' networks may not have.
    alone: `module:function` of (config, shape), why a batch of one such sample teaches nothing, or None where it does.
    no_twin(config): why there is no twin with the same parameters, and the remedy; None where there is one.
    stacks: whether several twins can be trained as one, which `terms_with` of `torch_net.TorchNet` is for.
    """

    config: type[ModelConfig]
    net: str | Callable[..., Any]
    twin: str | Callable[..., Any]
    inputs: tuple[str, ...] | None
    targets: tuple[str, ...]
    figures: tuple[str, ...] = ()
    alone: str | None = None
    no_twin: Callable[[Any], str | None] = lambda config: None
    stacks: bool = False
