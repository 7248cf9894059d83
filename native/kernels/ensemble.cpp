// What sets the networks of an ensemble apart: each has its own scales, and maybe shifts, of the columns of its rows (see
// pellucid/nn/layers/ensemble_dense.py). A sample has a row for each network, one after the other.
#include "simd/simd.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Calls work(row, place): each row with the place of its network's numbers in the tables.
template <class Work>
PELLUCID_INLINE void each_row(const EnsembleScales& s, const Block& block, Work work) {
  const Size width = (Size)block.vectors * W, end = s.size * width;
  for (Size r = 0, place = s.first * width; r < block.rows; ++r) {
    work(r, place);
    place = place + width == end ? 0 : place + width;
  }
}

}  // namespace

// y = x scale + shift
void ensemble_scale(const EnsembleScales& s, const float* x, Size x_stride, const Block& y) {
  each_row(s, y, [&](Size r, Size place) {
    const float *from = x + r * x_stride, *scale = s.scale + place, *shift = s.shift ? s.shift + place : nullptr;
    float* to = y.data + r * y.stride;
    for (Size i = 0; i < y.vectors * W; i += W)
      store(to + i, s.shift ? fma(load(from + i), load(scale + i), load(shift + i)) : load(from + i) * load(scale + i));
  });
}

// dscale += dy x and dshift += dy, for each network; then dx = dy scale, in the place of dy. x has the stride of dy.
void ensemble_scale_backward(const EnsembleScales& s, const float* x, const Block& dy, float* dscale, float* dshift) {
  each_row(s, dy, [&](Size r, Size place) {
    const float *from = x + r * dy.stride, *scale = s.scale + place;
    float *d = dy.data + r * dy.stride, *scales = dscale + place, *shifts = dshift ? dshift + place : nullptr;
    for (Size i = 0; i < dy.vectors * W; i += W) {
      const vf gradient = load(d + i);
      store(scales + i, fma(gradient, load(from + i), load(scales + i)));
      if (dshift) store(shifts + i, load(shifts + i) + gradient);
      store(d + i, gradient * load(scale + i));
    }
  });
}

}  // namespace pellucid::PELLUCID_ISA
