"""The report's training written straight from its description, in plain loops: what gradient=report is held against.

It shares nothing with duograd but the names of parameters. Rows are those of the report's list of errors.

Legend: B batch, T time, H hidden.
"""

import numpy as np

RNN, LSTM, GRU = "rnn", "lstm", "gru"


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# -- the autoencoder ------------------------------------------------------------------------------------------------


def autoencoder(p, data, rows, penalty, beta, rho):
    """The exact loss, what the report took for it, and its gradient: sample by sample, unit by unit."""
    W1, b1, W2, b2 = (p[f"{layer}.{key}"] for layer in ("encoder", "decoder") for key in ("weight", "bias"))
    N, H = len(data), len(b1)
    hidden = np.array([sigmoid(W1 @ d + b1) for d in data])
    output = np.array([sigmoid(W2 @ h + b2) for h in hidden])
    means = [sum(hidden[n, k] for n in range(N)) / N for k in range(H)]
    mse = sum(((o - d) ** 2).sum() for o, d in zip(output, data, strict=True)) / (2 * N)
    l2 = penalty / 2 * (W1**2).sum() + penalty / 2 * (W2**2).sum()
    loss = mse + l2 + beta * sum(divergence(rho, mean) for mean in means)
    one = sum(means) / H
    report_cost = mse + l2 + beta * divergence(rho, one)

    grads = [np.zeros_like(w) for w in (W1, b1, W2, b2)]
    for d, h, o in zip(data, hidden, output, strict=True):
        delta2 = (0.5 if 1 in rows else 1) * (o - d) * o * (1 - o)
        sparse = [beta * slope(rho, one if 3 in rows else mean) for mean in means]
        delta1 = (W2.T @ delta2 + sparse) * h * (1 - h)
        for grad, share in zip(grads, (np.outer(delta1, d), delta1, np.outer(delta2, h), delta2), strict=True):
            grad += share / N
    for grad, w in ((grads[0], W1), (grads[2], W2)):
        grad += penalty * w / (N if 2 in rows else 1)
    return loss, report_cost, dict(zip(p, grads, strict=True))


def divergence(rho, mean):
    return rho * np.log(rho / mean) + (1 - rho) * np.log((1 - rho) / (1 - mean))


def slope(rho, mean):
    return -rho / mean + (1 - rho) / (1 - mean)


# -- recurrent classifiers ------------------------------------------------------------------------------------------


def rnn_step(x, state, W, U, b):
    [h] = state
    new = np.tanh(x @ W.T + h @ U.T + b)

    def back(d_state):
        dz = d_state[0] * (1 - new**2)
        return (dz @ U,), [dz.T @ x, dz.T @ h, dz.sum(axis=0)]

    return (new,), back


def lstm_step(x, state, W, U, b):
    h, c = state
    z_i, z_f, z_g, z_o = np.split(x @ W.T + h @ U.T + b, 4, axis=1)
    i, f, g, o = sigmoid(z_i), sigmoid(z_f), np.tanh(z_g), sigmoid(z_o)
    new_c = f * c + i * g
    new_h = o * np.tanh(new_c)

    def back(d_state):
        dh, dc = d_state
        dc = dc + dh * o * (1 - np.tanh(new_c) ** 2)
        gates = [dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh * np.tanh(new_c) * o * (1 - o)]
        dz = np.concatenate(gates, axis=1)
        return (dz @ U, dc * f), [dz.T @ x, dz.T @ h, dz.sum(axis=0)]

    return (new_h, new_c), back


def gru_step(x, state, W, U, b):
    [h] = state
    H = h.shape[1]
    r, z = np.split(sigmoid(x @ W[: 2 * H].T + h @ U[: 2 * H].T + b[: 2 * H]), 2, axis=1)
    n = np.tanh(x @ W[2 * H :].T + (r * h) @ U[2 * H :].T + b[2 * H :])
    new = z * h + (1 - z) * n

    def back(d_state):
        [d] = d_state
        dn = d * (1 - z) * (1 - n**2)
        dr = (dn @ U[2 * H :]) * h * r * (1 - r)
        dz = d * (h - n) * z * (1 - z)
        d_before = d * z + (dn @ U[2 * H :]) * r + dr @ U[:H] + dz @ U[H : 2 * H]
        dU = np.concatenate([dr.T @ h, dz.T @ h, dn.T @ (r * h)])
        all_gates = np.concatenate([dr, dz, dn], axis=1)
        return (d_before,), [all_gates.T @ x, dU, all_gates.sum(axis=0)]

    return (new,), back


STEPS = {RNN: rnn_step, LSTM: lstm_step, GRU: gru_step}


def errors(scores, y):
    """Softmax minus one-hot: not divided by the batch."""
    q = np.exp(scores - scores.max(axis=1, keepdims=True))
    q /= q.sum(axis=1, keepdims=True)
    loss = -np.mean([np.log(row[k]) for row, k in zip(q, y, strict=True)])
    return loss, q - np.eye(scores.shape[1])[y]


