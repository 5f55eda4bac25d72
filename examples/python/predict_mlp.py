#!/usr/bin/env python3
"""Asks an mlpd for a prediction in its own protocol, mlp.v1: see ../README.md."""
import argparse
import random
import re
import sys

import grpc

from mlp.v1 import model_pb2, prediction_pb2


def call(channel, method, request, answer, timeout=10):
    """One unary call without generated service code, which would need grpcio-tools."""
    return channel.unary_unary(method, request_serializer=type(request).SerializeToString,
                               response_deserializer=answer.FromString)(request, timeout=timeout)


def read_pgm(path):
    """The pixels of a binary PGM of 8 bits, row after row."""
    with open(path, "rb") as file:
        content = file.read()
    header = re.match(rb"P5\s+(\d+)\s+(\d+)\s+(\d+)\s", content)
    if not header or int(header[3]) > 255:
        sys.exit(f"{path}: expected a binary PGM of 8 bits")
    return list(content[header.end():header.end() + int(header[1]) * int(header[2])])


def read_rows(args, features):
    """[N x D] values: of an image, of a file with one row a line, or made up."""
    if args.image:
        return [read_pgm(args.image)]
    if args.row:
        with open(args.row, encoding="utf-8") as file:
            return [[float(value) for value in line.replace(",", " ").split()]
                    for line in file if line.strip()]
    return [[random.Random(1).randrange(256) for _ in range(features)]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="127.0.0.1:8001", metavar="HOST:PORT")
    parser.add_argument("--model", default="digits", help="NAME, NAME@VERSION or NAME@ALIAS")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--image", metavar="PGM", help="a grey image of the model's size")
    source.add_argument("--row", metavar="FILE", help="one row of numbers a line")
    args = parser.parse_args()

    with grpc.insecure_channel(args.server) as channel:
        version = call(channel, "/mlp.v1.ModelService/GetModelVersion",
                       model_pb2.GetModelVersionRequest(model=args.model), model_pb2.ModelVersion)
        rows = read_rows(args, features=version.config.network.layers[0])
        request = prediction_pb2.PredictRequest(
            model=args.model, rows=len(rows), features=[value for row in rows for value in row])
        answer = call(channel, "/mlp.v1.PredictionService/Predict", request,
                      prediction_pb2.PredictResponse)

    classes = len(answer.outputs) // len(answer.labels)
    for row, (label, name) in enumerate(zip(answer.labels, answer.class_names)):
        probability = answer.outputs[row * classes + label]
        print(f"row {row}: label {label}, class {name}, probability {probability:.6f}, "
              f"version {answer.version}")


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
