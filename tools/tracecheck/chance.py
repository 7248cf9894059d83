"""The random bits of dropout, from (seed, step, layer), as src/pellucid/core/random.py defines them."""

from __future__ import annotations

DROPOUT = 4
MASK64, MASK32 = (1 << 64) - 1, (1 << 32) - 1


def bits(seed: int, step: int, layer: int, count: int) -> list[int]:
    """32 bits for each of the elements 0 .. count-1."""
    key = splitmix64(seed & MASK64)
    for part in (DROPOUT, step, layer):
        key = splitmix64((key + part) & MASK64)
    low, high = key & MASK32, key >> 32
    return [mix(mix((i * 0x9E3779B1 + low) & MASK32) ^ high) for i in range(count)]


def splitmix64(value: int) -> int:
    value = (value + 0x9E3779B97F4A7C15) & MASK64
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK64
    return value ^ (value >> 31)


def mix(x: int) -> int:
    x ^= x >> 16
    x = (x * 0x21F0AAAD) & MASK32
    x ^= x >> 15
    x = (x * 0xD35A2D97) & MASK32
    return x ^ (x >> 15)
