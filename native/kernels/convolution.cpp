// Convolutions, as matrix products whose A lies in the image: a row of A is the neighborhood of a pixel.
//
//     C[r, v] = start + sum over taps t, k < depth of  A[a_t + r a_row + k] B[(b_t + k) b_row + v]
//
// A tap is a place in the window and the rows of B that belong to it. Images have margins of zeros, so no tap needs to
// ask whether it is inside; neighboring taps whose numbers lie side by side are one longer tap. Nothing is copied together
// (no im2col). Forward, the gradient of the input (with the transposed weights) and depthwise convolutions (with a vector
// where the others have one number of A) are this one sum, with other lists of taps.
//
// Tiles and the order of sums are those of product.cpp: every number is one chain over all taps and k.
#include "simd/simd.hpp"
#include "kernels/kernels.hpp"
#include "kernels/tile.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Writes the finished sums of R rows.
template <int R, int V>
PELLUCID_INLINE void finish(const Convolution& p, Size row, Size column, vf (&sum)[R][V]) {
  if (p.added) {
    const float* added = p.added + row * p.added_row + column;
    PELLUCID_UNROLL for (int r = 0; r < R; ++r)
      PELLUCID_UNROLL for (int v = 0; v < V; ++v) sum[r][v] += load(added + r * p.added_row + v * W);
  }
  const vf low = broadcast(p.low), high = broadcast(p.high);
  float* c = p.c + row * p.c_row + column;
  PELLUCID_UNROLL for (int r = 0; r < R; ++r)
    PELLUCID_UNROLL for (int v = 0; v < V; ++v) store(c + r * p.c_row + v * W, smaller(high, larger(low, sum[r][v])));
}

template <int R, int V>
void tile(const Convolution& p, Size first) {
  const Size a_row = p.a_row, b_row = p.b_row;
  const float *a = p.a + first * a_row, *c = p.c + first * p.c_row;
  vf sum[R][V];
  PELLUCID_UNROLL for (int v = 0; v < V; ++v) {
    const vf start = p.bias ? load(p.bias + v * W) : vf{};
    PELLUCID_UNROLL for (int r = 0; r < R; ++r) sum[r][v] = p.accumulate ? load(c + r * p.c_row + v * W) : start;
  }
  for (Size t = 0; t < p.num_taps; ++t) {
    const float *b = p.b + p.taps[t].b * b_row, *base[(R + 2) / 3];
    PELLUCID_UNROLL for (int i = 0; i < (R + 2) / 3; ++i) base[i] = a + p.taps[t].a + 3 * i * a_row;
    for (Size k = 0; k < p.depth; ++k) {
      vf row[V];
      PELLUCID_UNROLL for (int v = 0; v < V; ++v) row[v] = load(b + v * W);
      PELLUCID_UNROLL for (int r = 0; r < R; ++r) {
        const vf x = broadcast(base[r / 3][r % 3 * a_row]);
        PELLUCID_UNROLL for (int v = 0; v < V; ++v) sum[r][v] = fma(x, row[v], sum[r][v]);
      }
      PELLUCID_UNROLL for (int i = 0; i < (R + 2) / 3; ++i) ++base[i];
      b += b_row;
    }
  }
  finish(p, first, 0, sum);
}

// Rows of a weight gradient: each pixel adds the product of R neighboring inputs and V vectors of dz.
template <int R, int V>
void gradient_tile(const ConvolutionGradient& p, const float* x, float* to) {
  vf sum[R][V];
  PELLUCID_UNROLL for (int r = 0; r < R; ++r)
    PELLUCID_UNROLL for (int v = 0; v < V; ++v) sum[r][v] = p.accumulate ? load(to + r * p.to_row + v * W) : vf{};
  for (Size s = 0; s < p.samples; ++s)
    for (Size y = 0; y < p.height; ++y) {
      const float *from = x + s * p.x_sample + y * p.x_row, *dz = p.dz + s * p.dz_sample + y * p.dz_row;
      for (Size i = 0; i < p.width; ++i) {
        vf row[V];
        PELLUCID_UNROLL for (int v = 0; v < V; ++v) row[v] = load(dz + v * W);
        PELLUCID_UNROLL for (int r = 0; r < R; ++r) {
          const vf one = broadcast(from[r]);
          PELLUCID_UNROLL for (int v = 0; v < V; ++v) sum[r][v] = fma(one, row[v], sum[r][v]);
        }
        from += p.x_pixel;
        dz += p.dz_pixel;
      }
    }
  PELLUCID_UNROLL for (int r = 0; r < R; ++r)
    PELLUCID_UNROLL for (int v = 0; v < V; ++v) store(to + r * p.to_row + v * W, sum[r][v]);
}

