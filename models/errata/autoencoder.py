"""The autoencoder's gradient as the report computed it (rows 1, 2, 3): beside `families/autoencoder/cost.py`.

Legend: N samples, I inputs, H hidden.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from duograd.models.arrays import Array
from duograd.models.errata.table import DECAY, HALF, ONE_MEAN
from duograd.models.families.autoencoder.cost import NAMES, kl, kl_slope
from duograd.models.families.autoencoder.numpy_net import AutoencoderNet


class ReportAutoencoder(AutoencoderNet):
    """An autoencoder that learns by the gradient of the report. rows: the mistakes that it makes.

    The terms are the right cost's. With row 3 there is another, `report_cost`: what the report took for its cost, where
    one KL of the mean over all units stands for the sum over units. It is what its printed losses are.
    """

    def __init__(self, rows: Collection[int], batch: int, *net: Any) -> None:
        self.mistakes = frozenset(rows)
        super().__init__(*net)

    def loss_and_grad(
        self, inputs: Array, targets: None = None, step: int = 0
    ) -> tuple[dict[str, float], dict[str, Array]]:
        """The terms of J over inputs d (N, I), and the report's gradient by parameter."""
        with self.threads.single_blas_thread():
            return self._terms_and_gradient(inputs)

    def _terms_and_gradient(self, d: Array) -> tuple[dict[str, float], dict[str, Array]]:
        W1, b1, W2, b2 = self._weights()
        lambda_, beta, rho = self.loss.lambda_, self.loss.beta, self.loss.rho
        N = len(d)

        h = self.hidden.forward(d @ W1.T, b1)  # (N, H)
        o = self.output.forward(h @ W2.T, b2)  # (N, I)
        error = o - d
        rho_hat = h.mean(axis=0)  # (H,)
        terms = self._terms(float(np.vdot(error, error)), rho_hat, N)

        if HALF in self.mistakes:
            error /= 2
        if ONE_MEAN in self.mistakes:
            rho_hat = np.full_like(rho_hat, rho_hat.mean())
            report_kl = beta * float(kl(rho, rho_hat[:1]).sum()) if beta else 0.0
            terms |= {"report_cost": terms["mse"] + terms["l2"] + report_kl}
        if DECAY in self.mistakes:
            lambda_ = lambda_ / N
        d_rho_hat = (beta * kl_slope(rho, rho_hat)).astype(self.dtype) if beta else 0

        dz2 = self.output.backward(error / N, o)
        dW2 = dz2.T @ h + lambda_ * W2
        db2 = dz2.sum(axis=0)
        dz1 = self.hidden.backward(dz2 @ W2 + d_rho_hat / N, h)
        dW1 = dz1.T @ d + lambda_ * W1
        db1 = dz1.sum(axis=0)
        return terms, dict(zip(NAMES, (dW1, db1, dW2, db2), strict=True))
