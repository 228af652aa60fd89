"""What a recurrent classifier is, as checked configuration."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from duograd.models.families.recurrent.cell import NAMES, find_cell
from duograd.models.family import ModelConfig, Size

InitName = Literal["report", "xavier_uniform", "torch"]


def known_cell(name: str) -> str:
    """The name, where a cell is called so."""
    if name not in NAMES:
        raise ValueError(f"model.cell={name}: expected one of {', '.join(NAMES)}")
    return name


class RecurrentConfig(ModelConfig):
    """Sequence -> num_layers recurrent layers -> the last step's h -> dense layers with ReLU -> outputs.

    nonlinearity belongs to cell=rnn, reset_after to cell=gru, forget_bias to cell=lstm; elsewhere they are null.
    reset_after: the GRU's reset gate acts after the matrix product (torch, Keras) or before it (the original, 2014).
    dropout: after every dense layer, and between recurrent layers. truncate: the gradient flows through the last k
    steps only; null lets it flow to the first. recurrent_init: how weight_hh is drawn instead, a gate at a time.
    """

    family: Literal["recurrent"]
    cell: Annotated[str, AfterValidator(known_cell)]
    nonlinearity: Literal["tanh", "relu"] | None
    reset_after: bool | None
    forget_bias: float | None
    hidden_size: Size
    num_layers: int = Field(ge=1, le=100)
    dense: list[Size]
    dropout: float = Field(ge=0, lt=1)
    truncate: int | None = Field(ge=1)
    init: InitName
    recurrent_init: Literal["orthogonal"] | None

    @model_validator(mode="after")
    def _keys_of_other_cells(self) -> "RecurrentConfig":
        for owner in NAMES:
            for key, values in find_cell(owner).keys.items():
                value = getattr(self, key)
                if self.cell == owner and value is None and values:
                    raise ValueError(f"{key}=null does not go with cell={owner}: use {values}")
                if self.cell != owner and value is not None:
                    raise ValueError(f"{key}={str(value).lower()} is for cell={owner}: use null with cell={self.cell}")
        return self

    @model_validator(mode="after")
    def _dropout_has_a_place(self) -> "RecurrentConfig":
        if self.dropout and not self.dense and self.num_layers == 1:
            raise ValueError(
                f"dropout={self.dropout} has no place: it needs model.dense=[64], say, or model.num_layers=2"
            )
        return self

    def fault_in_stack(self, device: str) -> str | None:
        """See ModelConfig."""
        fast = device == "cpu" and find_cell(self.cell).fast_on_cpu
        return f"torch's own function for cell={self.cell} is faster on a CPU" if fast else None

    def mask_shapes(self, B: int, T: int) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        """Where dropout acts: between recurrent layers (B, T, H), and after dense layers (B, O)."""
        return [(B, T, self.hidden_size)] * (self.num_layers - 1), [(B, O) for O in self.dense]
