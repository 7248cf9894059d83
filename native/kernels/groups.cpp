// GroupedDense: for each group of columns a weighted sum of its own, by the formulas of
// pellucid/nn/layers/tabular/grouped_dense.py.
//
// Where each group is a column and its bins, nothing is made of the bins. As in encoding.cpp, a number that is in bin t needs
// two sums of their weights, up to the lower edge and up to the upper one. `sum_groups` makes these sums for all bins; row by
// row, `add_groups` looks them up. On the way back a row gives its gradient to the same two sums; a weight is part of all
// sums above it, so its gradient is the sum of theirs.
#include "simd/simd.hpp"
#include "kernels/columns.hpp"
#include "kernels/find_bin.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Calls f(first number, how many) for each vector of the units.
template <class F>
PELLUCID_INLINE void each_vector(Size units, F f) {
  for (Size v = 0; v < units; v += W) f(v, (int)(units - v < W ? units - v : W));
}

PELLUCID_INLINE Size padded(Size units) { return (units + W - 1) / W * W; }

PELLUCID_INLINE void put(float* to, vf value, int count, bool accumulate) {
  store_part(to, accumulate ? load_part(to, count) + value : value, count);
}

}  // namespace

void multiply_groups(const Groups& g, Size rows, const float* x, Size x_row, float* y, Size y_row) {
  for (Size r = 0; r < rows; ++r, x += x_row, y += y_row)
    for (Size group = 0; group < g.count; ++group)
      each_vector(g.units, [&](Size v, int count) {
        vf sum = load_part(g.bias + group * g.units + v, count);
        for (Size i = g.start[group]; i < g.start[group + 1]; ++i)
          sum = fma(broadcast(x[g.column[i]]), load_part(g.weight + i * g.units + v, count), sum);
        store_part(y + group * g.units + v, sum, count);
      });
}

void groups_backward(const Groups& g, Size rows, const float* dy, Size dy_row, float* dx, Size dx_row) {
  for (Size r = 0; r < rows; ++r, dy += dy_row, dx += dx_row)
    for (Size group = 0; group < g.count; ++group)
      for (Size i = g.start[group]; i < g.start[group + 1]; ++i) {
        vf sum{};
        each_vector(g.units, [&](Size v, int count) {
          sum = fma(load_part(dy + group * g.units + v, count), load_part(g.weight + i * g.units + v, count), sum);
        });
        dx[g.column[i]] = sum_lanes(sum);
      }
}

void groups_gradient(const Groups& g, Size group, Size rows, const float* x, Size x_row, const float* dy, Size dy_row,
                     float* dweight, float* dbias, bool accumulate) {
  each_vector(g.units, [&](Size v, int count) {
    const auto gradient = [&](Size r) { return load_part(dy + r * dy_row + group * g.units + v, count); };
    put(dbias + group * g.units + v, sum_rows(rows, gradient), count, accumulate);
    for (Size i = g.start[group]; i < g.start[group + 1]; ++i) {
      const float* number = x + g.column[i];
      put(dweight + i * g.units + v, sum_rows(rows, [&](Size r) { return gradient(r) * number[r * x_row]; }), count,
          accumulate);
    }
  });
}

// Of each group the bias, the weight of the column itself, and the sums of the weights of its bins, from 0 on.
void sum_groups(const BinGroups& g, float* to) {
  const Size width = padded(g.units);
  const float *weight = g.weight, *bias = g.bias;
  for (Size c = 0; c < g.encoding.columns; ++c) {
    const Size bins = g.encoding.bins_of[c];
    if (bins == 0) continue;
    each_vector(g.units, [&](Size v, int count) {
      store(to + v, load_part(bias + v, count));
      store(to + width + v, load_part(weight + v, count));
      vf sum{};
      for (Size t = 0; t <= bins; ++t) {
        store(to + (2 + t) * width + v, sum);
        if (t < bins) sum += load_part(weight + (1 + t) * g.units + v, count);
      }
    });
    to += (bins + 3) * width;
    weight += (bins + 1) * g.units;
    bias += g.units;
  }
}

