"""A classifier's loss by hand, with its terms.

Legend: B batch, C classes.
"""

from collections.abc import Callable, Mapping

from numpy.typing import ArrayLike

from duograd.models.arrays import Array
from duograd.models.layers.losses import cross_entropy, l2, svm
from duograd.models.losses.class_weights import resolve_class_weights
from duograd.models.losses.config import ClassifierLossConfig, CrossEntropyConfig, decayed


class ClassifierLoss:
    """The loss of logits (B, C), and the L2 penalty of the parameters that gave them.

    class_weights (C,) are those of loss.class_weights=balanced, which come from the training labels.
    """

    def __init__(self, config: ClassifierLossConfig, classes: int, class_weights: ArrayLike | None = None) -> None:
        self.config = config
        self.class_weights = resolve_class_weights(config, classes, class_weights)

    def error(self, logits: Array, targets: Array) -> tuple[float, Callable[[], Array]]:
        """The loss itself over targets (B,), and backward() -> dlogits (B, C)."""
        if isinstance(self.config, CrossEntropyConfig):
            return cross_entropy(logits, targets, self.class_weights, self.config.label_smoothing)
        return svm(logits, targets, self.config.margin)

    def penalty(self, params: Mapping[str, Array]) -> tuple[float, dict[str, Array]]:
        """lambda/2 Σ‖W‖², and its gradient by parameter; nothing where lambda is 0."""
        if not self.config.lambda_:
            return 0.0, {}
        return l2({name: W for name, W in params.items() if decayed(name)}, self.config.lambda_)

    def terms(self, logits: Array, targets: Array, error: float, penalty: float) -> dict[str, float]:
        """What is minimised, the parts of it, and the share of right classes."""
        parts = {self.config.name: error} | ({"l2": penalty} if self.config.lambda_ else {})
        return {"loss": sum(parts.values()), **parts, "accuracy": float((logits.argmax(axis=1) == targets).mean())}
