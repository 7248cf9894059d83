// Sums over the rows of a block, for kernels that work column by column.
#pragma once

#include "simd/simd.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

inline constexpr Size sum_block = 64;  // rows: blocks of them are added up, which keeps the rounding error small

// The sum over the rows of f(row), for one vector of columns.
template <class F>
PELLUCID_INLINE vf sum_rows(Size rows, F f) {
  vf total{};
  for (Size start = 0; start < rows; start += sum_block) {
    const Size stop = start + sum_block < rows ? start + sum_block : rows;
    vf sum{};
    for (Size r = start; r < stop; ++r) sum += f(r);
    total += sum;
  }
  return total;
}

}  // namespace pellucid::PELLUCID_ISA
