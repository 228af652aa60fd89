"""A loss of your own, its gradient by hand, with a torch twin.

duograd gradcheck task=activity model=gru loss=loss.py
duograd task=activity preset=smoke loss=loss.py loss.gamma=1
duograd -m task=activity preset=smoke loss=cross_entropy,loss.py seed=1,2
"""

import numpy as np

TARGETS = "classes"  # what it compares with: class indices (B,), or "values" (B, V)


def focal(outputs, targets, gamma: float = 2.0):
    """The mean of -(1 - p)^gamma log p, p of the right class (Lin et al. 2017), and its gradient by outputs (B, C)."""
    n = np.arange(len(targets))
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    log_q = log_p[n, targets]
    q = np.exp(log_q)
    slope = gamma * (1 - q) ** (gamma - 1) * q * log_q - (1 - q) ** gamma  # by log q
    d = -slope[:, None] * np.exp(log_p)
    d[n, targets] += slope
    return -((1 - q) ** gamma * log_q).mean(), d / len(targets)


def torch_focal(outputs, targets, gamma):
    """The same in torch, its value alone. Without it, backend=numpy alone."""
    log_q = outputs.log_softmax(dim=1).gather(1, targets.long()[:, None])[:, 0]
    return -((1 - log_q.exp()) ** gamma * log_q).mean()
