// The waves of PeriodicEmbedding, by the formulas of pellucid/nn/layers/tabular/periodic_embedding.py.
//
// The frequencies of a column lie one after another, so one number meets a vector of them at a time.
#include "simd/simd.hpp"
#include "simd/vector_math.hpp"
#include "kernels/columns.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

constexpr float turn = 6.28318531f;  // 2 pi

// How many of the frequencies of a column, from number f on, are in one vector.
PELLUCID_INLINE int count_from(const Waves& w, Size f) { return (int)(w.frequencies - f < W ? w.frequencies - f : W); }

// w x + b, in turns.
PELLUCID_INLINE vf turns(const Waves& w, vf number, Size at, int count) {
  return load_part(w.frequency + at, count) * number + load_part(w.phase + at, count);
}

// Calls f(embedded column, its first frequency of a vector, its place in the arrays, how many).
template <class F>
PELLUCID_INLINE void each_vector(const Waves& w, Size from, Size to, F f) {
  for (Size e = from; e < to; ++e)
    for (Size start = 0; start < w.frequencies; start += W)
      f(e, e * w.frequencies + start, count_from(w, start));
}

}  // namespace

// y = the columns, and behind them the waves.
void make_waves(const Waves& w, Size rows, const float* x, Size x_row, float* y, Size y_row) {
  for (Size r = 0; r < rows; ++r, x += x_row, y += y_row) {
    for (Size c = 0; c < w.columns; ++c) y[c] = x[c];
    each_vector(w, 0, w.embedded, [&](Size e, Size at, int count) {
      store_part(y + w.columns + at, cosine_of_turns(turns(w, broadcast(x[w.column[e]]), at, count)), count);
    });
  }
}

void waves_backward(const Waves& w, Size rows, const float* x, Size x_row, float* dy, Size dy_row, float* dx, Size dx_row) {
  for (Size r = 0; r < rows; ++r, x += x_row, dy += dy_row) {
    float* to = dx ? dx + r * dx_row : nullptr;
    for (Size c = 0; to && c < w.columns; ++c) to[c] = dy[c];
    each_vector(w, 0, w.embedded, [&](Size e, Size at, int count) {
      float* own = dy + w.columns + at;
      const vf sine = sine_of_turns(turns(w, broadcast(x[w.column[e]]), at, count));
      const vf gradient = -turn * sine * load_part(own, count);
      store_part(own, gradient, count);
      if (to) to[w.column[e]] += sum_lanes(gradient * load_part(w.frequency + at, count));
    });
  }
}

void waves_gradient(const Waves& w, Size from, Size to, Size rows, const float* x, Size x_row, const float* dy, Size dy_row,
                    float* dfrequency, float* dphase, bool accumulate) {
  each_vector(w, from, to, [&](Size e, Size at, int count) {
    const auto gradient = [&](Size r) { return load_part(dy + r * dy_row + w.columns + at, count); };
    const float* number = x + w.column[e];
    const vf of_frequency = sum_rows(rows, [&](Size r) { return gradient(r) * number[r * x_row]; });
    const vf of_phase = sum_rows(rows, gradient);
    const vf zero{};
    store_part(dfrequency + at, of_frequency + (accumulate ? load_part(dfrequency + at, count) : zero), count);
    store_part(dphase + at, of_phase + (accumulate ? load_part(dphase + at, count) : zero), count);
  });
}

}  // namespace pellucid::PELLUCID_ISA
