"""What the full-batch peers of fullbatch_bench have in common: the problem, and how they are asked.

A peer reads from standard input, native byte order: features [ROWS x D] float32, labels [ROWS] int32,
Theta to begin at [size] float64 (of each layer W [out x in], then b [out]). It tries one and all threads,
in float32 and in float64, keeps to the fastest, and prints a line that says which. Every further line of
its input is answered with a line, "SECONDS ITERATIONS", and the Theta it ended at [size] float64.
"""
import sys
import time
from dataclasses import dataclass

import numpy
from threadpoolctl import threadpool_info, threadpool_limits

TRIAL_ITERATIONS = 20


@dataclass
class Problem:
    features: numpy.ndarray
    labels: numpy.ndarray
    theta: numpy.ndarray
    layers: list
    lambda_: float
    iterations: int


def read(count, dtype):
    return numpy.frombuffer(sys.stdin.buffer.read(count * numpy.dtype(dtype).itemsize), dtype)


def read_problem():
    rows, layers, lambda_, iterations = sys.argv[1:5]
    layers = [int(units) for units in layers.split("-")]
    size = sum((inputs + 1) * outputs for inputs, outputs in zip(layers, layers[1:]))
    features = read(int(rows) * layers[0], numpy.float32).reshape(int(rows), layers[0])
    return Problem(features, read(int(rows), numpy.int32), read(size, numpy.float64), layers,
                   float(lambda_), int(iterations))


def split(theta, layers):
    """Views of Theta as (W [out x in], b [out]) a layer."""
    parts = []
    at = 0
    for inputs, outputs in zip(layers, layers[1:]):
        weights = theta[at:at + inputs * outputs].reshape(outputs, inputs)
        at += inputs * outputs
        parts.append((weights, theta[at:at + outputs]))
        at += outputs
    return parts


def seconds(fit):
    start = time.perf_counter()
    fit()
    return time.perf_counter() - start


def serve(name, problem, run):
    """`run(dtype, iterations)` returns a function to be timed and one that gives (iterations, Theta)."""
    cores = max(library["num_threads"] for library in threadpool_info())
    trials = []
    for dtype in (numpy.float32, numpy.float64):
        fit, _ = run(dtype, TRIAL_ITERATIONS)
        for threads in sorted({1, cores}):
            with threadpool_limits(threads):
                # The better of two: the first one also warms up.
                trials.append((min(seconds(fit), seconds(fit)), dtype, threads))
    _, dtype, threads = min(trials, key=lambda trial: trial[0])
    libraries = ", ".join(sorted(f"{library['internal_api']} {library['version']} "
                                 f"{library.get('architecture', '')}".strip()
                                 for library in threadpool_info()))
    print(f"{name}, NumPy {numpy.__version__}, {dtype.__name__}, {threads} threads; {libraries}",
          flush=True)

    with threadpool_limits(threads):
        while sys.stdin.buffer.readline():
            fit, result = run(dtype, problem.iterations)
            taken = seconds(fit)
            iterations, theta = result()
            sys.stdout.buffer.write(f"{taken:.6f} {iterations}\n".encode())
            sys.stdout.buffer.write(theta.astype(numpy.float64).tobytes())
            sys.stdout.buffer.flush()
