// The bins of PiecewiseLinearEncoding: how far a number has come through each bin of its column.
//
// The bins of a column lie one after another, so one number meets a vector of bins at a time. What the last vector of a
// column writes beyond its bins is overwritten by those of the next one.
//
// A weighted sum of the bins needs none of them. Below the bin t that a number is in, all are 1, above it all are 0. With
// the sums of the weights of a column, s_t = w_0 + ... + w_(t-1),
//
//     gain sum_t e_t w_t  =  gain (s_t + e_t w_t)  =  gain (1 - e_t) s_t  +  gain e_t s_(t+1)
//
// two products in place of one for each bin. `sum_weights` makes the sums for many rows; for a few, `add_bins` adds them
// up itself, in the same order, so that the bits are the same.
#include "simd/simd.hpp"
#include "kernels/find_bin.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

void encode(const Encoding& e, Size rows, float* x, Size x_row) {
  for (Size r = 0; r < rows; ++r, x += x_row) {
    float* y = x + e.columns;
    for (Size c = 0, start = 0; c < e.columns; start += e.bins_of[c++]) {
      const vf number = broadcast(x[c]);
      for (Size t = start; t < start + e.bins_of[c]; t += W) {
        const vf through = (number - load(e.low + t)) * load(e.slope + t);
        const vf held = e.gain * smaller(load(e.most + t), larger(load(e.least + t), through));
        if (t + W <= e.bins) store(y + t, held);
        else store_part(y + t, held, (int)(e.bins - t));
      }
    }
  }
}

// dx_c = dy_c + the sum over its bins of dy_t gain / width_t, where they are not held. What a vector holds beyond the bins of
// its column counts as 0.
void encode_backward(const Encoding& e, Size rows, const float* x, Size x_row, const float* dy, Size dy_row, float* dx,
                     Size dx_row) {
  vi lanes{};
  for (int i = 0; i < W; ++i) lanes[i] = i;
  for (Size r = 0; r < rows; ++r, x += x_row, dy += dy_row, dx += dx_row) {
    for (Size c = 0, start = 0; c < e.columns; start += e.bins_of[c++]) {
      const vf number = broadcast(x[c]);
      const Size end = start + e.bins_of[c];
      vf sum{};
      for (Size t = start; t < end; t += W) {
        const vf slope = load(e.slope + t), through = (number - load(e.low + t)) * slope;
        const vi moves = (through >= load(e.least + t)) & (through < load(e.most + t)) & (lanes < (std::int32_t)(end - t));
        const float* own = dy + e.columns + t;
        const vf gradient = t + W <= e.bins ? load(own) : load_part(own, (int)(e.bins - t));
        sum += select(moves, gradient * (e.gain * slope), vf{});
      }
      dx[c] = dy[c] + sum_lanes(sum);
    }
  }
}

void find_bins(const Encoding& e, Size rows, const float* x, Size x_row, InBin* to) {
  for (Size r = 0; r < rows; ++r, x += x_row)
    for (Size c = 0, start = 0; c < e.columns; start += e.bins_of[c++]) *to++ = find_bin(e, c, start, x[c]);
}

void sum_weights(const Encoding& e, const float* weight, int vectors, float* to) {
  const Size width = (Size)vectors * W;
  for (Size c = 0; c < e.columns; ++c) {
    for (int v = 0; v < vectors; ++v) store(to + v * W, vf{});
    for (Size t = 0; t < e.bins_of[c]; ++t, to += width, weight += width)
      for (int v = 0; v < vectors; ++v) store(to + width + v * W, load(to + v * W) + load(weight + v * W));
    to += width;
  }
}

namespace {

constexpr Size columns_at_once = 4;  // the sums of so many lie in the nearest cache while all rows take theirs

template <int V>
PELLUCID_INLINE void add_from_sums(const Encoding& e, const float* sums, const InBin* in, const Block& to) {
  const float* of[columns_at_once];
  for (Size first = 0; first < e.columns; first += columns_at_once) {
    const Size count = e.columns - first < columns_at_once ? e.columns - first : columns_at_once;
    for (Size c = 0; c < count; ++c) {
      of[c] = sums;
      sums += (e.bins_of[first + c] + 1) * V * W;
    }
    for (Size r = 0; r < to.rows; ++r) {
      float* row = to.data + r * to.stride;
      vf sum[V];
      for (int v = 0; v < V; ++v) sum[v] = load(row + v * W);
      for (Size c = 0; c < count; ++c) {
        if (e.bins_of[first + c] == 0) continue;
        const InBin& i = in[r * e.columns + first + c];
        const float* at = of[c] + i.bin * V * W;
        const vf lower = broadcast(i.lower), upper = broadcast(i.upper);
        for (int v = 0; v < V; ++v)
          sum[v] = fma(upper, load(at + (V + v) * W), fma(lower, load(at + v * W), sum[v]));
      }
      for (int v = 0; v < V; ++v) store(row + v * W, sum[v]);
    }
  }
}

template <int V>
PELLUCID_INLINE void add_from_weights(const Encoding& e, const BinWeights& p, const InBin* in, const Block& to) {
  for (Size r = 0; r < to.rows; ++r) {
    float* row = to.data + r * to.stride;
    const float* weight = p.weight;
    for (Size c = 0; c < e.columns; weight += e.bins_of[c++] * p.units, ++in) {
      if (e.bins_of[c] == 0) continue;
      vf below[V]{};
      const float* w = weight;
      for (Size t = 0; t < in->bin; ++t, w += p.units)
        for (int v = 0; v < V; ++v) below[v] += load(w + v * W);
      for (int v = 0; v < V; ++v) {
        const vf sum = fma(broadcast(in->lower), below[v], load(row + v * W));
        store(row + v * W, fma(broadcast(in->upper), below[v] + load(w + v * W), sum));
      }
    }
  }
}

template <int V>
PELLUCID_INLINE void add_by(const Encoding& e, const BinWeights& p, const InBin* in, const Block& to) {
  if (p.sums) add_from_sums<V>(e, p.sums, in, to);
  else add_from_weights<V>(e, p, in, to);
}

}  // namespace

void add_bins(const Encoding& e, const BinWeights& p, const InBin* in, const Block& to) {
  switch (to.vectors) {
    case wide_vectors: return add_by<wide_vectors>(e, p, in, to);
    case 1: return add_by<1>(e, p, in, to);
#if defined(__AVX512F__)
    case 2: return add_by<2>(e, p, in, to);
    case 3: return add_by<3>(e, p, in, to);
    default: return add_by<4>(e, p, in, to);
#else
    default: return add_by<2>(e, p, in, to);
#endif
  }
}

}  // namespace pellucid::PELLUCID_ISA
