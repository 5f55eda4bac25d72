#!/usr/bin/env python3
"""Golden trajectories of mini-batch optimizers, by PyTorch in double precision.

Writes mini_batch_steps.json beside this script: for each case the cost and the norm of the gradient of
each of 20 steps, and Theta after 1, 10 and 20 of them. Network and data come from formulas, repeated in
tests/core/train/step_golden_test.cc. Gradients are PyTorch's autograd, updates torch.optim's; the decay
that torch.optim.SGD has not (decoupled) is one line here, and biases are a parameter group without
penalty or decay.

Run with Debian's python3-torch: /usr/bin/python3 -I make_step_golden.py
"""
import json
import math
import os

import torch

ROWS, D, H, K = 24, 9, 7, 4
BATCH = 8
STEPS = 20
TRAINING_ROWS = 50  # m of the penalties
RATE = {"sgd": 0.2, "adam": 0.02, "adamw": 0.02}

CASES = [
    {"name": "sgd", "optimizer": "sgd"},
    {"name": "sgd_lambda", "optimizer": "sgd", "lambda": 2.0},
    {"name": "nesterov_lambda_l1", "optimizer": "sgd", "nesterov": True, "lambda": 2.0, "l1": 0.5},
    {"name": "sgd_decay", "optimizer": "sgd", "weight_decay": 0.1},
    {"name": "sgd_clipped", "optimizer": "sgd", "max_gradient_norm": 0.15, "lambda": 2.0},
    {"name": "adam", "optimizer": "adam"},
    {"name": "adam_lambda_sigmoid", "optimizer": "adam", "lambda": 2.0, "cost": "sigmoid"},
    {"name": "adamw", "optimizer": "adamw", "weight_decay": 0.1},
    {"name": "adamw_clipped_weighted", "optimizer": "adamw", "weight_decay": 0.1,
     "max_gradient_norm": 0.1, "weighted": True},
]


def data():
    features = [[((i * 131 + j * 71 + (i * j) % 97) % 256) / 128.0 - 1.0 for j in range(D)]
                for i in range(ROWS)]
    labels = [(i * 7 + 3) % K for i in range(ROWS)]
    weights = [0.5 + (i * 5 % 8) / 4.0 for i in range(ROWS)]
    return (torch.tensor(features, dtype=torch.float64), torch.tensor(labels),
            torch.tensor(weights, dtype=torch.float64))


def parameters():
    """W_1 [H x D], b_1, W_2 [K x H], b_2; entry p of them all is sin(p + 1) / 2."""
    shapes = [(H, D), (H,), (K, H), (K,)]
    result, p = [], 0
    for shape in shapes:
        count = math.prod(shape)
        values = [math.sin(p + i + 1.0) / 2.0 for i in range(count)]
        result.append(torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_())
        p += count
    return result


def make_optimizer(case, weights, biases):
    rate, m = RATE[case["optimizer"]], TRAINING_ROWS
    l2, decay = case.get("lambda", 0.0) / m, case.get("weight_decay", 0.0)
    if case["optimizer"] == "sgd":
        groups = [{"params": weights, "weight_decay": l2}, {"params": biases, "weight_decay": 0.0}]
        return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=case.get("nesterov", False))
    if case["optimizer"] == "adam":
        groups = [{"params": weights, "weight_decay": l2}, {"params": biases, "weight_decay": 0.0}]
        return torch.optim.Adam(groups, lr=rate)
    groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate)


def run(case):
    features, labels, example_weights = data()
    w1, b1, w2, b2 = theta = parameters()
    clipped = "max_gradient_norm" in case
    # torch.optim adds the L2 penalty's gradient after the clipping; ours is part of what is clipped.
    optimizer = make_optimizer(dict(case, **{"lambda": 0.0}) if clipped else case, [w1, w2], [b1, b2])
    costs, norms, thetas = [], [], {}
    for step in range(STEPS):
        rows = torch.tensor([(step * BATCH + i) % ROWS for i in range(BATCH)])
        x, y, weight = features[rows], labels[rows], example_weights[rows]
        if not case.get("weighted"):
            weight = torch.ones_like(weight)
        z = torch.tanh(x @ w1.T + b1) @ w2.T + b2
        if case.get("cost") == "sigmoid":
            target = torch.nn.functional.one_hot(y, K).double()
            each = torch.nn.functional.binary_cross_entropy_with_logits(
                z, target, reduction="none").sum(dim=1)
        else:
            each = torch.nn.functional.cross_entropy(z, y, reduction="none")
        cost = (weight * each).mean()
        l1 = case.get("l1", 0.0) / TRAINING_ROWS * (w1.abs().sum() + w2.abs().sum())
        l2 = case.get("lambda", 0.0) / (2 * TRAINING_ROWS) * ((w1 ** 2).sum() + (w2 ** 2).sum())
        # The norm is that of the whole gradient.
        gradient = torch.autograd.grad(cost + l1 + l2, theta, retain_graph=True)
        norms.append(math.sqrt(sum(float((g ** 2).sum()) for g in gradient)))
        optimizer.zero_grad()
        (cost + l1 + l2 if clipped else cost + l1).backward()
        if clipped:
            torch.nn.utils.clip_grad_norm_(theta, case["max_gradient_norm"])
        if case["optimizer"] == "sgd" and "weight_decay" in case:
            with torch.no_grad():
                for w in (w1, w2):
                    w.mul_(1.0 - RATE["sgd"] * case["weight_decay"])
        optimizer.step()
        costs.append(float(cost.detach()) * BATCH)
        if step + 1 in (1, 10, STEPS):
            thetas[str(step + 1)] = torch.cat([p.detach().reshape(-1) for p in theta]).tolist()
    return dict(case, rate=RATE[case["optimizer"]], costs=costs, norms=norms, thetas=thetas)


def main():
    golden = {"rows": ROWS, "layers": [D, H, K], "batch": BATCH, "training_rows": TRAINING_ROWS,
              "torch": torch.__version__, "cases": [run(case) for case in CASES]}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mini_batch_steps.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