// Rows of a depthwise convolution: A, like B, has a number for each channel, so vectors are multiplied lane by lane. A tap
// is one pixel or, if `depth` says so, a row of the window.
template <int R>
struct AnyWindow {
  PELLUCID_INLINE static void add(const Convolution& p, const float* a, const float* b, vf (&sum)[R][1]) {
    for (Size k = 0; k < p.depth; ++k, a += p.a_depth, b += p.b_row) {
      const vf weight = load(b);
      PELLUCID_UNROLL for (int r = 0; r < R; ++r) sum[r][0] = fma(load(a + r * p.a_row), weight, sum[r][0]);
    }
  }
};

// The same for windows of a known width and stride: each pixel is loaded once for all windows that see it.
template <int width, int stride>
struct Window {
  template <int R>
  struct Rows {
    PELLUCID_INLINE static void add(const Convolution& p, const float* a, const float* b, vf (&sum)[R][1]) {
      vf weight[width];
      PELLUCID_UNROLL for (int k = 0; k < width; ++k) weight[k] = load(b + k * p.b_row);
      _Pragma("GCC unroll 32") for (int i = 0; i < (R - 1) * stride + width; ++i) {
        const vf x = load(a + i * p.a_depth);
        PELLUCID_UNROLL for (int k = 0; k < width; ++k)
          if (i >= k && (i - k) % stride == 0 && (i - k) / stride < R)
            sum[(i - k) / stride][0] = fma(x, weight[k], sum[(i - k) / stride][0]);
      }
    }
  };
};

// The same on the way back, where windows of stride 1 go from right to left.
template <int width>
struct Mirrored {
  template <int R>
  struct Rows {
    PELLUCID_INLINE static void add(const Convolution& p, const float* a, const float* b, vf (&sum)[R][1]) {
      vf weight[width];
      PELLUCID_UNROLL for (int k = 0; k < width; ++k) weight[k] = load(b + k * p.b_row);
      PELLUCID_UNROLL for (int i = R - 1; i > -width; --i) {
        const vf x = load(a + i * p.a_row);
        PELLUCID_UNROLL for (int k = 0; k < width; ++k)
          if (i + k >= 0 && i + k < R) sum[i + k][0] = fma(x, weight[k], sum[i + k][0]);
      }
    }
  };
};

template <int R, class Rows>
void channel_tile(const Convolution& p, Size first) {
  const float *a = p.a + first * p.a_row, *c = p.c + first * p.c_row;
  for (int v = 0; v < p.vectors; ++v) {
    vf sum[R][1];
    const vf start = p.bias ? load(p.bias + v * W) : vf{};
    PELLUCID_UNROLL for (int r = 0; r < R; ++r) sum[r][0] = p.accumulate ? load(c + r * p.c_row + v * W) : start;
    for (Size t = 0; t < p.num_taps; ++t) Rows::add(p, a + p.taps[t].a + v * W, p.b + p.taps[t].b * p.b_row + v * W, sum);
    finish(p, first, v * W, sum);
  }
}

// Rows of the gradient of depthwise weights, for a row of the window: its pixels from `first` on. A sum is one over the even
// and one over the odd pixels of all rows.
template <int width, int stride>
void window_gradient(const ConvolutionGradient& p, Size column, Size first = 0) {
  float* to = p.to + first * p.to_row + column;
  vf sum[2][width];
  PELLUCID_UNROLL for (int k = 0; k < width; ++k) {
    sum[0][k] = p.accumulate ? load(to + k * p.to_row) : vf{};
    sum[1][k] = vf{};
  }
  for (Size s = 0; s < p.samples; ++s)
    for (Size y = 0; y < p.height; ++y) {
      const float* x = p.x + s * p.x_sample + y * p.x_row + first * p.x_depth + column;
      const float* dz = p.dz + s * p.dz_sample + y * p.dz_row + column;
      Size i = 0;
      for (; i + 1 < p.width; i += 2, x += 2 * p.x_pixel, dz += 2 * p.dz_pixel) {
        const vf even = load(dz), odd = load(dz + p.dz_pixel);
        if constexpr (width == 1) {
          sum[0][0] = fma(load(x), even, sum[0][0]);
          sum[1][0] = fma(load(x + p.x_pixel), odd, sum[1][0]);
        } else {
          PELLUCID_UNROLL for (int k = 0; k < width + stride; ++k) {
            const vf pixel = load(x + k * p.x_depth);
            if (k < width) sum[0][k] = fma(pixel, even, sum[0][k]);
            if (k >= stride) sum[1][k - stride] = fma(pixel, odd, sum[1][k - stride]);
          }
        }
      }
      if (i == p.width) continue;
      const vf last = load(dz);
      PELLUCID_UNROLL for (int k = 0; k < width; ++k) sum[0][k] = fma(load(x + k * p.x_depth), last, sum[0][k]);
    }
  PELLUCID_UNROLL for (int k = 0; k < width; ++k) store(to + k * p.to_row, sum[0][k] + sum[1][k]);
}

