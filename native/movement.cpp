// Moving numbers: the rows of a batch from the data, weights into panels, a panel turned over for the way back.
#include "kernels.hpp"
#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// rows[0] and rows[1] as two rows of alternating elements: a0 b0 a1 b1 ...
PELLUCID_INLINE void interleave(vf a, vf b, vf& low, vf& high) {
  using vs = std::int32_t __attribute__((vector_size(W * 4)));
  vs first{}, second{};
  for (int i = 0; i < W; ++i) {
    first[i] = i / 2 + (i % 2) * W;
    second[i] = W / 2 + i / 2 + (i % 2) * W;
  }
#if defined(__clang__)
  for (int i = 0; i < W; ++i) {
    low[i] = i % 2 ? b[i / 2] : a[i / 2];
    high[i] = i % 2 ? b[W / 2 + i / 2] : a[W / 2 + i / 2];
  }
#else
  low = __builtin_shuffle(a, b, first);
  high = __builtin_shuffle(a, b, second);
#endif
}

// W x W numbers, turned over: log2(W) rounds in which row i is interleaved with row i + W / 2.
void transpose_square(const float* from, Size from_row, float* to, Size to_row) {
  vf a[W], b[W];
  for (int i = 0; i < W; ++i) a[i] = load(from + i * from_row);
  for (int round = 1; round < W; round *= 2) {
    for (int i = 0; i < W / 2; ++i) interleave(a[i], a[i + W / 2], b[2 * i], b[2 * i + 1]);
    for (int i = 0; i < W; ++i) a[i] = b[i];
  }
  for (int i = 0; i < W; ++i) store(to + i * to_row, a[i]);
}

PELLUCID_INLINE vf read(const float* x) { return load(x); }
PELLUCID_INLINE vf read(const std::uint8_t* x) { return load_bytes(x) * (1.0f / 255); }
PELLUCID_INLINE float read_one(const float* x) { return *x; }
PELLUCID_INLINE float read_one(const std::uint8_t* x) { return (float)*x * (1.0f / 255); }

template <class T>
void gather_rows(const T* x, Size width, const std::int64_t* index, Size rows, float* to, Size to_row) {
  for (Size r = 0; r < rows; ++r, to += to_row) {
    const T* from = x + index[r] * width;
    Size i = 0;
    for (; i + W <= width; i += W) store(to + i, read(from + i));
    for (; i < width; ++i) to[i] = read_one(from + i);
  }
}

}  // namespace

// (rows, vectors * W) -> (vectors * W, rows); rows beyond a multiple of W are turned over one by one.
void transpose(const float* from, Size from_row, Size rows, int vectors, float* to, Size to_row) {
  Size r = 0;
  for (; r + W <= rows; r += W)
    for (int v = 0; v < vectors; ++v) transpose_square(from + r * from_row + v * W, from_row, to + v * W * to_row + r, to_row);
  for (; r < rows; ++r)
    for (int c = 0; c < vectors * W; ++c) to[c * to_row + r] = from[r * from_row + c];
}

// `columns` of each row, and zeros up to a whole vector.
void pack(const float* from, Size from_row, Size rows, Size columns, float* to, Size to_row) {
  const int part = (int)(columns % W);
  for (Size r = 0; r < rows; ++r, from += from_row, to += to_row) {
    Size c = 0;
    for (; c + W <= columns; c += W) store(to + c, load(from + c));
    if (part) store(to + c, load_part(from + c, part));
  }
}

void gather(Source source, const void* x, Size width, const std::int64_t* index, Size rows, float* to, Size to_row) {
  if (source == Source::bytes) return gather_rows((const std::uint8_t*)x, width, index, rows, to, to_row);
  return gather_rows((const float*)x, width, index, rows, to, to_row);
}

bool all_finite(const float* x, Size count) {
  const vf zero{};
  vf check{};
  Size i = 0;
  for (; i + W <= count; i += W) check = fma(load(x + i), zero, check);  // 0, or NaN for ever
  if (i < count) check = fma(load_part(x + i, (int)(count - i)), zero, check);
  return !any_lane(check != check);
}

}  // namespace pellucid::PELLUCID_ISA
