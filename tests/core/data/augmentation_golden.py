#!/ usr / bin / env python3
"""Golden values of augmentation_noise_test.cc and augmentation_test.cc from a second implementation, in
pure Python.

Every float32 operation is done in double and rounded, which is exact for one addition or multiplication:
so the program must give these values to the bit, on every CPU.
"""

import math
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "base"))
from random_golden import MASK, splitmix64  # noqa: E402

STREAM = int.from_bytes(b"augment", "big")
LANES = 16
GOLDEN_RATIO = 0x9E3779B97F4A7C15


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def rotate_left(x, k):
    return ((x << k) | (x >> (32 - k))) & 0xFFFFFFFF


class Noise:
    """16 xoshiro128++ side by side, seeded by SplitMix64."""

    def __init__(self, seed, epoch, row):
        key = splitmix64(STREAM)
        for part in (seed, epoch, row):
            key = splitmix64(key ^ (part & MASK))
        self.states = []
        for _ in range(LANES):
            words = []
            for _ in range(2):
                bits = splitmix64(key)
                key = (key + GOLDEN_RATIO) & MASK
                words += [bits & 0xFFFFFFFF, bits >> 32]
            self.states.append(words)

    def group(self):
        numbers = []
        for s in self.states:
            bits = (rotate_left((s[0] + s[3]) & 0xFFFFFFFF, 7) + s[0]) & 0xFFFFFFFF
            t = (s[1] << 9) & 0xFFFFFFFF
            s[2] ^= s[0]
            s[3] ^= s[1]
            s[1] ^= s[2]
            s[0] ^= s[3]
            s[2] ^= t
            s[3] = rotate_left(s[3], 11)
            signed = bits - (1 << 32) if bits >> 31 else bits
            numbers.append((signed >> 8) / (1 << 23))
        return numbers


def weights(sigma, reach, factor):
    radius = math.ceil(4 * sigma)
    g = [math.exp(-0.5 * (i / sigma) * (i / sigma)) for i in range(radius + 1)]
    total = g[0]
    for i in range(1, radius + 1):
        total += 2.0 * g[i]
    reach = min(radius, reach)
    return {i: f32(factor * g[abs(i)] / total) for i in range(-reach, reach + 1)}


def weighted_sum(kernel, values):
    """values(i) is None beyond the border."""
    total = 0.0
    for i, weight in kernel.items():
        value = values(i)
        if value is not None:
            total = f32(total + f32(weight * value))
    return total


def field(noise, alpha, sigma, height, width):
    groups = (width + LANES - 1) // LANES
    r = [[x for _ in range(groups) for x in noise.group()][:width] for _ in range(height)]
    column, row = weights(sigma, height - 1, alpha), weights(sigma, width - 1, 1.0)
    smooth = [
        [weighted_sum(column, lambda i: r[y + i][x] if 0 <= y + i < height else None) for x in range(width)]
        for y in range(height)
    ]
    return [
        [weighted_sum(row, lambda i: smooth[y][x + i] if 0 <= x + i < width else None) for x in range(width)]
        for y in range(height)
    ]


def scale_factor(most, u):
    return 1.0 + most * u if u >= 0.0 else 1.0 / (1.0 - most * u)


def distort(image, options, seed, epoch, row, background):
    height, width = len(image), len(image[0])
    noise = Noise(seed, epoch, row)
    u = noise.group()
    sx, sy = scale_factor(options["scale"], u[0]), scale_factor(options["scale"], u[1])
    shear, angle = options["shear"] * u[2], options["rotation"] * u[3] * math.pi / 180.0
    tx, ty = options["translation"] * u[4], options["translation"] * u[5]
    cosine, sine = math.cos(angle), math.sin(angle)
    xx, xy = (cosine + shear * sine) / sx, (sine - shear * cosine) / sx
    yx, yy = -sine / sy, cosine / sy
    cx, cy = 0.5 * (width - 1), 0.5 * (height - 1)
    x0 = cx - (xx * (cx + tx) + xy * (cy + ty))
    y0 = cy - (yx * (cx + tx) + yy * (cy + ty))
    dx = field(noise, options["alpha"], options["sigma"], height, width)
    dy = field(noise, options["alpha"], options["sigma"], height, width)

    def pixel(y, x):
        return image[y][x] if 0 <= y < height and 0 <= x < width else background

    def value(y, x):
#Places count from the pixel before the image.
        px = f32(f32(f32(f32(xx) * x) + f32(xy * y + x0 + 1)) + dx[y][x])
        py = f32(f32(f32(f32(yx) * x) + f32(yy * y + y0 + 1)) + dy[y][x])
        px, py = min(max(px, 0.0), width + 1.0), min(max(py, 0.0), height + 1.0)
        left, top = int(px), int(py)
        right, down = f32(px - left), f32(py - top)

        def between(a, b, share):
            return f32(f32(f32(1.0 - share) * a) + f32(share * b))

        above = between(pixel(top - 1, left - 1), pixel(top - 1, left), right)
        below = between(pixel(top, left - 1), pixel(top, left), right)
        return between(above, below, down)

    return [[value(y, x) for x in range(width)] for y in range(height)]


def main():
    noise = Noise(1, 2, 3)
    two_groups = noise.group() + noise.group()
    print("noise (1, 2, 3):", [two_groups[i] for i in (0, 1, 15, 16)])
    print("noise (-1, 0, 1 << 40):", Noise(-1, 0, 1 << 40).group()[:3])
    options = {"alpha": 8.0, "sigma": 1.5, "rotation": 20.0, "scale": 0.25, "shear": 0.2, "translation": 1.0}
    image = [[f32((7 * x + 11 * y) % 13 / 4) for x in range(6)] for y in range(5)]
    for row in distort(image, options, seed=7, epoch=3, row=41, background=-1.0):
        print("".join(f"{x:.9g}f, " for x in row))


if __name__ == "__main__":
    main()
