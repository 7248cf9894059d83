// The update: from a gradient to a step, on flat ranges of parameters, by the formulas of pellucid/mathematics/optimizers.py.
//
// The price on weights and the bound on the gradient come first, in the same pass. A range is a tile of the weight
// gradient that has just been computed (it lies in the nearest cache, as do the parameters), or a bias, or everything when
// a global norm had to be known first. One pass reads p, g and the slots once, and writes p and the slots once.
//
// `finite` collects p * 0 for all parameters written, which is NaN for ever once one of them is not finite; and g * 0 where
// a bound on each element could hide an infinite one.
#include "simd/simd.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

PELLUCID_INLINE vf price(const Update& u, vf w) {
  const vf zero{}, l1 = broadcast(u.l1);
  return w * u.twice_l2 + select(w > zero, l1, select(w < zero, zero - l1, zero));
}

template <Rule rule>
void run(const Update& u, Size count, float* p, const float* g, float* first, float* second, float* finite) {
  const bool priced = u.l1 != 0 || u.twice_l2 != 0, bounded = u.bound < __FLT_MAX__;
  const vf zero{};
  vf check{}, gradient_check{};
  for (Size i = 0; i < count; i += W) {
    vf w = load(p + i), d = load(g + i);
    if (priced) d += price(u, w);
    if (bounded) {
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

// The price alone, where the gradient must be known whole before the update: g <- g + d penalty / dp.
void add_price(const Update& u, Size count, const float* p, float* g) {
  for (Size i = 0; i < count; i += W) store(g + i, load(g + i) + price(u, load(p + i)));
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
