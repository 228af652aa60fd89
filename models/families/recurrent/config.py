"""What a recurrent classifier is, as checked configuration."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

CellName = Literal["rnn", "lstm", "gru"]
InitName = Literal["report", "xavier_uniform", "torch"]
Size = Annotated[int, Field(ge=1, le=1_000_000)]

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class RecurrentConfig(BaseModel):
    """Sequence -> num_layers recurrent layers -> the last step's h -> dense layers with ReLU -> one logit a class.

    nonlinearity belongs to cell=rnn, reset_after to cell=gru, forget_bias to cell=lstm; elsewhere they are null.
    reset_after: the GRU's reset gate acts after the matrix product (torch, Keras) or before it (the original, 2014).
    dropout: after every dense layer, and between recurrent layers. truncate: the gradient flows through the last k
    steps only; null lets it flow to the first. recurrent_init: how weight_hh is drawn instead, a gate at a time.
    """

    model_config = _STRICT
    name: str
    family: Literal["recurrent"]
    cell: CellName
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
        if self.cell == "rnn" and self.nonlinearity is None:
            raise ValueError("nonlinearity=null does not go with cell=rnn: use tanh or relu")
        if self.cell == "gru" and self.reset_after is None:
            raise ValueError("reset_after=null does not go with cell=gru: use true or false")
        for key, owner in {"nonlinearity": "rnn", "reset_after": "gru", "forget_bias": "lstm"}.items():
            value = getattr(self, key)
            if self.cell != owner and value is not None:
                raise ValueError(f"{key}={str(value).lower()} is for cell={owner}: use null with cell={self.cell}")
        return self

    @model_validator(mode="after")
    def _dropout_has_a_place(self) -> "RecurrentConfig":
        if self.dropout and not self.dense and self.num_layers == 1:
            raise ValueError(
                f"dropout={self.dropout} has no place: it needs dense layers, such as dense=[64], or num_layers > 1"
            )
        return self

    def mask_shapes(self, B: int, T: int) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        """Where dropout acts: between recurrent layers (B, T, H), and after dense layers (B, O)."""
        return [(B, T, self.hidden_size)] * (self.num_layers - 1), [(B, O) for O in self.dense]
