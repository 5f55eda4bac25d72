#!/usr/bin/env python3
"""Epochs of mini-batch training by PyTorch: what epoch_bench holds ours against.

    torch_epoch.py THREADS ROWS BATCH LAYERS ACTIVATION RATE MOMENTUM

Reads the training set from standard input: features [ROWS x D] float32, then labels [ROWS] int32,
native byte order. Prints one line about itself, then trains one epoch for every further line of its
input and answers each with the seconds it took and the mean cost over its steps.

The loop is the fastest plain one: the data in one tensor, an epoch's batches gathered by index from
a random permutation, no data loader, gradients set to None, PyTorch's fused linear layers. Run it with
OMP_WAIT_POLICY=PASSIVE where its BLAS has threads of its own: OpenMP's would spin in their way, and an
epoch takes three times as long.
"""
import os
import sys
import time

import torch


def read(count, dtype):
    data = sys.stdin.buffer.read(count * 4)
    return torch.frombuffer(bytearray(data), dtype=dtype)


def main():
    threads, rows, batch = (int(argument) for argument in sys.argv[1:4])
    layers = [int(units) for units in sys.argv[4].split("-")]
    activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[sys.argv[5]]
    rate, momentum = float(sys.argv[6]), float(sys.argv[7])
    torch.set_num_threads(threads)
    torch.manual_seed(1)

    features = read(rows * layers[0], torch.float32).reshape(rows, layers[0])
    labels = read(rows, torch.int32).long()
    modules = []
    for inputs, outputs in zip(layers, layers[1:]):
        modules += [torch.nn.Linear(inputs, outputs), activation()]
    model = torch.nn.Sequential(*modules[:-1])
    cost = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)

    build = " ".join(torch.__config__.show().split())
    with open("/proc/self/maps", encoding="utf-8") as maps:
        libraries = {os.path.basename(line.split()[-1]) for line in maps if "blas" in line}
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, "
          f"{', '.join(sorted(libraries))}; {build}", flush=True)

    while sys.stdin.buffer.readline():
        start = time.perf_counter()
        total = 0.0
        for indices in torch.randperm(rows).split(batch):
            optimizer.zero_grad(set_to_none=True)
            loss = cost(model(features[indices]), labels[indices])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(indices)
        total = float(total) / rows
        print(f"{time.perf_counter() - start:.6f} {total:.6f}", flush=True)


if __name__ == "__main__":
    main()
