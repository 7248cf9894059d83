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

constexpr Size most_listed = 512;  // the greatest depth of a product that leaves zeros out

// The columns k of R rows in which not all numbers are 0; a_depth is 1.
template <int R>
PELLUCID_INLINE Size list_columns(const Product& p, const float* a, std::int32_t* places) {
  Size count = 0;
  for (Size k = 0; k < p.depth; k += W) {
    vi any{};
    for (int r = 0; r < R; ++r) any |= bits(load(a + r * p.a_row + k));
    count += append_nonzero(any << 1, (std::int32_t)k, places + count);  // without the sign of a zero
  }
  while (count > 0 && places[count - 1] >= p.depth) --count;  // rows end with room for a whole vector
  return count;
}

// The samples k for which R neighboring numbers are not all 0; a_row is 1.
template <int R>
PELLUCID_INLINE Size list_rows(const Product& p, const float* a, std::int32_t* places) {
  Size count = 0;
  for (Size k = 0; k < p.depth; ++k) {
    std::int32_t any = 0, numbers[R];
    std::memcpy(numbers, a + k * p.a_depth, sizeof numbers);
    for (int r = 0; r < R; ++r) any |= numbers[r];
    places[count] = (std::int32_t)k;
    count += (any << 1) != 0;
  }
  return count;
}

// All loops over rows and vectors are unrolled, so that the sums are registers and not an array in memory.
#define UNROLL _Pragma("GCC unroll 16")

// The steps of a sum: all k in order, or those that a list names.
struct All {
  Size count;
  PELLUCID_INLINE Size operator[](Size) const { return 1; }  // how far it is to the next k
};
struct Listed {
  Size count;
  const std::int32_t* gaps;
  PELLUCID_INLINE Size operator[](Size i) const { return gaps[i]; }
};

template <int R, int V, class Steps>
PELLUCID_INLINE void tile(const Product& p, const float* a, float* c, Size first, const Steps& steps) {
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
  const float *b = p.b + first * b_row, *base[(R + 2) / 3];
  UNROLL for (int i = 0; i < (R + 2) / 3; ++i) base[i] = a + 3 * i * a_row + first * a_depth;
  for (Size i = 0; i < steps.count; ++i) {
    vf row[V];
    UNROLL for (int v = 0; v < V; ++v) row[v] = load(b + v * W);
    UNROLL for (int r = 0; r < R; ++r) {
      const vf x = broadcast(base[r / 3][r % 3 * a_row]);
      UNROLL for (int v = 0; v < V; ++v) sum[r][v] = fma(x, row[v], sum[r][v]);
    }
    const Size gap = steps[i];
    UNROLL for (int j = 0; j < (R + 2) / 3; ++j) base[j] += gap * a_depth;
    b += gap * b_row;
  }
  UNROLL for (int r = 0; r < R; ++r)
    UNROLL for (int v = 0; v < V; ++v) store(c + r * c_row + v * W, sum[r][v]);
}

template <int R, int V>
void whole(const Product& p, const float* a, float* c) {
  tile<R, V>(p, a, c, 0, All{p.depth});
}

// Where the inputs hold many zeros (the margins of a digit are nothing else), a tile leaves out each k for which all of its
// rows are 0: adding 0 changes no sum. Rows or samples are looked through once, which costs a twentieth of the tile.
template <int R, int V>
void without_zeros(const Product& p, const float* a, float* c) {
  std::int32_t places[most_listed + W];
  const Size count = p.a_depth == 1 ? list_columns<R>(p, a, places) : list_rows<R>(p, a, places);
  if (8 * count > 7 * p.depth) return whole<R, V>(p, a, c);
  const Size first = count > 0 ? places[0] : 0;
  for (Size i = 0; i + 1 < count; ++i) places[i] = places[i + 1] - places[i];
  if (count > 0) places[count - 1] = 0;
  tile<R, V>(p, a, c, first, Listed{count, places});
}

using Tile = void (*)(const Product&, const float*, float*);

template <int... R>
struct Heights {};  // a list of tile heights 1, 2, ..., as a type

template <int V, int... R>
void sweep(const Product& p, Heights<R...>) {
  static constexpr Tile plain[] = {whole<R, V>...}, skipping[] = {without_zeros<R, V>...};
  const Tile* tiles = p.skips_zeros && p.depth <= most_listed ? skipping : plain;
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
