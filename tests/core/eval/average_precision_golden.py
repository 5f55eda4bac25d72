#!/usr/bin/env python3
"""Golden average precision for evaluation_test.cc, by numpy.

The definition is scikit-learn's average_precision_score: sum over distinct thresholds, from the
highest down, of (R_n - R_(n-1)) * P_n, each P_n and R_n counted afresh from all examples.
"""

import numpy as np


def average_precision(scores, positive):
    total, previous = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        chosen = scores >= threshold
        hits = np.count_nonzero(chosen & positive)
        recall = hits / np.count_nonzero(positive)
        total += (recall - previous) * hits / np.count_nonzero(chosen)
        previous = recall
    return total


def main():
    # A made-up table without structure: row i, class k scores (37 i + 11 k^2 + 5 i k) mod 64 / 64.
    rows, classes = 60, 4
    i, k = np.meshgrid(np.arange(rows), np.arange(classes), indexing="ij")
    outputs = ((37 * i + 11 * k * k + 5 * i * k) % 64) / 64.0
    labels = (np.arange(rows) * 7 // 3) % classes
    for c in range(classes):
        print(c, repr(average_precision(outputs[:, c], labels == c)))
    predicted = outputs.argmax(axis=1)
    confusion = np.zeros((classes, classes), dtype=int)
    np.add.at(confusion, (labels, predicted), 1)
    print(confusion.tolist(), (predicted == labels).mean())


if __name__ == "__main__":
    main()
