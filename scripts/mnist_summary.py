#!/usr/bin/env python3
"""Prints the figures of scripts/mnist.sh: a JSON object for each seed, then one with their mean.

usage: mnist_summary.py RECIPE BUDGET PROGRESS_DIR EVALUATION_DIR SEED...
BUDGET is the largest mean error that is asked for, or empty. Exits with 1 where it is missed.
"""
import json
import pathlib
import sys


def last_line(path: pathlib.Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8").strip().splitlines()[-1])


def main() -> int:
    recipe, budget, progress, evaluations = sys.argv[1:5]
    errors, seconds = [], []
    for seed in sys.argv[5:]:
        job = last_line(pathlib.Path(progress) / f"{recipe}-seed-{seed}.jsonl")
        evaluation = last_line(pathlib.Path(evaluations) / f"evaluation-{seed}.json")
        errors.append(1.0 - evaluation["evaluation"]["accuracy"])
        seconds.append(job["result"]["seconds"])
        print(json.dumps({
            "recipe": recipe,
            "seed": int(seed),
            "test_error": round(errors[-1], 6),
            "epochs": job["result"]["iterations"],
            "seconds": round(seconds[-1], 1),
            "training_cost": job["result"]["final_cost"],
            "build": job["result"]["build"],
        }))
    mean = {
        "recipe": recipe,
        "seeds": len(errors),
        "mean_test_error": round(sum(errors) / len(errors), 6),
        "most_seconds": round(max(seconds), 1),
    }
    ok = True
    if budget:
        ok = mean["mean_test_error"] <= float(budget)
        mean |= {"budget": float(budget), "ok": ok}
    print(json.dumps(mean))
    return 0 if ok else 1


sys.exit(main())
