"""The report's mistakes: what each does, and which runs have it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from duograd.models.optimizer import FirstOrderConfig

EXACT, REPORT, ROW = "exact", "report", "row_"
Gradient = str | list[str]
"""`exact`, `report`, `row_5`, or a list of rows."""
NETS = {
    "autoencoder": "duograd.models.errata.autoencoder:ReportAutoencoder",
    "recurrent": "duograd.models.errata.recurrent:ReportRecurrent",
}
"""By family, the network with the report's gradient: net(rows, batch size, and what the family's own is made of)."""
# The rows by what they do.
HALF, DECAY, ONE_MEAN, SWAPPED = 1, 2, 3, 16
EVERY_STEP, NOT_THE_FIRST, MANY, CARRIED, SLOPE, BEFORE_RELU = 5, 6, 7, 10, 15, 17
SUM, SIGN, COUNTER = 8, 9, 18


@dataclass(frozen=True)
class Row:
    """A mistake. does: in a line. of: the choices that have it; has(model, optimizer): whether a run does."""

    does: str
    of: str
    has: Callable[[Any, Any], bool]


def _autoencoder(model: Any, _: Any) -> bool:
    return bool(model.family == "autoencoder")


def _recurrent(model: Any, _: Any) -> bool:
    """One recurrent layer, whose error goes back to the first step, without dropout: the report's."""
    plain = model.family == "recurrent" and model.num_layers == 1
    return bool(plain and not model.dropout and model.truncate is None)


def _cell(*cells: str, dense: Sequence[int] = range(1000)) -> Callable[[Any, Any], bool]:
    """dense: how many dense layers there may be."""
    return lambda model, _: _recurrent(model, _) and model.cell in cells and len(model.dense) in dense


def _flipped(model: Any, optimizer: Any) -> bool:
    momentum = getattr(optimizer, "momentum", 0) and not optimizer.nesterov
    return bool(momentum) and _recurrent(model, optimizer) and (model.cell != "rnn" or bool(model.dense))


def _counted(model: Any, optimizer: Any) -> bool:
    return getattr(optimizer, "bias_correction", False) and _recurrent(model, optimizer)


ROWS = {
    HALF: Row("half of the error's gradient, ½(o − d)", "model=autoencoder", _autoencoder),
    DECAY: Row("the penalty's gradient divided by the number of samples, λW/N", "model=autoencoder", _autoencoder),
    ONE_MEAN: Row("one mean activation for all hidden units in the KL term", "model=autoencoder", _autoencoder),
    EVERY_STEP: Row("the last step's error enters at every time step", "recurrent models", _recurrent),
    NOT_THE_FIRST: Row("the way back ends at t = 1: x_0 has no gradient", "recurrent models", _recurrent),
    MANY: Row(
        "every time step goes through the dense layers: with its own error (2 of them), with the last one's (4)",
        "model=rnn_dense2 and rnn_dense4",
        _cell("rnn", dense=(2, 4)),
    ),
    SUM: Row("the gradient is summed over the batch, rates and bounds to match", "recurrent models", _recurrent),
    SIGN: Row("the momentum term has the wrong sign", "optimizer=momentum of recurrent models but model=rnn", _flipped),
    CARRIED: Row("a batch begins with the last one's final state", "LSTMs and GRUs", _cell("lstm", "gru")),
    SLOPE: Row(
        "ReLU's slope is its input, held between 0 and 1",
        "model=rnn_dense1, rnn_dense2, rnn_dense4",
        _cell("rnn", dense=range(1, 1000)),
    ),
    SWAPPED: Row("images inverted and transposed: minimum and maximum swapped", "model=autoencoder", _autoencoder),
    BEFORE_RELU: Row(
        "the output layer's gradient takes what came before the ReLU",
        "model=lstm_dense1",
        _cell("lstm", dense=range(1, 1000)),
    ),
    COUNTER: Row("Adam counts every parameter array as a step", "optimizer=adam of recurrent models", _counted),
}


def rows_of(gradient: Gradient, model: Any, optimizer: Any) -> frozenset[int]:
    """The rows that a run is to have; none where its gradient is exact.

    Raises ValueError, in one line that lists what there is, where there is no such row, or the run cannot have it.
    """
    if gradient == EXACT:
        return frozenset()
    typed = f"gradient={gradient if isinstance(gradient, str) else '[' + ','.join(gradient) + ']'}"
    there = [number for number, row in ROWS.items() if row.has(model, optimizer)]
    if not isinstance(optimizer, FirstOrderConfig):
        raise ValueError(f"{typed} does not go with optimizer={optimizer.name}: use one that takes steps, such as sgd")
    if not there:
        raise ValueError(f"{typed} does not go with model={model.name}: {_nothing(model)}; use gradient={EXACT}")
    if gradient == REPORT:
        return frozenset(there)
    names = {f"{ROW}{number}": number for number in ROWS}
    asked = [gradient] if isinstance(gradient, str) else gradient
    for name in asked or [""]:
        if name not in names:
            known = "; ".join(f"{ROW}{number} ({ROWS[number].does})" for number in there)
            raise ValueError(f"{typed}: expected {EXACT}, {REPORT} (all of model={model.name}'s), or of these: {known}")
        if names[name] not in there:
            others = ", ".join(f"{ROW}{number}" for number in there)
            which = f"model={model.name} optimizer={optimizer.name}"
            raise ValueError(f"{typed}: {name} is of {ROWS[names[name]].of}; {which} has {others}")
    return frozenset(names[name] for name in asked)


def names_of(model: Any, optimizer: Any) -> list[str]:
    """The gradients that a run can have, as they are typed."""
    rows = [f"{ROW}{number}" for number, row in sorted(ROWS.items()) if row.has(model, optimizer)]
    return [EXACT, REPORT, *rows] if rows else [EXACT]


def listed(rows: Iterable[int]) -> str:
    """`rows 5, 6 and 8`, `row 5`."""
    *others, last = map(str, sorted(rows))
    return f"rows {', '.join(others)} and {last}" if others else f"row {last}"


def _nothing(model: Any) -> str:
    if model.family == "recurrent":
        return "the report has one recurrent layer without dropout, whose error goes back through all steps"
    return "the report's mistakes are of model=autoencoder, rnn, lstm, gru and of those with dense layers"


def in_order(gradient: Gradient) -> Gradient:
    """The same by one name: a list of one row is that row, and rows stand in order."""
    if isinstance(gradient, str):
        return gradient
    once = sorted(set(gradient), key=lambda name: (len(name), name))
    return once[0] if len(once) == 1 else once
