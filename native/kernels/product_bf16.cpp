// The matrix product of bfloat16 numbers with float32 sums (AVX512_BF16). A bfloat16 is the upper half of a float32, 8 bits
// of precision. An instruction takes two k at once, so an element of A and B is a pair: (k, k + 1) in 32 bits.
//
//     sum <- sum + a_k b_k + a_(k+1) b_(k+1)
//
// Operands come from float32 by rounding to nearest: rows of A pair neighbors in a row; B pairs neighbors in a column.
#include "simd/simd.hpp"
#include "kernels/kernels.hpp"
#include "kernels/tile.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

struct Pairs {
  PELLUCID_INLINE static vf spread(const float* x) {
    std::int32_t pair;
    std::memcpy(&pair, x, sizeof pair);
    return (vf)_mm512_set1_epi32(pair);
  }
  PELLUCID_INLINE static vf multiply_add(vf x, vf row, vf sum) {
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)row);
  }
};

PELLUCID_INLINE vu rounded(vf x) {  // to bfloat16, in the lower 16 bits of each lane
  return (vu)_mm512_maskz_cvtepu16_epi32((__mmask16)-1, (__m256i)_mm512_cvtneps_pbh((__m512)x));
}

}  // namespace

void product_bf16(const Product& p) {
  switch (p.vectors) {
    case 1: return all_rows<Pairs, 1>(p, UpTo12{});
    case 2: return all_rows<Pairs, 2>(p, UpTo12{});
    case 3: return all_rows<Pairs, 3>(p, UpTo8{});
    default: return all_rows<Pairs, 4>(p, UpTo6{});
  }
}

// Rounds a block to rows of bfloat16: `to` has as many rows, each half as long.
void round_rows(const Block& from, float* to) {
  for (Size r = 0; r < from.rows; ++r)
    for (int v = 0; v < from.vectors; ++v)
      _mm256_storeu_si256((__m256i*)(to + r * from.stride / 2 + v * W / 2),
                          (__m256i)_mm512_cvtneps_pbh((__m512)load(from.data + r * from.stride + v * W)));
}

// Rows 2i and 2i + 1 as one row of pairs; an odd last row is paired with zeros.
void pair_rows(const Block& from, float* to, Size to_row) {
  for (Size r = 0; r < from.rows; r += 2, to += to_row)
    for (int v = 0; v < from.vectors; ++v) {
      const float* at = from.data + r * from.stride + v * W;
      const vu low = rounded(load(at)), high = r + 1 < from.rows ? rounded(load(at + from.stride)) << 16 : vu{};
      store(to + v * W, (vf)(low | high));
    }
}

}  // namespace pellucid::PELLUCID_ISA
