"""Cost functions in the styles of courses: regularisation, loops per sample, gradients by other names."""

import numpy as np


def logistic_cost(theta, X, y, lam=0.3):
    """theta (D,), X (N, D), y (N,) labels"""
    y = (y > 0).astype(float)
    m = len(y)
    h = 1 / (1 + np.exp(-X.dot(theta)))
    J = -(y * np.log(h) + (1 - y) * np.log(1 - h)).mean() + lam / (2 * m) * (theta[1:] ** 2).sum()
    grad = X.T.dot(h - y) / m
    grad[1:] += lam / m * theta[1:]
    return J, grad


def svm_naive_loss(W, X, y, reg=0.2):
    """W (D, C), X (N, D), y (N,) labels"""
    dW = np.zeros(W.shape)
    num_train, num_classes = X.shape[0], W.shape[1]
    loss = 0.0
    for i in range(num_train):
        scores = X[i].dot(W)
        correct = scores[y[i]]
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - correct + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss /= num_train
    dW /= num_train
    loss += reg * np.sum(W * W)
    dW += 2 * reg * W
    return loss, dW


def skipgram_loss(centerVec, outsideIdx, outsideVectors):
    scores = outsideVectors @ centerVec
    e = np.exp(scores - scores.max())
    y_hat = e / e.sum()
    loss = -np.log(y_hat[outsideIdx])
    delta = y_hat.copy()
    delta[outsideIdx] -= 1
    gradCenterVec = outsideVectors.T @ delta
    gradOutsideVecs = np.outer(delta, centerVec)
    return loss, gradCenterVec, gradOutsideVecs


def example_skipgram_loss():
    rng = np.random.default_rng(0)
    return rng.standard_normal(4), 2, rng.standard_normal((6, 4))


def bag_of_words(emb, idx, W, target):
    """Mean of word vectors, then a squared error."""
    bag = emb[idx].mean(axis=1)
    out = bag @ W
    loss = 0.5 * np.sum((out - target) ** 2) / len(idx)
    dout = (out - target) / len(idx)
    dW = bag.T @ dout
    dbag = dout @ W.T
    demb = np.zeros_like(emb)
    np.add.at(demb, idx, dbag[:, None, :] / idx.shape[1])
    return loss, {"emb": demb, "W": dW}


def example_bag_of_words():
    rng = np.random.default_rng(0)
    idx = np.array([[0, 1, 1], [2, 0, 4], [3, 3, 1], [4, 4, 4]])
    return rng.standard_normal((6, 4)), idx, rng.standard_normal((4, 2)), rng.standard_normal((4, 2))


def nn_cost(Theta1, Theta2, X, Y, lam=0.5):
    """Theta1 (H, D), Theta2 (C, H), X (N, D), Y (N, C)"""
    m = X.shape[0]
    a2 = 1 / (1 + np.exp(-(X @ Theta1.T)))
    a3 = a2 @ Theta2.T
    J = ((a3 - Y) ** 2).sum() / (2 * m) + lam / (2 * m) * ((Theta1**2).sum() + (Theta2**2).sum())
    Theta1_grad = np.zeros_like(Theta1)
    Theta2_grad = np.zeros_like(Theta2)
    for t in range(m):
        delta3 = a3[t] - Y[t]
        delta2 = Theta2.T @ delta3 * a2[t] * (1 - a2[t])
        Theta2_grad += np.outer(delta3, a2[t])
        Theta1_grad += np.outer(delta2, X[t])
    Theta1_grad = Theta1_grad / m + lam / m * Theta1
    Theta2_grad = Theta2_grad / m + lam / m * Theta2
    return J, (Theta1_grad, Theta2_grad)


def huber(pred, target, delta=0.8):
    """pred (N, D), target (N, D)"""
    r = pred - target
    small = np.abs(r) <= delta
    loss = np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)).mean()
    dpred = np.where(small, r, delta * np.sign(r)) / r.size
    return loss, dpred
