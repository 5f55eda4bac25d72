#!/usr/bin/env python3
"""Golden values of evaluations, by scikit-learn and, where it has no such thing, by plain numpy.

Writes evaluation.json beside this script: outputs (float32, printed so that they are read back to the
bit), labels, and what they evaluate to. "sigmoid" has outputs that do not sum to 1, ties, and a class
without examples; "softmax" has outputs that do.

Run: python3 -I make_evaluation.py (Debian: python3-sklearn)
"""
import json
import os

import numpy as np
from sklearn import metrics

BINS = 15


def softmax_case(rng):
    labels = rng.integers(0, 4, 120)
    logits = rng.normal(size=(120, 4)) * 2.0
    logits[np.arange(120), labels] += 2.0
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32), labels


def sigmoid_case(rng):
    labels = rng.integers(0, 6, 100)
    labels[labels == 4] = 1  # class 4 stays without examples
    logits = rng.normal(size=(100, 6)) - 1.0
    logits[np.arange(100), labels] += 1.5
    outputs = 1.0 / (1.0 + np.exp(-logits))
    return (np.round(outputs * 64) / 64).astype(np.float32), labels


def class_values(scores, positive):
    """One-vs-rest values of one class, None where they are undefined."""
    if not positive.any():
        return {"average_precision": 0.0, "roc_auc": None, "best_f1": 0.0, "best_f1_threshold": None,
                "curve": []}
    thresholds = np.unique(scores)[::-1]
    f1 = [metrics.f1_score(positive, scores >= t) for t in thresholds]
    best = int(np.argmax(f1))
    points = [[float(t), metrics.precision_score(positive, scores >= t),
               metrics.recall_score(positive, scores >= t),
               float(np.mean((scores >= t)[~positive]))] for t in thresholds]
    return {"average_precision": metrics.average_precision_score(positive, scores),
            "roc_auc": metrics.roc_auc_score(positive, scores),
            "best_f1": f1[best], "best_f1_threshold": float(thresholds[best]),
            "curve": points}


def top_k(outputs, labels, k):
    """Of equal outputs the lower class is first, which top_k_accuracy_score has the other way round."""
    order = np.argsort(-outputs, axis=1, kind="stable")[:, :k]
    return float(np.mean((order == labels[:, None]).any(axis=1)))


def reliability(outputs, labels):
    confidence = outputs.max(axis=1).astype(np.float64)
    correct = outputs.argmax(axis=1) == labels
    bins = np.maximum(np.digitize(confidence, np.linspace(0, 1, BINS + 1), right=True) - 1, 0)
    table, error = [], 0.0
    for b in range(BINS):
        chosen = bins == b
        count = int(chosen.sum())
        mean = float(confidence[chosen].mean()) if count else 0.0
        accuracy = float(correct[chosen].mean()) if count else 0.0
        table.append([count, mean, accuracy])
        error += count / len(labels) * abs(mean - accuracy)
    return table, error


def evaluate(outputs, labels):
    classes = outputs.shape[1]
    predicted = outputs.argmax(axis=1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=range(classes), zero_division=0)
    of_classes = []
    for k in range(classes):
        of_class = class_values(outputs[:, k], labels == k)
        of_class.update(precision=precision[k], recall=recall[k], f1=f1[k], support=int(support[k]))
        of_classes.append(of_class)
    table, error = reliability(outputs, labels)
    own = outputs[np.arange(len(labels)), labels]
    worst = np.lexsort((np.arange(len(labels)), -outputs.max(axis=1), own))[:7]
    # log_loss wants rows that sum to 1 and clips before it divides; both in double.
    clipped = np.clip(outputs.astype(np.float64), 1e-15, 1 - 1e-15)
    return {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "top_k": [[k, top_k(outputs, labels, k)] for k in (2, 3, 5) if k < classes],
        "log_loss": metrics.log_loss(labels, clipped / clipped.sum(axis=1, keepdims=True),
                                     labels=range(classes), eps=1e-15),
        "macro_roc_auc": float(np.mean([c["roc_auc"] for c in of_classes if c["roc_auc"] is not None])),
        "expected_calibration_error": error,
        "reliability": table,
        "confusion": metrics.confusion_matrix(labels, predicted, labels=range(classes)).ravel().tolist(),
        "worst": [int(row) for row in worst],
        "classes": of_classes,
    }


def main():
    rng = np.random.default_rng(4)
    golden = {}
    for name, case in (("sigmoid", sigmoid_case), ("softmax", softmax_case)):
        outputs, labels = case(rng)
        golden[name] = {"classes": outputs.shape[1],
                        "outputs": [float(str(value)) for value in outputs.ravel()],
                        "labels": labels.tolist(),
                        "expected": evaluate(outputs, labels)}
    for of_class in golden["softmax"]["expected"]["classes"]:
        del of_class["curve"]  # long without ties, and of the same code
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "evaluation.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump(golden, file)
        file.write("\n")


if __name__ == "__main__":
    main()
