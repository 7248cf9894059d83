// Random keys: the same function of (seed, purpose, step, layer) as in pellucid/core/random.py.
#pragma once

#include <cstdint>

namespace pellucid {

enum class Purpose : std::uint64_t { dropout = 4 };

inline std::uint64_t splitmix64(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15u;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

inline std::uint64_t random_key(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t layer) {
  return splitmix64(splitmix64(splitmix64(splitmix64(seed) + (std::uint64_t)purpose) + step) + layer);
}

}  // namespace pellucid