def dense(h, layers, rows):
    """Scores, and what goes back: from the scores' error to the error of h and the layers' gradients."""
    inputs, zs, a = [], [], h
    for W, b in layers[:-1]:
        inputs.append(a)
        zs.append(a @ W.T + b)
        a = np.where(zs[-1] > 0, zs[-1], 0)
    inputs.append(a)

    def back(d):
        grads = []
        for k in range(len(layers) - 1, -1, -1):
            last = k == len(layers) - 1
            features = zs[-1] if last and zs and 17 in rows else inputs[k]
            grads = [d.T @ features, d.sum(axis=0), *grads]
            d = d @ layers[k][0]
            if k:
                z = zs[k - 1]
                d = d * (np.where(z <= 0, 0, np.where(z > 1, 1, z)) if 15 in rows else (z > 0))
        return d, grads

    return a @ layers[-1][0].T + layers[-1][1], back


def recurrent(cell, p, x, y, rows, start):
    """The last step's loss, the gradient (a sum over the batch with row 8, else its mean), the final state."""
    W, U, b = (p[f"recurrent.{key}_l0"] for key in ("weight_ih", "weight_hh", "bias_ih"))
    names = [name for name in p if not name.startswith("recurrent")]
    layers = [(p[w], p[b]) for w, b in zip(names[::2], names[1::2], strict=True)]
    state, outputs, backs = start, [], []
    for t in range(x.shape[1]):
        state, back = STEPS[cell](x[:, t], state, W, U, b)
        outputs.append(state[0])
        backs.append(back)

    scores, head_back = dense(state[0], layers, rows)
    loss, dy = errors(scores, y)
    dh_last, dense_grads = head_back(dy)
    if 7 in rows:
        dense_grads = [np.zeros_like(g) for g in dense_grads]
    grads = [np.zeros_like(w) for w in (W, U, b)]
    d_state = tuple(np.zeros_like(part) for part in state)
    for t in reversed(range(1 if 6 in rows else 0, x.shape[1])):
        if 7 in rows:
            step_scores, step_back = dense(outputs[t], layers, rows)
            d_step, of_step = step_back(errors(step_scores, y)[1] if len(layers) == 3 else dy)
            dense_grads = [g + share for g, share in zip(dense_grads, of_step, strict=True)]
        elif 5 in rows or t == x.shape[1] - 1:
            d_step = dh_last
        else:
            d_step = 0
        d_state, of_cell = backs[t]((d_state[0] + d_step, *d_state[1:]))
        grads = [g + share for g, share in zip(grads, of_cell, strict=True)]
    found = dict(zip(["recurrent.weight_ih_l0", "recurrent.weight_hh_l0", "recurrent.bias_ih_l0"], grads, strict=True))
    found |= dict(zip(names, dense_grads, strict=True))
    return loss, {name: g / (1 if 8 in rows else len(y)) for name, g in found.items()}, state


# -- optimizers -----------------------------------------------------------------------------------------------------


class Sgd:
    def __init__(self, rate, rows, momentum=0.0):
        self.rate, self.rows, self.momentum, self.v = rate, rows, momentum, {}

    def update(self, p, grads):
        for name, g in grads.items():
            before = (-1 if 9 in self.rows else 1) * self.momentum * self.v.get(name, 0.0)
            self.v[name] = before - self.rate * g
            p[name] += self.v[name]


class Adam:
    def __init__(self, rate, rows, beta1=0.9, beta2=0.999, eps=1e-8):
        self.rate, self.rows, self.betas, self.eps = rate, rows, (beta1, beta2), eps
        self.m, self.s, self.t = {}, {}, 0

    def update(self, p, grads):
        beta1, beta2 = self.betas
        self.t += 0 if 18 in self.rows else 1
        for name, g in grads.items():
            self.t += 1 if 18 in self.rows else 0
            self.m[name] = beta1 * self.m.get(name, 0.0) + (1 - beta1) * g
            self.s[name] = beta2 * self.s.get(name, 0.0) + (1 - beta2) * g**2
            m, s = self.m[name] / (1 - beta1**self.t), self.s[name] / (1 - beta2**self.t)
            p[name] -= self.rate * m / (np.sqrt(s) + self.eps)


class RmsProp:
    def __init__(self, rate, rows, decay=0.9, eps=1e-6):
        self.rate, self.decay, self.eps, self.s = rate, decay, eps, {}

    def update(self, p, grads):
        for name, g in grads.items():
            self.s[name] = self.decay * self.s.get(name, 0.0) + (1 - self.decay) * g**2
            p[name] -= self.rate * g / (np.sqrt(self.s[name]) + self.eps)


def clipped(grads, bound):
    return {name: np.minimum(np.maximum(g, -bound), bound) for name, g in grads.items()}
