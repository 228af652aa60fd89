"""A classifier's loss in torch: the twin of `numpy_losses`.

Legend: B batch, C classes.
"""

from collections.abc import Iterable

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import cross_entropy, multi_margin_loss

from duograd.models.losses.class_weights import resolve_class_weights
from duograd.models.losses.config import ClassifierLossConfig, CrossEntropyConfig, decayed


class TorchClassifierLoss:
    """The loss of logits (B, C), and the L2 penalty of the parameters that gave them. It has no state of its own."""

    def __init__(self, config: ClassifierLossConfig, classes: int, class_weights: ArrayLike | None = None) -> None:
        self.config = config
        resolved = resolve_class_weights(config, classes, class_weights)
        self.class_weights = None if resolved is None else torch.tensor(resolved)

    def error(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss itself over targets (B,)."""
        c = self.config
        if isinstance(c, CrossEntropyConfig):
            weights = None if self.class_weights is None else self.class_weights.to(logits)
            return cross_entropy(logits, targets.long(), weights, label_smoothing=c.label_smoothing)
        return multi_margin_loss(logits, targets.long(), margin=c.margin) * logits.shape[1]  # torch divides by C

    def terms(self, logits: Tensor, targets: Tensor, params: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
        """What is minimised, the parts of it, and the share of right classes."""
        logits = logits.float() if logits.dtype is torch.bfloat16 else logits  # half precision could not count
        parts: dict[str, Tensor] = {self.config.name: self.error(logits, targets)}
        if self.config.lambda_:
            penalty = torch.stack([(W**2).sum() for name, W in params if decayed(name)]).sum()
            parts["l2"] = self.config.lambda_ / 2 * penalty
        accuracy = (logits.argmax(dim=1) == targets).to(logits.dtype).mean()
        return {"loss": torch.stack(list(parts.values())).sum(), **parts, "accuracy": accuracy}
