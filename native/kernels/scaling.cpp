// ScaleFeatures on the columns of one panel, by the formulas of pellucid/nn/layers/tabular/scale_features.py.
//
// A thread owns whole columns, so the gradient of a factor needs no other thread.
#include "simd/simd.hpp"
#include "kernels/columns.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

void scale_columns(const Scaling& s, const float* x, const Block& y) {
  for (int v = 0; v < y.vectors; ++v) {
    const Size column = v * W;
    const vf factor = 1.0f + s.rate * load(s.change + column);
    for (Size r = 0; r < y.rows; ++r) {
      const Size at = r * y.stride + column;
      store(y.data + at, load(x + at) * factor);
    }
  }
}

void scale_columns_backward(const Scaling& s, const float* x, const Block& dy) {
  for (int v = 0; v < dy.vectors; ++v) {
    const Size column = v * W;
    const auto at = [&](Size r) { return r * dy.stride + column; };
    const vf factor = 1.0f + s.rate * load(s.change + column);
    const vf sum = s.rate * sum_rows(dy.rows, [&](Size r) { return load(dy.data + at(r)) * load(x + at(r)); });
    store(s.dchange + column, s.accumulates ? load(s.dchange + column) + sum : sum);
    for (Size r = 0; r < dy.rows; ++r) store(dy.data + at(r), load(dy.data + at(r)) * factor);
  }
}

}  // namespace pellucid::PELLUCID_ISA
