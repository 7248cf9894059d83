// The bins of PiecewiseLinearEncoding: how far a number has come through each bin of its column.
//
// The bins of a column lie one after another, so one number meets a vector of bins at a time. What the last vector of a
// column writes beyond its bins is overwritten by those of the next one.
#include "simd/simd.hpp"
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

}  // namespace pellucid::PELLUCID_ISA
