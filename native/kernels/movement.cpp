// Moving numbers: gathering the rows of a batch, copying weights into panels, transposing.
#include "simd/simd.hpp"
#include "simd/transposition.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

PELLUCID_INLINE vf read(const float* x) { return load(x); }
PELLUCID_INLINE vf read(const std::uint8_t* x) { return load_bytes(x) * (1.0f / 255); }
PELLUCID_INLINE vf read_part(const float* x, int count) { return load_part(x, count); }
PELLUCID_INLINE vf read_part(const std::uint8_t* x, int count) {
  vf numbers{};
  for (int i = 0; i < count; ++i) numbers[i] = (float)x[i] * (1.0f / 255);
  return numbers;
}

// The rows of a batch lie anywhere in the data. Each is prefetched while the rows before it are copied, since memory
// answers many requests at once.
constexpr Size rows_ahead = 6;

template <class T>
PELLUCID_INLINE void prefetch(const T* row, Size width) {
  const char* start = (const char*)row;
  for (Size byte = 0; byte < width * (Size)sizeof(T); byte += 64) __builtin_prefetch(start + byte);
}

template <class T>
void gather_rows(const T* x, Size width, const std::int64_t* index, Size rows, float* to, Size to_row) {
  for (Size r = 0; r < rows && r < rows_ahead; ++r) prefetch(x + index[r] * width, width);
  for (Size r = 0; r < rows; ++r, to += to_row) {
    if (r + rows_ahead < rows) prefetch(x + index[r + rows_ahead] * width, width);
    const T* from = x + index[r] * width;
    Size i = 0;
    for (; i + W <= width; i += W) store(to + i, read(from + i));
    if (i < width) store(to + i, read_part(from + i, (int)(width - i)));  // rows end with room for a whole vector
  }
}

}  // namespace

// (rows, vectors * W) -> (vectors * W, rows); rows beyond a multiple of W are copied number by number.
void transpose(const float* from, Size from_row, Size rows, int vectors, float* to, Size to_row) {
  Size r = 0;
  for (; r + W <= rows; r += W)
    for (int v = 0; v < vectors; ++v)
      transpose_square(from + r * from_row + v * W, from_row, to + v * W * to_row + r, to_row);
  for (; r < rows; ++r)
    for (int c = 0; c < vectors * W; ++c) to[c * to_row + r] = from[r * from_row + c];
}

// Copies `columns` numbers of each row, with zeros up to a whole vector.
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
