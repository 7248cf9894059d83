// The matrix product. Forward, the gradient of the input and the gradient of the weights are all this one kernel:
//
//     C (rows, panel) = start + A (rows, depth) B (depth, panel)
//
// Tiling. C is computed in tiles of R rows and V vectors of columns that stay in registers for the whole depth: for each
// k, V loads of row k of B and R broadcasts of A feed R V multiply-adds. With AVX-512 a tile is 6 x 64: 24 accumulators,
// 4 vectors of B and a broadcast are 29 of 32 registers, and 24 multiply-adds hide the latency of the 10 loads.
// Narrower panels take more rows, so that there are always enough independent sums.
//
// Order. Every element of C is one chain of fused multiply-adds over k = 0, 1, 2 ..., in whatever tile it is. So the result
// depends neither on how rows and panels are dealt out to threads nor on the other samples of the batch.
#include "simd/simd.hpp"
#include "kernels/kernels.hpp"
#include "kernels/tile.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

struct Singles {
  PELLUCID_INLINE static vf spread(const float* x) { return broadcast(*x); }
  PELLUCID_INLINE static vf multiply_add(vf x, vf row, vf sum) { return fma(x, row, sum); }
};

}  // namespace

void product(const Product& p) {
  switch (p.vectors) {
    case wide_vectors: return all_rows<Singles, wide_vectors>(p, Heights<1>{});
    case 1: return all_rows<Singles, 1>(p, UpTo12{});
#if defined(__AVX512F__)
    case 2: return all_rows<Singles, 2>(p, UpTo12{});
    case 3: return all_rows<Singles, 3>(p, UpTo8{});
    default: return all_rows<Singles, 4>(p, UpTo6{});
#else
    default: return all_rows<Singles, 2>(p, UpTo6{});
#endif
  }
}

}  // namespace pellucid::PELLUCID_ISA
