// Where a number is among the bins of its column.
#pragma once

#include "simd/simd.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

// Of column c, whose bins begin at `start`: the last bin whose lower edge is not above x, or the first one.
PELLUCID_INLINE InBin find_bin(const Encoding& e, Size c, Size start, float x) {
  Size t = start;
  for (Size left = e.bins_of[c]; left > 1;) {
    const Size half = left / 2;
    t = e.low[t + half] <= x ? t + half : t;
    left -= half;
  }
  const float through = (x - e.low[t]) * e.slope[t];
  const float above = e.least[t] > through ? e.least[t] : through;
  const float held = e.most[t] < above ? e.most[t] : above;
  return {(std::int32_t)(t - start), e.gain * (1 - held), e.gain * held};
}

}  // namespace pellucid::PELLUCID_ISA
