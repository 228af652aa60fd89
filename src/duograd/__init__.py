"""duograd: every network twice, its gradient by hand in NumPy and by autograd in PyTorch."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duograd.models.chain import Chain, Layer
    from duograd.runner.gradcheck.verdict import LayerCheck


def gradcheck(layer: Any, *inputs: Any) -> "LayerCheck":
    """Whether a layer's gradients are right on these inputs; if not, the first line that is wrong, and what is.

    layer: a function that returns (y, backward); NAME_forward with NAME_backward beside it; a class or an object with
    forward and backward; or a loss that returns (scalar, gradients). The result has ok, findings, assert_right(), and
    shows itself on a terminal (rich) and in a notebook. Raises UserError where the layer is none of them.
    """
    from duograd.runner.gradcheck.findings import gradcheck as check

    return check(layer, *inputs)


def __getattr__(name: str) -> Any:
    """Chain and Layer, of which own networks are made; imported when they are asked for."""
    if name in ("Chain", "Layer"):
        from duograd.models import chain

        return getattr(chain, name)
    raise AttributeError(f"module 'duograd' has no attribute '{name}'")


__all__ = ["Chain", "Layer", "gradcheck"]