using ConvolutionTile = void (*)(const Convolution&, Size first);
using GradientTile = void (*)(const ConvolutionGradient&, const float*, float*);

// All rows, in as few tiles as possible, of nearly equal heights: 14 rows are 7 and 7, not 12 and 2.
template <int count>
PELLUCID_INLINE void sweep_evenly(const Convolution& p, const ConvolutionTile (&tiles)[count]) {
  const Size parts = (p.rows + count - 1) / count;
  for (Size part = 0, row = 0; part < parts; ++part) {
    const Size next = p.rows * (part + 1) / parts;
    tiles[next - row - 1](p, row);
    row = next;
  }
}

template <int V, int... R>
void all_rows(const Convolution& p, Heights<R...>) {
  static constexpr ConvolutionTile tiles[] = {tile<R, V>...};
  sweep_evenly(p, tiles);
}

template <int V, int... R>
void all_rows(const ConvolutionGradient& p, Heights<R...>) {
  static constexpr GradientTile tiles[] = {gradient_tile<R, V>...};
  constexpr int count = sizeof...(R);
  for (Size row = 0; row < p.rows; row += count)
    tiles[(p.rows - row < count ? p.rows - row : count) - 1](p, p.x + row, p.to + row * p.to_row);
}

template <template <int> class Rows, int... R>
void all_channel_rows(const Convolution& p, Heights<R...>) {
  static constexpr ConvolutionTile tiles[] = {channel_tile<R, Rows<R>>...};
  sweep_evenly(p, tiles);
}

// The more vectors a tile has, the fewer rows: all its sums must fit into registers.
template <class Work>
PELLUCID_INLINE void by_vectors(const Work& p) {
  switch (p.vectors) {
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

}  // namespace

void convolve(const Convolution& p) { by_vectors(p); }

void convolve_gradient(const ConvolutionGradient& p) { by_vectors(p); }

void convolve_channels(const Convolution& p) {
  const bool steps_by_1 = p.a_row == p.a_depth, steps_by_2 = p.a_row == 2 * p.a_depth;
  if (p.depth == 3 && steps_by_1) return all_channel_rows<Window<3, 1>::Rows>(p, UpTo8{});
  if (p.depth == 3 && steps_by_2) return all_channel_rows<Window<3, 2>::Rows>(p, UpTo8{});
  if (p.depth == 5 && steps_by_1) return all_channel_rows<Window<5, 1>::Rows>(p, UpTo8{});
  if (p.depth == 5 && steps_by_2) return all_channel_rows<Window<5, 2>::Rows>(p, UpTo8{});
  if (p.depth == 3 && p.a_row == -p.a_depth) return all_channel_rows<Mirrored<3>::Rows>(p, UpTo8{});
  if (p.depth == 5 && p.a_row == -p.a_depth) return all_channel_rows<Mirrored<5>::Rows>(p, UpTo8{});
  all_channel_rows<AnyWindow>(p, UpTo8{});
}

void convolve_channels_gradient(const ConvolutionGradient& p) {
  for (int v = 0; v < p.vectors; ++v) {
    if (p.rows == 3 && p.x_pixel == p.x_depth) window_gradient<3, 1>(p, v * W);
    else if (p.rows == 3 && p.x_pixel == 2 * p.x_depth) window_gradient<3, 2>(p, v * W);
    else if (p.rows == 5 && p.x_pixel == p.x_depth) window_gradient<5, 1>(p, v * W);
    else if (p.rows == 5 && p.x_pixel == 2 * p.x_depth) window_gradient<5, 2>(p, v * W);
    else
      for (Size row = 0; row < p.rows; ++row) window_gradient<1, 1>(p, v * W, row);
  }
}

}  // namespace pellucid::PELLUCID_ISA
