"""The sparse autoencoder's cost and its gradient, derived by hand, one line per equation.

This is the clear version: the assignment's own interface, and the oracle that proves the fast `numpy_net`.

J = 1/(2N) Σ‖d − o‖² + lambda/2 (‖W1‖² + ‖W2‖²) + beta Σ_b KL(rho | rho_hat_b),   rho_hat_b = 1/N Σ_n h_nb

Legend: N samples, I inputs (L_in), H hidden (L_hid). Weights are (outputs, inputs), as torch keeps them.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from duograd.models.arrays import Array
from duograd.models.layers.activations import ACTIVATIONS, Activation

Weights = dict[str, Array]
NAMES = ("encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias")
SIGMOID = ACTIVATIONS["sigmoid"]


class Sparsity(NamedTuple):
    """The weights of the cost's terms: lambda (L2), beta and rho (target mean activation)."""

    lambda_: float
    beta: float
    rho: float


def kl(rho: float, rho_hat: Array) -> Array:
    """KL(rho | rho_hat) of two Bernoulli variables, per hidden unit (H,); infinite where a unit is always 0 or 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return rho * np.log(rho / rho_hat) + (1 - rho) * np.log((1 - rho) / (1 - rho_hat))


def kl_slope(rho: float, rho_hat: Array) -> Array:
    """∂KL/∂rho_hat, per hidden unit (H,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (1 - rho) / (1 - rho_hat) - rho / rho_hat


def cost_and_grad(
    weights: Mapping[str, Array],
    data: Array,
    sparsity: Sparsity,
    hidden: Activation = SIGMOID,
    output: Activation = SIGMOID,
) -> tuple[dict[str, float], Weights]:
    """The terms of J and the gradient of their sum. data d (N, I); weights by torch's names; gradients likewise."""
    W1, b1, W2, b2 = (weights[name] for name in NAMES)
    lambda_, beta, rho = sparsity
    N = len(data)

    h = hidden.forward(data @ W1.T, b1)  # (N, H)
    o = output.forward(h @ W2.T, b2)  # (N, I)
    error = o - data
    mse = (error * error).sum() / (2 * N)
    l2 = lambda_ / 2 * ((W1 * W1).sum() + (W2 * W2).sum())
    sparsity_cost, d_rho_hat = 0.0, np.zeros_like(b1)
    if beta:
        rho_hat = h.mean(axis=0)
        sparsity_cost = beta * kl(rho, rho_hat).sum()
        d_rho_hat = beta * kl_slope(rho, rho_hat)

    dz2 = output.backward(error / N, o)
    dW2 = dz2.T @ h + lambda_ * W2
    db2 = dz2.sum(axis=0)
    dz1 = hidden.backward(dz2 @ W2 + d_rho_hat / N, h)
    dW1 = dz1.T @ data + lambda_ * W1
    db1 = dz1.sum(axis=0)
    terms = {"mse": float(mse), "l2": float(l2), "kl": float(sparsity_cost)}
    return {"loss": sum(terms.values()), **terms}, dict(zip(NAMES, (dW1, db1, dW2, db2), strict=True))


def ae_cost(
    W_e: Mapping[str, Array] | Array, data: Array, params: Mapping[str, float]
) -> tuple[float, Weights | Array]:
    """J and J_grad in the assignment's form, for a notebook or any solver.

    W_e: the weights, as a dict by torch's names (encoder.weight (H, I), encoder.bias (H,), decoder.weight (I, H),
    decoder.bias (I,)) or one flat vector in that order; J_grad comes in the same form.
    data: (N, L_in). params: L_in, L_hid, lambda, beta, rho.
    Raises ValueError where shapes do not fit L_in and L_hid, KeyError where a parameter is missing.

    >>> scipy.optimize.minimize(ae_cost, w0, args=(data, params), jac=True, method="L-BFGS-B")
    """
    L_in, L_hid = int(params["L_in"]), int(params["L_hid"])
    sparsity = Sparsity(params["lambda"], params["beta"], params["rho"])
    if data.ndim != 2 or data.shape[1] != L_in:
        raise ValueError(f"data has shape {data.shape}: expected (N, {L_in}), since L_in = {L_in}")
    if isinstance(W_e, Mapping):
        _check_shapes(W_e, L_in, L_hid)
        terms, grads = cost_and_grad(W_e, data, sparsity)
        return terms["loss"], grads
    terms, grads = cost_and_grad(unflatten(np.asarray(W_e), L_in, L_hid), data, sparsity)
    return terms["loss"], flatten(grads)


def shapes(L_in: int, L_hid: int) -> dict[str, tuple[int, ...]]:
    """The shape of every weight, in order."""
    return dict(zip(NAMES, ((L_hid, L_in), (L_hid,), (L_in, L_hid), (L_in,)), strict=True))


def flatten(weights: Mapping[str, Array]) -> Array:
    """One vector from the dict of weights."""
    return np.concatenate([weights[name].ravel() for name in NAMES])


def unflatten(vector: Array, L_in: int, L_hid: int) -> Weights:
    """The dict of weights, as views into one vector."""
    sizes = {name: int(np.prod(shape)) for name, shape in shapes(L_in, L_hid).items()}
    if vector.shape != (total := sum(sizes.values()),):
        raise ValueError(f"W_e has shape {vector.shape}: expected ({total},) for L_in = {L_in}, L_hid = {L_hid}")
    ends = np.cumsum(list(sizes.values()))
    parts = np.split(vector, ends[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes(L_in, L_hid).items(), parts, strict=True)}


def _check_shapes(weights: Mapping[str, Array], L_in: int, L_hid: int) -> None:
    for name, shape in shapes(L_in, L_hid).items():
        if weights[name].shape != shape:
            raise ValueError(
                f"{name} has shape {weights[name].shape}: expected {shape} for L_in = {L_in}, L_hid = {L_hid}"
            )
