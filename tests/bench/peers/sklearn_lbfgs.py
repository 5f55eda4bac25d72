#!/usr/bin/env python3
"""L-BFGS by scikit-learn's MLPClassifier: what fullbatch_bench holds ours against.

    sklearn_lbfgs.py ROWS LAYERS LAMBDA ITERATIONS

The protocol is peer.py's. The classifier minimizes the mean softmax cross-entropy plus
alpha / (2 n) sum(W^2) without biases, with logistic hidden units: our J for a softmax output layer, with
alpha = lambda. It begins at the weights that it is given instead of random ones, and stops after the
iterations alone.
"""
import warnings

import numpy
import sklearn
from sklearn.neural_network import MLPClassifier

import peer


class StartedClassifier(MLPClassifier):
    """An MLPClassifier that begins at given weights."""

    def fit_from(self, theta, layers, features, labels):
        self._start = iter(peer.split(theta, layers))
        self.fit(features, labels)

    def _init_coef(self, fan_in, fan_out, dtype):
        weights, biases = next(self._start)
        return weights.T.astype(dtype), biases.astype(dtype)


def main():
    problem = peer.read_problem()

    def run(dtype, iterations):
        features = problem.features.astype(dtype)
        classifier = StartedClassifier(
            hidden_layer_sizes=problem.layers[1:-1], activation="logistic", solver="lbfgs",
            alpha=problem.lambda_, max_iter=iterations, tol=0.0)

        def fit():
            classifier.fit_from(problem.theta, problem.layers, features, problem.labels)

        def result():
            layers = zip(classifier.coefs_, classifier.intercepts_)
            theta = numpy.concatenate([part.ravel() for weights, biases in layers
                                       for part in (weights.T, biases)])
            return classifier.n_iter_, theta

        return fit, result

    # It warns of every fit that the iterations end.
    warnings.simplefilter("ignore")
    peer.serve(f"scikit-learn {sklearn.__version__}", problem, run)


if __name__ == "__main__":
    main()
