#!/usr/bin/env python3
"""Nonlinear conjugate gradient by SciPy: what fullbatch_bench holds ours against.

    scipy_cg.py ROWS LAYERS LAMBDA ITERATIONS

The protocol is peer.py's. J and its gradient are written with NumPy as one would for speed: all rows in
one BLAS product a layer, activations in place, no array that is not needed.
"""
import numpy
import scipy
from scipy.optimize import minimize
from scipy.special import expit

import peer


def objective(problem, dtype):
    """Returns J and its gradient as a function of Theta: mean softmax cross-entropy plus
    lambda / (2 n) sum(W^2) without biases, hidden units logistic."""
    features = problem.features.astype(dtype)
    labels = problem.labels
    count = len(labels)
    rows = numpy.arange(count)

    def evaluate(theta):
        layers = peer.split(theta.astype(dtype), problem.layers)
        activations = [features]
        for weights, biases in layers:
            values = activations[-1] @ weights.T
            values += biases
            activations.append(values)
            if len(activations) <= len(layers):
                expit(values, out=values)
        delta = activations.pop()
        delta -= delta.max(axis=1, keepdims=True)
        cost = -delta[rows, labels].sum(dtype=numpy.float64)
        numpy.exp(delta, out=delta)
        sums = delta.sum(axis=1, keepdims=True)
        cost += numpy.log(sums).sum(dtype=numpy.float64)
        cost += 0.5 * problem.lambda_ * sum(float(numpy.vdot(w, w)) for w, _ in layers)

        delta /= sums
        delta[rows, labels] -= 1
        delta /= count
        gradient = numpy.empty(theta.size)
        parts = peer.split(gradient, problem.layers)
        scale = problem.lambda_ / count
        for level in reversed(range(len(layers))):
            below = activations[level]
            weights, _ = layers[level]
            parts[level][0][...] = delta.T @ below
            parts[level][0][...] += scale * weights
            parts[level][1][...] = delta.sum(axis=0)
            if level > 0:
                delta = delta @ weights
                delta *= below
                numpy.subtract(1, below, out=below)
                delta *= below
        return cost / count, gradient

    return evaluate


def main():
    problem = peer.read_problem()

    def run(dtype, iterations):
        evaluate = objective(problem, dtype)
        found = {}

        def fit():
            found["result"] = minimize(evaluate, problem.theta, jac=True, method="CG",
                                       options={"maxiter": iterations, "gtol": 0.0})

        return fit, lambda: (found["result"].nit, found["result"].x)

    peer.serve(f"SciPy {scipy.__version__}", problem, run)


if __name__ == "__main__":
    main()
