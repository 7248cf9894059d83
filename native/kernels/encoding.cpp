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

}  // namespace pellucid::PELLUCID_ISA
