#!/usr/bin/env python3
"""Draws the training cost of each epoch, of all seeds of scripts/mnist.sh, as one SVG.

usage: mnist_figure.py PROGRESS_DIR > curves.svg
"""
import json
import math
import pathlib
import sys

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 420, 70, 20, 150, 50
COLOURS = {"distorted": ("#1f77b4", "#4f9bd0", "#8cc0e4"), "plain": ("#d62728", "#e46a6a", "#f0a5a5")}


def read(path: pathlib.Path) -> list:
    points = []
    for line in path.read_text(encoding="utf-8").splitlines():
        point = json.loads(line)
        if point.get("iteration", 0) > 0 and "cost" in point:
            points.append((point["iteration"], point["cost"]))
    return points


def main() -> None:
    curves = {path.stem: read(path) for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jsonl"))}
    epochs = max(points[-1][0] for points in curves.values())
    costs = [cost for points in curves.values() for _, cost in points]
    low, high = math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs)))

    def x(epoch: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * epoch / epochs

    def y(cost: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - math.log10(cost)) / (high - low)

    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
          'font-family="sans-serif" font-size="13">')
    print(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    for power in range(low, high + 1):
        at = y(10.0 ** power)
        print(f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="#ddd"/>')
        print(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">1e{power}</text>')
    for part in range(5):
        epoch = epochs * part / 4
        print(f'<text x="{x(epoch):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
              f'{epoch:.0f}</text>')
    print(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">epoch</text>')
    print(f'<text transform="translate(18 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
          'training cost</text>')
    for row, (name, points) in enumerate(curves.items()):
        recipe, seed = name.split("-seed-")
        colour = COLOURS[recipe][(int(seed) - 1) % 3]
        line = " ".join(f"{x(epoch):.1f},{y(cost):.1f}" for epoch, cost in points)
        print(f'<polyline points="{line}" fill="none" stroke="{colour}"/>')
        print(f'<text x="{WIDTH - RIGHT + 12}" y="{TOP + 14 + 18 * row}" fill="{colour}">'
              f'{recipe}, seed {seed}</text>')
    print("</svg>")


main()
