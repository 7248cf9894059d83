// Activations and their derivatives on blocks of a matrix, by the formulas of pellucid/mathematics/activations.py.
//
// They run right after the product that made a block, while it lies in the nearest cache. The derivative is computed from
// a = f(z) where that is possible; for the other activations the sum z is kept (`keeps_sum`).
#include "simd/simd.hpp"
#include "simd/vector_math.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

constexpr float leaky_slope = 0.01f;
constexpr float selu_scale = 1.0507009873554805f, selu_alpha = 1.6732632423543772f;
constexpr float gelu_cubic = 0.044715f, gelu_root = 0.7978845608028654f;  // sqrt(2 / pi)
constexpr vf zero{};
constexpr vf one = zero + 1.0f;

PELLUCID_INLINE vf clip(vf x, float low, float high) { return smaller(zero + high, larger(zero + low, x)); }

PELLUCID_INLINE vf gelu_inner(vf z) {
  const vf x = clip(z, -50.0f, 50.0f);  // beyond, tanh is exactly +-1
  return gelu_root * (x + gelu_cubic * x * x * x);
}

template <Activation kind>
PELLUCID_INLINE vf value(vf z) {
  if constexpr (kind == Activation::relu) return larger(zero, z);  // a NaN stays
  if constexpr (kind == Activation::relu6) return clip(z, 0.0f, 6.0f);
  if constexpr (kind == Activation::leaky_relu) return larger(leaky_slope * z, z);
  if constexpr (kind == Activation::elu) return select(z > zero, z, exponential_minus_1(smaller(zero, z)));
  if constexpr (kind == Activation::selu)
    return selu_scale * select(z > zero, z, selu_alpha * exponential_minus_1(smaller(zero, z)));
  if constexpr (kind == Activation::gelu) return 0.5f * z * (one + hyperbolic_tangent(gelu_inner(z)));
  if constexpr (kind == Activation::silu) return z * sigmoid(z);
  if constexpr (kind == Activation::softplus)
    return larger(zero, z) + logarithm_1_plus(exponential(zero - absolute(z)));
  if constexpr (kind == Activation::sigmoid) return sigmoid(z);
  if constexpr (kind == Activation::hard_sigmoid) return clip(z / 6.0f + 0.5f, 0.0f, 1.0f);
  if constexpr (kind == Activation::tanh) return hyperbolic_tangent(z);
  return z;
}

// f'(z), from a = f(z) or, where `keeps_sum` says so, from z.
template <Activation kind>
PELLUCID_INLINE vf derivative(vf a, vf z) {
  if constexpr (kind == Activation::relu) return select(a > zero, one, zero);
  if constexpr (kind == Activation::relu6) return select(a < zero + 6.0f, select(a > zero, one, zero), zero);
  if constexpr (kind == Activation::leaky_relu) return select(a > zero, one, zero + leaky_slope);
  if constexpr (kind == Activation::elu) return select(a > zero, one, a + 1.0f);
  if constexpr (kind == Activation::selu) return select(a > zero, zero + selu_scale, a + selu_scale * selu_alpha);
  if constexpr (kind == Activation::gelu) {
    const vf x = clip(z, -50.0f, 50.0f), t = hyperbolic_tangent(gelu_inner(z));
    return 0.5f * (one + t) + 0.5f * x * (one - t * t) * gelu_root * (one + 3.0f * gelu_cubic * x * x);
  }
  if constexpr (kind == Activation::silu) {
    const vf s = sigmoid(z);
    return s + z * s * (one - s);
  }
  if constexpr (kind == Activation::softplus) return sigmoid(z);
  if constexpr (kind == Activation::sigmoid) return a * (one - a);
  if constexpr (kind == Activation::hard_sigmoid) return select(absolute(z) < zero + 3.0f, zero + 1.0f / 6, zero);
  if constexpr (kind == Activation::tanh) return one - a * a;
  return one;
}

// Calls work(place) for each vector of a block. Rows without gaps between them are treated as one long row.
template <class Work>
PELLUCID_INLINE void each_vector(const Block& block, Work work) {
  const bool gapless = block.stride == block.vectors * W;
  const Size rows = gapless ? 1 : block.rows, width = block.vectors * W * (gapless ? block.rows : 1);
  for (Size r = 0; r < rows; ++r)
    for (Size i = 0; i < width; i += W) work(r * block.stride + i);
}

template <Activation kind>
void forward(const Block& block, float* z) {
  float* a = block.data;
  if (z) each_vector(block, [=](Size at) { store(z + at, load(a + at)); });
  each_vector(block, [=](Size at) { store(a + at, value<kind>(load(a + at))); });
}

template <Activation kind>
void backward(const Block& dy, const float* a, const float* z) {
  float* d = dy.data;
  if (z) return each_vector(dy, [=](Size at) { store(d + at, load(d + at) * derivative<kind>(zero, load(z + at))); });
  each_vector(dy, [=](Size at) { store(d + at, load(d + at) * derivative<kind>(load(a + at), zero)); });
}

// Calls `f` with the activation as a compile-time constant.
template <class F>
void with(Activation kind, F f) {
  using A = Activation;
  switch (kind) {
    case A::identity: return;
    case A::relu: return f.template operator()<A::relu>();
    case A::relu6: return f.template operator()<A::relu6>();
    case A::leaky_relu: return f.template operator()<A::leaky_relu>();
    case A::elu: return f.template operator()<A::elu>();
    case A::selu: return f.template operator()<A::selu>();
    case A::gelu: return f.template operator()<A::gelu>();
    case A::silu: return f.template operator()<A::silu>();
    case A::softplus: return f.template operator()<A::softplus>();
    case A::sigmoid: return f.template operator()<A::sigmoid>();
    case A::hard_sigmoid: return f.template operator()<A::hard_sigmoid>();
    case A::tanh: return f.template operator()<A::tanh>();
  }
}

}  // namespace

void activate(Activation kind, const Block& block, float* z) {
  with(kind, [&]<Activation k>() { forward<k>(block, z); });
}

void activate_backward(Activation kind, const Block& dy, const float* a, const float* z) {
  with(kind, [&]<Activation k>() { backward<k>(dy, a, z); });
}

}  // namespace pellucid::PELLUCID_ISA
