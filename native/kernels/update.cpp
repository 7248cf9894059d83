// The update of a flat range of parameters from its gradient, by the formulas of pellucid/mathematics/optimizers.py.
//
// The gradient of the penalty is added first, then each element is clipped, all in the same pass. A range is a tile of the
// weight gradient that has just been computed (it lies in the nearest cache, as do the parameters), or a bias, or all
// parameters when a global norm had to be known first. The pass reads p, g and the slots once, and writes p and the slots
// once.
//
// `finite` sums up p * 0 of all parameters written: 0, or NaN once one of them is not finite. Where elements are clipped,
// which could hide an infinite one, it sums up g * 0 too.
#include "simd/simd.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// l1 sign(w) + 2 l2 w
PELLUCID_INLINE vf penalty_gradient(const Update& u, vf w) {
  const vf zero{}, l1 = broadcast(u.l1);
  return w * u.twice_l2 + select(w > zero, l1, select(w < zero, zero - l1, zero));
}

template <Rule rule>
void run(const Update& u, Size count, float* p, const float* g, float* first, float* second, float* finite) {
  const bool has_penalty = u.l1 != 0 || u.twice_l2 != 0, clips = u.bound < __FLT_MAX__;
  const vf zero{};
  vf check{}, gradient_check{};
  for (Size i = 0; i < count; i += W) {
    vf w = load(p + i), d = load(g + i);
    if (has_penalty) d += penalty_gradient(u, w);
    if (clips) {
      gradient_check = fma(d, zero, gradient_check);
      d = smaller(zero + u.bound, larger(zero - u.bound, d));  // a NaN stays
    }
    d *= u.scale;
    w *= u.shrink;
    if constexpr (rule == Rule::descent) {
      w -= u.rate * d;
    } else if constexpr (rule == Rule::momentum || rule == Rule::nesterov) {
      const vf v = fma(zero + u.keep1, load(first + i), d);
      store(first + i, v);
      w -= u.rate * (rule == Rule::nesterov ? fma(zero + u.keep1, v, d) : v);
    } else if constexpr (rule == Rule::adam) {
      vf m = load(first + i), v = load(second + i);
      m = fma(zero + u.take1, d - m, m);
      v = fma(zero + u.take2, d * d - v, v);
      store(first + i, m);
      store(second + i, v);
      w -= u.rate * (m / (square_root(v) + u.epsilon));
    } else {
      vf v = load(first + i);
      v = rule == Rule::rmsprop ? fma(zero + u.take1, d * d - v, v) : fma(d, d, v);
      store(first + i, v);
      w -= u.rate * (d / (square_root(v) + u.epsilon));
    }
    store(p + i, w);
    check = fma(w, zero, check);
  }
  store(finite, load(finite) + check);
  store(finite + W, load(finite + W) + gradient_check);
}

}  // namespace

// The penalty alone, where the whole gradient must be known before the update: g <- g + d penalty / dp.
void add_penalty(const Update& u, Size count, const float* p, float* g) {
  for (Size i = 0; i < count; i += W) store(g + i, load(g + i) + penalty_gradient(u, load(p + i)));
}

void update(const Update& u, Size count, float* p, const float* g, float* first, float* second, float* finite) {
  switch (u.rule) {
    case Rule::descent: return run<Rule::descent>(u, count, p, g, first, second, finite);
    case Rule::momentum: return run<Rule::momentum>(u, count, p, g, first, second, finite);
    case Rule::nesterov: return run<Rule::nesterov>(u, count, p, g, first, second, finite);
    case Rule::adam: return run<Rule::adam>(u, count, p, g, first, second, finite);
    case Rule::rmsprop: return run<Rule::rmsprop>(u, count, p, g, first, second, finite);
    case Rule::adagrad: return run<Rule::adagrad>(u, count, p, g, first, second, finite);
  }
}

}  // namespace pellucid::PELLUCID_ISA
