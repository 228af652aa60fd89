"""One pass, forward and backward, followed line by line; of a loss, which of its values belong to which."""

from collections.abc import Sequence
from typing import Any

from duograd.runner.gradcheck.layer import Layer
from duograd.runner.gradcheck.names import HOLDERS_OF_GRADIENTS, gradient_of, same_word
from duograd.runner.gradcheck.source import Source
from duograd.runner.gradcheck.trace import Recorder
from duograd.runner.gradcheck.versions import Array, Version, ingredients


def record(layer: Layer, sources: dict[str, Source], dy: Sequence[Array] | None) -> tuple[Recorder, Any]:
    """One pass, forward and backward, followed line by line. Raises ForwardError, TooLongError."""
    with Recorder(sources) as recorder:
        run = layer.start()
        recorder.phase = "backward"
        layer.finish(run, tuple(dy or ()))
    if layer.form == "loss":
        _split_phases(recorder.versions, float(run.y[0]))
    return recorder, run


def _split_phases(versions: list[Version], loss: float) -> None:
    """A loss computes its gradients in the same function: what the loss is not made of belongs to the way back.

    So do values named after a gradient, and what is made of them.
    """
    words = {v.base for v in versions}
    made = _made_of(versions, loss)
    for version in versions:
        said = gradient_of(version.base)
        named = said is not None and any(same_word(said, word) for word in words if word != version.base)
        held = version.holder in HOLDERS_OF_GRADIENTS or version.base in HOLDERS_OF_GRADIENTS
        if version.line and (named or held or (made and version.order not in made)):
            version.phase = "backward"
    changed = True
    while changed:
        changed = False
        for version in versions:
            if version.phase == "forward" and any(read.phase == "backward" for read in version.reads):
                version.phase, changed = "backward", True


def _made_of(versions: list[Version], loss: float) -> set[int]:
    """All that the last value of the loss was made of, itself too; nothing where no value is the loss."""
    last = [v for v in versions if v.value.size == 1 and float(v.value.reshape(())) == loss and v.line]
    return {version.order for version in ingredients(last[-1:])}
