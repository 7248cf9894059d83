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
#include "tile.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

struct Singles {
  PELLUCID_INLINE static vf spread(const float* x) { return broadcast(*x); }
  PELLUCID_INLINE static vf multiply_add(vf x, vf row, vf sum) { return fma(x, row, sum); }
};

constexpr Size most_listed = 512;  // the greatest depth of a product that leaves zeros out

// The columns k of R rows in which not all numbers are 0; a_depth is 1.
template <int R>
PELLUCID_INLINE Size list_columns(const Product& p, const float* a, std::int32_t* places) {
  Size count = 0;
  for (Size k = 0; k < p.depth; k += W) {
    vi any{};
    for (int r = 0; r < R; ++r) {
      const float* at = a + r * p.a_row + k;
      any |= bits(p.depth - k < W ? load_part(at, (int)(p.depth - k)) : load(at));
    }
    count += append_nonzero(any << 1, (std::int32_t)k, places + count);  // without the sign of a zero
  }
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

template <int R, int V>
void whole(const Product& p, const float* a, float* c) {
  tile<Singles, R, V>(p, a, c, 0, All{p.depth});
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
  tile<Singles, R, V>(p, a, c, first, Listed{count, places});
}

template <int V, int... R>
void all_rows(const Product& p, Heights<R...>) {
  static constexpr Tile plain[] = {whole<R, V>...}, skipping[] = {without_zeros<R, V>...};
  if (p.skips_zeros && p.depth <= most_listed) sweep(p, skipping);
  else sweep(p, plain);
}

}  // namespace

void product(const Product& p) {
  switch (p.vectors) {
    case wide_vectors: return all_rows<wide_vectors>(p, Heights<1>{});
    case 1: return all_rows<1>(p, UpTo12{});
#if defined(__AVX512F__)
    case 2: return all_rows<2>(p, UpTo12{});
    case 3: return all_rows<3>(p, UpTo8{});
    default: return all_rows<4>(p, UpTo6{});
#else
    default: return all_rows<2>(p, UpTo6{});
#endif
  }
}

}  // namespace pellucid::PELLUCID_ISA
