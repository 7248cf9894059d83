// The transpose of W x W numbers, in registers.
#pragma once

#include "simd/simd.hpp"

namespace pellucid::PELLUCID_ISA {

// low is the first halves of a and b with alternating elements, a0 b0 a1 b1 ...; high is the second halves likewise.
PELLUCID_INLINE void interleave(vf a, vf b, vf& low, vf& high) {
#if defined(__clang__)
  for (int i = 0; i < W; ++i) {
    low[i] = i % 2 ? b[i / 2] : a[i / 2];
    high[i] = i % 2 ? b[W / 2 + i / 2] : a[W / 2 + i / 2];
  }
#else
  vi first{}, second{};
  for (int i = 0; i < W; ++i) {
    first[i] = i / 2 + (i % 2) * W;
    second[i] = W / 2 + i / 2 + (i % 2) * W;
  }
  low = __builtin_shuffle(a, b, first);
  high = __builtin_shuffle(a, b, second);
#endif
}

// log2(W) rounds; each interleaves row i with row i + W / 2.
PELLUCID_INLINE void transpose_square(const float* from, std::ptrdiff_t from_row, float* to, std::ptrdiff_t to_row) {
  vf a[W], b[W];
  for (int i = 0; i < W; ++i) a[i] = load(from + i * from_row);
  for (int round = 1; round < W; round *= 2) {
    for (int i = 0; i < W / 2; ++i) interleave(a[i], a[i + W / 2], b[2 * i], b[2 * i + 1]);
    for (int i = 0; i < W; ++i) a[i] = b[i];
  }
  for (int i = 0; i < W; ++i) store(to + i * to_row, a[i]);
}

}  // namespace pellucid::PELLUCID_ISA
