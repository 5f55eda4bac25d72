#!/usr/bin/env python3
"""The random numbers of core/base/random.h from a second implementation, in pure Python.

Prints the golden values of random_test.cc. The engine is written after the 64-bit Mersenne Twister of
Nishimura (2000) and checked against the value that the C++ standard demands of std::mt19937_64: the
10000th number from seed 5489 is 9981545732273789042.
"""

MASK = (1 << 64) - 1


class Mt19937_64:
    def __init__(self, seed):
        self.state = [seed & MASK]
        for i in range(1, 312):
            last = self.state[-1]
            self.state.append((6364136223846793005 * (last ^ (last >> 62)) + i) & MASK)
        self.index = 312

    def next(self):
        if self.index == 312:
            state = self.state
            for i in range(312):
                x = (state[i] & 0xFFFFFFFF80000000) | (state[(i + 1) % 312] & 0x7FFFFFFF)
                state[i] = state[(i + 156) % 312] ^ (x >> 1) ^ (0xB5026F5AA96619E9 if x & 1 else 0)
            self.index = 0
        x = self.state[self.index]
        self.index += 1
        x ^= (x >> 29) & 0x5555555555555555
        x ^= (x << 17) & 0x71D67FFFEDA60000
        x ^= (x << 37) & 0xFFF7EEE000000000
        return x ^ (x >> 43)


def splitmix64(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


class Random:
    def __init__(self, seed, stream):
        self.engine = Mt19937_64(splitmix64((seed & MASK) ^ splitmix64(stream)))

    def uniform(self):
        return (self.engine.next() >> 11) / (1 << 53)

    def below(self, bound):
        limit = MASK - MASK % bound
        while True:
            value = self.engine.next()
            if value < limit:
                return value % bound

    def shuffle(self, values):
        for i in range(len(values), 1, -1):
            j = self.below(i)
            values[i - 1], values[j] = values[j], values[i - 1]
        return values


def main():
    engine = Mt19937_64(5489)
    for _ in range(10000):
        value = engine.next()
    assert value == 9981545732273789042, value

    for seed, stream in ((1, 7), (-1, 7), (1, 8)):
        random = Random(seed, stream)
        print(f"uniform seed {seed} stream {stream}:", [random.uniform() for _ in range(3)])
    random = Random(42, 0)
    print("below(10) seed 42 stream 0:", [random.below(10) for _ in range(12)])
    print("shuffle of 0..9 seed 1 stream 7:", Random(1, 7).shuffle(list(range(10))))


if __name__ == "__main__":
    main()