void add_groups(const BinGroups& g, const float* sums, Size rows, const float* x, Size x_row, float* y, Size y_row) {
  const Size width = padded(g.units);
  for (Size r = 0; r < rows; ++r, x += x_row, y += y_row) {
    const float* own = sums;
    float* to = y;
    for (Size c = 0, start = 0; c < g.encoding.columns; start += g.encoding.bins_of[c++]) {
      const Size bins = g.encoding.bins_of[c];
      if (bins == 0) continue;
      const InBin in = find_bin(g.encoding, c, start, x[c]);
      const float* at = own + (2 + in.bin) * width;
      const vf number = broadcast(x[c]), lower = broadcast(in.lower), upper = broadcast(in.upper);
      each_vector(g.units, [&](Size v, int count) {
        const vf line = fma(number, load(own + width + v), load(own + v));
        store_part(to + v, fma(upper, load(at + width + v), fma(lower, load(at + v), line)), count);
      });
      own += (bins + 3) * width;
      to += g.units;
    }
  }
}

// dx_c = dy_c (w_c + the weight of the bin that x_c is in, times its slope, unless it is held there).
void bin_groups_backward(const BinGroups& g, Size rows, const float* x, Size x_row, const float* dy, Size dy_row, float* dx,
                         Size dx_row) {
  const Encoding& e = g.encoding;
  for (Size r = 0; r < rows; ++r, x += x_row, dy += dy_row, dx += dx_row) {
    const float *weight = g.weight, *own = dy;
    for (Size c = 0, start = 0; c < e.columns; start += e.bins_of[c++]) {
      const Size bins = e.bins_of[c];
      if (bins == 0) continue;
      const Size t = find_bin(e, c, start, x[c]).bin, bin = start + t;
      const float through = (x[c] - e.low[bin]) * e.slope[bin];
      const float slope = through >= e.least[bin] && through < e.most[bin] ? e.gain * e.slope[bin] : 0.0f;
      vf sum{};
      each_vector(g.units, [&](Size v, int count) {
        const vf line = load_part(weight + v, count), bend = load_part(weight + (1 + t) * g.units + v, count);
        sum = fma(load_part(own + v, count), fma(broadcast(slope), bend, line), sum);
      });
      dx[c] = sum_lanes(sum);
      weight += (bins + 1) * g.units;
      own += g.units;
    }
  }
}

// Of the group of column c, whose bins begin at `start`; x and dy are its own column and numbers. `room` is for
// (bins + 1, units), whole vectors.
void bin_groups_gradient(const BinGroups& g, Size c, Size start, Size rows, const float* x, Size x_row, const float* dy,
                         Size dy_row, float* room, float* dweight, float* dbias, bool accumulate) {
  const Size bins = g.encoding.bins_of[c], width = padded(g.units);
  for (Size i = 0; i < (bins + 1) * width; i += W) store(room + i, vf{});
  for (Size r = 0; r < rows; ++r) {
    const InBin in = find_bin(g.encoding, c, start, x[r * x_row]);
    float* at = room + in.bin * width;
    each_vector(g.units, [&](Size v, int count) {
      const vf gradient = load_part(dy + r * dy_row + v, count);
      store(at + v, fma(broadcast(in.lower), gradient, load(at + v)));
      store(at + width + v, fma(broadcast(in.upper), gradient, load(at + width + v)));
    });
  }
  each_vector(g.units, [&](Size v, int count) {
    const auto gradient = [&](Size r) { return load_part(dy + r * dy_row + v, count); };
    put(dbias + v, sum_rows(rows, gradient), count, accumulate);
    put(dweight + v, sum_rows(rows, [&](Size r) { return gradient(r) * x[r * x_row]; }), count, accumulate);
    vf above{};
    for (Size t = bins; t-- > 0;) {
      above += load(room + (t + 1) * width + v);
      put(dweight + (1 + t) * g.units + v, above, count, accumulate);
    }
  });
}

}  // namespace pellucid::PELLUCID_ISA
