#!/usr/bin/env python3
"""Golden splits for split_test.cc, from a second implementation of the dealing in core/data/split.cc.

The sizes are given, worked by hand in the test; this computes which rows they are.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "base"))
from random_golden import Random  # noqa: E402

SPLIT_STREAM = int.from_bytes(b"split", "big")


def deal(rows, sizes, random):
    rows = random.shuffle(list(rows))
    training, validation, _ = sizes
    return rows[:training], rows[training : training + validation], rows[training + validation :]


def print_parts(title, parts):
    print(title)
    for name, rows in zip(("training", "validation", "test"), parts):
        print(f"  {name}: {sorted(rows)}")


def main():
    print_parts("plain, 10 rows, 7/0/3, seed 1", deal(range(10), (7, 0, 3), Random(1, SPLIT_STREAM)))

    # Labels 0 0 0 0 1 1 1 1 1 1 1 1, fractions 1/2, 1/4, 1/4: exact shares 2/1/1 and 4/2/2.
    random = Random(5, SPLIT_STREAM)
    random.shuffle([0, 1])  # the order of classes
    parts = ([], [], [])
    for rows, sizes in ((range(4), (2, 1, 1)), (range(4, 12), (4, 2, 2))):
        for part, dealt in zip(parts, deal(rows, sizes, random)):
            part.extend(dealt)
    print_parts("stratified, 4 + 8 rows, 50/25/25, seed 5", parts)


if __name__ == "__main__":
    main()
