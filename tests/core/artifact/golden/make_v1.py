#!/usr/bin/env python3
"""Writes v1.mlp, a model file of format version 1, from docs/artifact-format.md alone.

It shares no code with core/artifact. The committed file must open for ever; this script is the record
of how it came to be, and of the format in a second language. Run it only into a new file to compare.
"""

import hashlib
import json
import pathlib
import struct
import sys

MAGIC = b"\x89MLPD\r\n\x1a"
FORMAT_VERSION = 1
ALIGNMENT = 64

HEADER = {
    "topology": {
        "inputs": 2,
        "layers": [
            {"units": 3, "activation": "tanh", "threshold": 0.0},
            {"units": 2, "activation": "step", "threshold": 0.25},
        ],
    },
    "cost": "sigmoid_cross_entropy",
    "schema": {
        "features": 2,
        "feature_type": "uint8",
        "class_names": ["zéro", "one"],
        "image": {"height": 1, "width": 2, "channels": 1},
    },
}
WEIGHTS = [
    # layer 1: W [3 x 2], b [3]
    *(0.5, -0.25), *(1.5, 2.0), *(-3.0, 0.125), *(0.0625, -1.0, 4.0),
    # layer 2: W [2 x 3], b [2]
    *(1.0, -2.0, 3.0), *(-0.5, 0.75, -0.875), *(10.0, -0.03125),
]  # fmt: skip
SCALER = [0.0, 16.0, 0.00390625, 0.5]  # two offsets, two scales
PROVENANCE = '{"dataset":"example","seed":7}'


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def align(offset):
    return -(-offset // ALIGNMENT) * ALIGNMENT


def main(path):
    sections = [
        json.dumps(HEADER, separators=(",", ":"), ensure_ascii=False).encode(),
        struct.pack(f"<{len(WEIGHTS)}f", *WEIGHTS),
        struct.pack(f"<{len(SCALER)}f", *SCALER),
        PROVENANCE.encode(),
    ]
    table, body = b"", b""
    end = len(MAGIC) + 8 + 24 * len(sections)
    first = end
    for kind, section in enumerate(sections, start=1):
        offset = align(end)
        table += struct.pack("<IIQQ", kind, crc32c(section), offset, len(section))
        body += b"\0" * (offset - first - len(body)) + section
        end = offset + len(section)
    data = MAGIC + struct.pack("<II", FORMAT_VERSION, len(sections)) + table + body
    pathlib.Path(path).write_bytes(data + hashlib.sha256(data).digest())


if __name__ == "__main__":
    main(sys.argv[1])
