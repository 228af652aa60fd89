"""Losses by hand: softmax cross-entropy with class weights and smoothed labels, and the L2 penalty.

Legend: B batch, C classes.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from duograd.models.arrays import Array, check_classes, check_floating, check_vectors


def log_softmax(logits: Array) -> Array:
    """log p, p_c = exp(logit_c) / Σ exp(logit). The greatest logit is taken off first, so that no exp overflows."""
    with np.errstate(over="ignore", invalid="ignore"):  # a difference may reach -∞, whose exp is 0
        shifted = logits - logits.max(axis=1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def cross_entropy(
    logits: Array, targets: Array, class_weights: Array | None = None, label_smoothing: float = 0.0
) -> tuple[float, Callable[[], Array]]:
    """The mean of -log p of the target class, backward() -> dlogits. logits (B, C), targets (B,) in [0, C).

    L = - Σ_n Σ_c a_nc log p_nc,   a_nc = ((1 - s) w_c [c = y_n] + s w_c / C) / Σ_n w_{y_n},

    with class weights w (C,), all one where None, and label smoothing s: what torch's cross_entropy computes. The
    weighted mean divides by the weights that the batch's targets have, not by B; of nothing it is NaN. A class that
    does not count adds 0, even if it is impossible (a logit of -∞). Raises ValueError: targets that are no classes,
    weights that are not one a class, logits of integers.
    """
    check_floating("logits", logits)
    check_classes(targets, len(logits), C := logits.shape[1])
    check_vectors(C, "class", class_weights=class_weights)
    log_p = log_softmax(logits)
    a = _shares(targets, class_weights, label_smoothing, C).astype(logits.dtype)

    def backward() -> Array:
        dlogits: Array = np.exp(log_p) * a.sum(axis=1, keepdims=True) - a
        return dlogits

    return -float(np.vdot(a, np.where(a == 0, 0, log_p))) if len(a) else math.nan, backward


def _shares(targets: Array, class_weights: Array | None, label_smoothing: float, C: int) -> Array:
    """a (B, C): how much each class of each sample counts."""
    w = np.ones(C) if class_weights is None else class_weights
    shares: Array = w * ((1 - label_smoothing) * np.eye(C)[targets] + label_smoothing / C)
    with np.errstate(invalid="ignore"):  # NaN where no target has a weight, as in torch
        shares /= w[targets].sum()
    return shares


def svm(logits: Array, targets: Array, margin: float = 1.0) -> tuple[float, Callable[[], Array]]:
    """The multi-class hinge loss, backward() -> dlogits. logits (B, C), targets (B,) in [0, C).

    L = 1/B Σ_n Σ_{c ≠ y_n} max(0, s_nc - s_{n y_n} + margin)   (Weston and Watkins 1999).

    torch's multi_margin_loss divides by C besides. The slope where a margin is met exactly is 0 here and there.
    Raises ValueError: targets that are no classes, logits of integers.
    """
    check_floating("logits", logits)
    check_classes(targets, *logits.shape)
    rows = np.arange(len(logits))
    with np.errstate(over="ignore", invalid="ignore"):
        shortfall = np.maximum(logits - logits[rows, targets][:, None] + margin, 0)
    shortfall[rows, targets] = 0

    def backward() -> Array:
        dlogits = (shortfall > 0).astype(logits.dtype)
        dlogits[rows, targets] = -dlogits.sum(axis=1)
        return np.asarray(dlogits / logits.dtype.type(len(logits)))

    return float(shortfall.sum()) / max(1, len(logits)), backward


def l2(weights: Mapping[str, Array], lambda_: float) -> tuple[float, dict[str, Array]]:
    """lambda/2 Σ‖W‖² over the given weights, and its gradient lambda W by name."""
    cost = lambda_ / 2 * sum(float(np.vdot(W, W)) for W in weights.values())
    return cost, {name: lambda_ * W for name, W in weights.items()}
