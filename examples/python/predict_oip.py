#!/usr/bin/env python3
"""Asks an mlpd, or any server of the Open Inference Protocol v2, for a prediction: see ../README.md."""
import argparse
import random
import struct
import sys

import grpc

from inference import grpc_service_pb2 as oip


def call(channel, rpc, request, answer, timeout=10):
    """One unary call without generated service code, which would need grpcio-tools."""
    return channel.unary_unary(f"/inference.GRPCInferenceService/{rpc}",
                               request_serializer=type(request).SerializeToString,
                               response_deserializer=answer.FromString)(request, timeout=timeout)


def read_rows(path, features):
    """[N x D] values: one row of numbers a line, or one row that is made up."""
    if not path:
        return [[random.Random(1).randrange(256) for _ in range(features)]]
    with open(path, encoding="utf-8") as file:
        return [[float(value) for value in line.replace(",", " ").split()]
                for line in file if line.strip()]


def infer_request(args, metadata, rows, top=0):
    """ModelInfer with raw contents: little-endian FP32, row after row."""
    request = oip.ModelInferRequest(model_name=args.model, model_version=args.version)
    request.inputs.add(name=metadata.inputs[0].name, datatype="FP32",
                       shape=[len(rows), len(rows[0])])
    values = [value for row in rows for value in row]
    request.raw_input_contents.append(struct.pack(f"<{len(values)}f", *values))
    if top:
        output = request.outputs.add(name=metadata.outputs[0].name)
        output.parameters["classification"].int64_param = top
    return request


def read_strings(raw):
    """BYTES elements: each behind its length in four bytes."""
    while raw:
        (length,) = struct.unpack_from("<I", raw)
        yield raw[4:4 + length].decode()
        raw = raw[4 + length:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="127.0.0.1:8001", metavar="HOST:PORT")
    parser.add_argument("--model", default="digits")
    parser.add_argument("--version", default="", help="a number; by default the newest")
    parser.add_argument("--row", metavar="FILE", help="one row of numbers a line")
    args = parser.parse_args()

    with grpc.insecure_channel(args.server) as channel:
        metadata = call(channel, "ModelMetadata",
                        oip.ModelMetadataRequest(name=args.model, version=args.version),
                        oip.ModelMetadataResponse)
        rows = read_rows(args.row, features=metadata.inputs[0].shape[-1])
        outputs = call(channel, "ModelInfer", infer_request(args, metadata, rows),
                       oip.ModelInferResponse)
        best = call(channel, "ModelInfer", infer_request(args, metadata, rows, top=1),
                    oip.ModelInferResponse)

    probabilities = [value for (value,) in struct.iter_unpack("<f", outputs.raw_output_contents[0])]
    classes = len(probabilities) // len(rows)
    for row, text in enumerate(read_strings(best.raw_output_contents[0])):
        _, label, name = text.split(":", 2)
        probability = probabilities[row * classes + int(label)]
        print(f"row {row}: label {label}, class {name}, probability {probability:.6f}, "
              f"version {outputs.model_version}")


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
