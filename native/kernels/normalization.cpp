// Batch normalization of the columns of one panel, by the formulas of pellucid/nn/layers/batch_normalization.py.
//
// A thread owns whole columns, so mean and variance need no other thread. The normalized value h is not stored: computing it
// again on the way back costs less than reading it.
#include "simd/simd.hpp"
#include "kernels/columns.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

void column_sums(const Block& block, float* sums, bool accumulate) {
  for (int v = 0; v < block.vectors; ++v) {
    const float* x = block.data + v * W;
    const vf sum = sum_rows(block.rows, [&](Size r) { return load(x + r * block.stride); });
    store(sums + v * W, accumulate ? load(sums + v * W) + sum : sum);
  }
}

void normalize(const Normalization& n, const float* x, const Block& y) {
  const float count = (float)y.rows;
  for (int v = 0; v < y.vectors; ++v) {
    const Size column = v * W;
    const auto at = [&](Size r) { return load(x + r * y.stride + column); };
    const vf mean = sum_rows(y.rows, at) / count;
    const vf variance = sum_rows(y.rows, [&](Size r) { const vf d = at(r) - mean; return d * d; }) / count;
    const vf inverse_std = 1.0f / square_root(variance + n.epsilon);
    const vf gamma = load(n.gamma + column), beta = load(n.beta + column);
    for (Size r = 0; r < y.rows; ++r)
      store(y.data + r * y.stride + column, gamma * ((at(r) - mean) * inverse_std) + beta);
    store(n.mean + column, mean);
    store(n.inverse_std + column, inverse_std);
    if (y.rows > 1) {  // one value has no variance to learn from
      store(n.moving_mean + column, n.keep * load(n.moving_mean + column) + n.take * mean);
      store(n.moving_variance + column, n.keep * load(n.moving_variance + column) + n.take * variance);
    }
  }
}

void normalize_backward(const Normalization& n, const float* x, const Block& dy) {
  const float count = (float)dy.rows;
  for (int v = 0; v < dy.vectors; ++v) {
    const Size column = v * W;
    const vf mean = load(n.mean + column), inverse_std = load(n.inverse_std + column);
    const auto gradient = [&](Size r) { return load(dy.data + r * dy.stride + column); };
    const auto h = [&](Size r) { return (load(x + r * dy.stride + column) - mean) * inverse_std; };
    const vf dgamma = sum_rows(dy.rows, [&](Size r) { return gradient(r) * h(r); });
    const vf dbeta = sum_rows(dy.rows, gradient);
    const vf scale = load(n.gamma + column) * inverse_std, dbeta_mean = dbeta / count, dgamma_mean = dgamma / count;
    for (Size r = 0; r < dy.rows; ++r)
      store(dy.data + r * dy.stride + column, (gradient(r) - dbeta_mean - h(r) * dgamma_mean) * scale);
    store(n.dgamma + column, dgamma);
    store(n.dbeta + column, dbeta);
  }
}

// With the moving averages, as in prediction; in place.
void normalize_inference(const Normalization& n, const Block& x) {
  for (int v = 0; v < x.vectors; ++v) {
    const Size column = v * W;
    const vf mean = load(n.moving_mean + column), gamma = load(n.gamma + column), beta = load(n.beta + column);
    const vf inverse_std = 1.0f / square_root(load(n.moving_variance + column) + n.epsilon);
    for (Size r = 0; r < x.rows; ++r) {
      float* at = x.data + r * x.stride + column;
      store(at, gamma * ((load(at) - mean) * inverse_std) + beta);
    }
  }
}

}  // namespace pellucid::PELLUCID_ISA
