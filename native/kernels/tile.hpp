// A tile of a matrix product in registers; product.cpp explains the idea. `Numbers` says what an element of A and B is:
// a float32 (product.cpp), or a pair of bfloat16 (product_bf16.cpp), which takes as much room.
#pragma once

#include "simd/simd.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

// All loops over rows and vectors are unrolled, so that the sums are registers and not an array in memory.
#define PELLUCID_UNROLL _Pragma("GCC unroll 16")

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

template <class Numbers, int R, int V, class Steps>
PELLUCID_INLINE void tile(const Product& p, const float* a, float* c, Size first, const Steps& steps) {
  const Size a_row = p.a_row, a_depth = p.a_depth, b_row = p.b_row, c_row = p.c_row;
  vf sum[R][V];
  if (p.accumulate) {
    PELLUCID_UNROLL for (int r = 0; r < R; ++r)
      PELLUCID_UNROLL for (int v = 0; v < V; ++v) sum[r][v] = load(c + r * c_row + v * W);
  } else {
    PELLUCID_UNROLL for (int v = 0; v < V; ++v) {
      const vf start = p.bias ? load(p.bias + v * W) + 0.0f : vf{};  // -0 becomes 0, so that adding zeros changes nothing
      PELLUCID_UNROLL for (int r = 0; r < R; ++r) sum[r][v] = start;
    }
  }
  // three rows share a pointer, since an address can be base, base + stride and base + 2 stride
  const float *b = p.b + first * b_row, *base[(R + 2) / 3];
  PELLUCID_UNROLL for (int i = 0; i < (R + 2) / 3; ++i) base[i] = a + 3 * i * a_row + first * a_depth;
  for (Size i = 0; i < steps.count; ++i) {
    vf row[V];
    PELLUCID_UNROLL for (int v = 0; v < V; ++v) row[v] = load(b + v * W);
    if constexpr (V == wide_vectors)  // with one row of A each number of B is used once: memory sets the speed
      PELLUCID_UNROLL for (int v = 0; v < V; ++v) __builtin_prefetch(b + 4 * b_row + v * W);
    PELLUCID_UNROLL for (int r = 0; r < R; ++r) {
      const vf x = Numbers::spread(base[r / 3] + r % 3 * a_row);
      PELLUCID_UNROLL for (int v = 0; v < V; ++v) sum[r][v] = Numbers::multiply_add(x, row[v], sum[r][v]);
    }
    const Size gap = steps[i];
    PELLUCID_UNROLL for (int j = 0; j < (R + 2) / 3; ++j) base[j] += gap * a_depth;
    b += gap * b_row;
  }
  PELLUCID_UNROLL for (int r = 0; r < R; ++r)
    PELLUCID_UNROLL for (int v = 0; v < V; ++v) store(c + r * c_row + v * W, sum[r][v]);
}

using Tile = void (*)(const Product&, const float*, float*);

// All rows of C, by tiles of up to sizeof...(tiles) rows; tiles[i] has i + 1 of them.
template <int count>
PELLUCID_INLINE void sweep(const Product& p, const Tile (&tiles)[count]) {
  for (Size row = 0; row < p.rows; row += count) {
    const Size rows = p.rows - row < count ? p.rows - row : count;
    tiles[rows - 1](p, p.a + row * p.a_row, p.c + row * p.c_row);
  }
}

// The heights of tiles, as a type: 1, 2, ...
template <int... R>
struct Heights {};
using UpTo6 = Heights<1, 2, 3, 4, 5, 6>;
using UpTo8 = Heights<1, 2, 3, 4, 5, 6, 7, 8>;
using UpTo12 = Heights<1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12>;

inline constexpr Size most_listed = 512;  // the greatest depth of a product that leaves zeros out

// Lists each k for which the R rows of A are not all 0, and returns how many there are; for rows that lie in memory one
// after the other (a_depth is 1).
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

// The same where the R numbers of a k are neighbors in memory (a_row is 1), as in the gradient of the weights.
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

template <class Numbers, int R, int V>
void whole(const Product& p, const float* a, float* c) {
  tile<Numbers, R, V>(p, a, c, 0, All{p.depth});
}

// Where the inputs hold many zeros, as in pictures of digits, a tile leaves out each k for which all of its rows are 0:
// adding 0 changes no sum. Finding them costs a twentieth of the tile.
template <class Numbers, int R, int V>
void without_zeros(const Product& p, const float* a, float* c) {
  std::int32_t places[most_listed + W];
  const Size count = p.a_depth == 1 ? list_columns<R>(p, a, places) : list_rows<R>(p, a, places);
  if (8 * count > 7 * p.depth) return whole<Numbers, R, V>(p, a, c);
  const Size first = count > 0 ? places[0] : 0;
  for (Size i = 0; i + 1 < count; ++i) places[i] = places[i + 1] - places[i];
  if (count > 0) places[count - 1] = 0;
  tile<Numbers, R, V>(p, a, c, first, Listed{count, places});
}

template <class Numbers, int V, int... R>
void all_rows(const Product& p, Heights<R...>) {
  static constexpr Tile plain[] = {whole<Numbers, R, V>...},
                        skipping[] = {without_zeros<Numbers, R, V>...};
  if (p.skips_zeros && p.depth <= most_listed) sweep(p, skipping);
  else sweep(p, plain);
}

}  // namespace pellucid::PELLUCID_ISA
