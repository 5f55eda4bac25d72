#!/usr/bin/env python3
"""Golden values of a 400-25-10 network, from an implementation that shares nothing with core/.

Writes digits_network.json beside this script: costs, gradients and predictions of a network and data
that come from formulas (repeated in tests/core/train/golden_test.cc), in double, by the textbook
formulas without any of the tricks that make them fast or stable. The gradient's entries are
complex-step derivatives, Im J(Theta + i h e_j) / h (Squire and Trapp 1998): exact to rounding and not
backpropagation. Its norm and sums need all entries and are by backpropagation, which is checked here
against the complex steps first.

Run: python3 -I make_golden.py
"""
import json
import os

import numpy as np

ROWS, D, H, K = 32, 400, 25, 10
ENTRY_STRIDE = 97  # every 97th entry of the gradient is written
COMPLEX_STEP = 1e-30


def data():
    i, j = np.meshgrid(np.arange(ROWS), np.arange(D), indexing="ij")
    features = ((i * 131 + j * 71 + (i * j) % 97) % 256) / 256.0
    return features, (np.arange(ROWS) * 7 + 3) % K


def parameters():
    """W_1 [H x D], b_1, W_2 [K x H], b_2, flat; entry p is sin(p + 1) times its layer's scale."""
    first = (D + 1) * H
    size = first + (H + 1) * K
    p = np.arange(size)
    return np.sin(p + 1.0) * np.where(p < first, 0.1, 0.5)


def unpack(theta):
    cuts = np.cumsum([H * D, H, K * H])
    w1, b1, w2, b2 = np.split(theta, cuts)
    return w1.reshape(H, D), b1, w2.reshape(K, H), b2


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def forward(theta, features, cost):
    w1, b1, w2, b2 = unpack(theta)
    hidden = sigmoid(features @ w1.T + b1)
    z = hidden @ w2.T + b2
    if cost == "sigmoid":
        return hidden, sigmoid(z)
    exponentials = np.exp(z)
    return hidden, exponentials / exponentials.sum(axis=1, keepdims=True)


def total_cost(theta, features, labels, cost, lam):
    _, h = forward(theta, features, cost)
    y = np.eye(K)[labels]
    terms = y * np.log(h)
    if cost == "sigmoid":
        terms = terms + (1.0 - y) * np.log(1.0 - h)
    w1, _, w2, _ = unpack(theta)
    # Squares and not absolute squares: Theta may be complex here.
    return -terms.sum() / ROWS + lam / (2 * ROWS) * ((w1 * w1).sum() + (w2 * w2).sum())


def backpropagation(theta, features, labels, cost, lam):
    w1, _, w2, _ = unpack(theta)
    hidden, h = forward(theta, features, cost)
    delta2 = (h - np.eye(K)[labels]) / ROWS
    delta1 = (delta2 @ w2) * hidden * (1.0 - hidden)
    return np.concatenate([
        (delta1.T @ features + lam / ROWS * w1).ravel(), delta1.sum(axis=0),
        (delta2.T @ hidden + lam / ROWS * w2).ravel(), delta2.sum(axis=0)])


def complex_step(theta, j, *arguments):
    moved = theta.astype(complex)
    moved[j] += 1j * COMPLEX_STEP
    return total_cost(moved, *arguments).imag / COMPLEX_STEP


def main():
    features, labels = data()
    theta = parameters()
    entries = list(range(0, theta.size, ENTRY_STRIDE))
    golden = {"rows": ROWS, "layers": [D, H, K], "entries": entries, "predictions": {}, "cases": []}
    for cost in ("sigmoid", "softmax"):
        golden["predictions"][cost] = forward(theta, features, cost)[1].ravel().tolist()
        for lam in (0.0, 1.0):
            arguments = (features, labels, cost, lam)
            gradient = backpropagation(theta, *arguments)
            exact = np.array([complex_step(theta, j, *arguments) for j in entries])
            norm = np.linalg.norm(gradient)
            assert np.abs(gradient[entries] - exact).max() < 1e-14 * max(norm, 1.0)
            golden["cases"].append({
                "cost": cost,
                "lambda": lam,
                "J": float(total_cost(theta, *arguments)),
                "gradient": exact.tolist(),
                "gradient_norm": float(norm),
                "gradient_sum": float(gradient.sum()),
                # Tells entries that changed places.
                "gradient_weighted_sum": float((gradient * np.cos(np.arange(gradient.size))).sum()),
            })
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits_network.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
