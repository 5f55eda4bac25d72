#!/usr/bin/env python3
"""Prints the figures of the demo's training job as one JSON object.

usage: demo_summary.py JOBS_FILE GRPC_ADDRESS METRICS_ADDRESS
JOBS_FILE is what `mlpctl --output json jobs list` printed: one job a line, newest first.
"""
import json
import sys


def main() -> None:
    jobs_file, grpc_address, metrics_address = sys.argv[1:]
    with open(jobs_file, encoding="utf-8") as lines:
        job = json.loads(next(lines))
    result = job["result"]
    accuracy = {e["part"]: e["accuracy"] for e in result["evaluations"]}
    summary = {
        "model": job["model"],
        "version": result["version"],
        "parameters": result["parameters"],
        "iterations": result["iterations"],
        "initial_cost": result["initial_cost"],
        "final_cost": result["final_cost"],
        "train_accuracy": accuracy["DATASET_PART_TRAINING"],
        "test_accuracy": accuracy["DATASET_PART_TEST"],
        "seconds_training": result["seconds"],
        "grpc_address": grpc_address,
        "metrics_address": metrics_address,
    }
    print(json.dumps(summary, indent=2))


main()
