// Dropout: y = x m / (1 - rate). The mask m is a function of (seed, step, layer, element), by the same hash as in
// pellucid/core/random.py. It is not stored: the way back computes it again and applies it to the gradient.
#include "simd/simd.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

PELLUCID_INLINE vu mix(vu x) {
  x ^= x >> 16;
  x *= 0x21F0AAADu;
  x ^= x >> 15;
  x *= 0xD35A2D97u;
  return x ^ (x >> 15);
}

}  // namespace

// `first` is the index of the block's first element in the batch, `width` the number of elements in a row of the batch.
void dropout(const Mask& mask, const float* x, const Block& y, std::uint32_t first, std::uint32_t width) {
  constexpr std::uint32_t golden = 0x9E3779B1u;
  vu lanes{};
  for (int i = 0; i < W; ++i) lanes[i] = (std::uint32_t)i * golden + mask.low;
  const vf dropped{}, kept = dropped + mask.factor;
  for (Size r = 0; r < y.rows; ++r, first += width) {
    for (int v = 0; v < y.vectors; ++v) {
      const vu random = mix(mix(lanes + (first + (std::uint32_t)(v * W)) * golden) ^ mask.high);
      const vf factor = select((vi)(random >= mask.threshold), kept, dropped);
      const Size at = r * y.stride + v * W;
      store(y.data + at, load(x + at) * factor);
    }
  }
}

}  // namespace pellucid::PELLUCID_ISA
