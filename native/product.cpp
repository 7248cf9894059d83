// The matrix product, from which forward, input gradient and weight gradient are made:
//
//     C (rows, panel) = start + A (rows, depth) B (depth, panel)
//
// Tiling. C is computed in tiles of R rows and V vectors of columns that stay in registers for the whole depth: for each
// k, V loads of row k of B and R broadcasts of A feed R V multiply-adds. With AVX-512 a tile is 6 x 64: 24 accumulators,
// 4 vectors of B and a broadcast are 29 of 32 registers, and 24 multiply-adds hide the latency of the 10 loads.
// Narrower panels take more rows, so that there are always enough independent sums.
//
// Order. Every element of C is one chain of fused multiply-adds over k = 0, 1, 2 ..., whatever the tile it falls into.
// So the result does not depend on how rows and panels are dealt out to threads, nor on the batch that a sample is in.
#include "kernels.hpp"
#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// All loops over rows and vectors are unrolled, so that the sums are registers and not an array in memory.
#define UNROLL _Pragma("GCC unroll 16")

template <int R, int V>
void tile(const Product& p, const float* a, float* c) {
  const Size a_row = p.a_row, a_depth = p.a_depth, b_row = p.b_row, c_row = p.c_row;
  vf sum[R][V];
  if (p.accumulate) {
    UNROLL for (int r = 0; r < R; ++r)
      UNROLL for (int v = 0; v < V; ++v) sum[r][v] = load(c + r * c_row + v * W);
  } else {
    UNROLL for (int v = 0; v < V; ++v) {
      const vf start = p.bias ? load(p.bias + v * W) : vf{};
      UNROLL for (int r = 0; r < R; ++r) sum[r][v] = start;
    }
  }
  // three rows share a pointer, since an address can be base, base + stride and base + 2 stride
  const float *b = p.b, *base[(R + 2) / 3];
  UNROLL for (int i = 0; i < (R + 2) / 3; ++i) base[i] = a + 3 * i * a_row;
  for (Size k = p.depth; k > 0; --k) {
    vf row[V];
    UNROLL for (int v = 0; v < V; ++v) row[v] = load(b + v * W);
    UNROLL for (int r = 0; r < R; ++r) {
      const vf x = broadcast(base[r / 3][r % 3 * a_row]);
      UNROLL for (int v = 0; v < V; ++v) sum[r][v] = fma(x, row[v], sum[r][v]);
    }
    UNROLL for (int i = 0; i < (R + 2) / 3; ++i) base[i] += a_depth;
    b += b_row;
  }
  UNROLL for (int r = 0; r < R; ++r)
    UNROLL for (int v = 0; v < V; ++v) store(c + r * c_row + v * W, sum[r][v]);
}

using Tile = void (*)(const Product&, const float*, float*);

template <int... R>
struct Heights {};  // a list of tile heights 1, 2, ..., as a type

template <int V, int... R>
void sweep(const Product& p, Heights<R...>) {
  static constexpr Tile tiles[] = {tile<R, V>...};
  constexpr Size most = sizeof...(R);
  for (Size row = 0; row < p.rows; row += most) {
    const Size rows = p.rows - row < most ? p.rows - row : most;
    tiles[rows - 1](p, p.a + row * p.a_row, p.c + row * p.c_row);
  }
}

using UpTo6 = Heights<1, 2, 3, 4, 5, 6>;
using UpTo8 = Heights<1, 2, 3, 4, 5, 6, 7, 8>;
using UpTo12 = Heights<1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12>;

}  // namespace

void product(const Product& p) {
  switch (p.vectors) {
    case 1: return sweep<1>(p, UpTo12{});
#if defined(__AVX512F__)
    case 2: return sweep<2>(p, UpTo12{});
    case 3: return sweep<3>(p, UpTo8{});
    default: return sweep<4>(p, UpTo6{});
#else
    default: return sweep<2>(p, UpTo6{});
#endif
  }
}

}  // namespace pellucid::PELLUCID_ISA
