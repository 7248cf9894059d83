// Exponential, logarithm, tanh, sigmoid, sine and cosine of vectors of float32, without branches or tables. A result depends
// on its own lane alone, and has the same bits on all instruction sets with fused multiply-add.
//
// The bounds stated are the largest errors over all finite float32 arguments whose exact result is a normal number, in
// units in the last place (ulp) of that result; where the baseline set, without fused multiply-add, has another bound,
// it follows in parentheses. A NaN gives a NaN.
#pragma once

#include "simd/simd.hpp"

namespace pellucid::PELLUCID_ISA {

// c0 + c1 x + c2 x^2 + ...
PELLUCID_INLINE vf polynomial(vf, float c) { return broadcast(c); }
template <class... Rest>
PELLUCID_INLINE vf polynomial(vf x, float c, Rest... rest) {
  return fma(polynomial(x, rest...), x, broadcast(c));
}

// x = n ln 2 + r with n whole and |r| <= ln(2) / 2. Adding 1.5 * 2^23 rounds to a whole number, which then stands in
// the low bits; ln 2 is split in two so that n times its first part is exact. `exponent` is n at the exponent's place.
struct ReducedExponent { vf r; vu exponent; };
PELLUCID_INLINE ReducedExponent reduce_exponent(vf x) {
  const vf shifted = fma(x, broadcast(1.44269504f), broadcast(12582912.0f));
  const vf n = shifted - 12582912.0f;
  const vf r = fma(n, broadcast(-1.42860677e-06f), fma(n, broadcast(-0.693145752f), x));
  return {r, (vu)shifted << 23};
}

// e^r - 1 for |r| <= ln(2) / 2, as r + r^2 q(r).
PELLUCID_INLINE vf exponential_minus_1_reduced(vf r) {
  return fma(r * r, polynomial(r, 0.49999994f, 0.166665196f, 0.0416681729f, 0.00836882275f, 0.00138294545f), r);
}

// e^x for x in [-87.33654, 88.72283]: n is added to the exponent of e^r. Elsewhere, and for a NaN, it may be anything.
PELLUCID_INLINE vf exponential_within(vf x) {
  const ReducedExponent reduced = reduce_exponent(x);
  return (vf)((vu)(exponential_minus_1_reduced(reduced.r) + 1.0f) + reduced.exponent);
}

// e^x, within 1.02 ulp. Results below the normal numbers are 0.
PELLUCID_INLINE vf exponential(vf x) {
  const vf y = select(x < -87.3365402f, vf{}, exponential_within(x));
  return select(x <= 88.7228317f, y, x + __builtin_inff());
}

// e^x - 1 as 2^n (e^r - 1) + (2^n - 1), within 1.47 ulp (1.59). As 2^n may be 2^128, half of it is used and the sum
// doubled, so that a denormal x may change by its last bit. Keeps the sign of a zero.
PELLUCID_INLINE vf exponential_minus_1(vf x) {
  const ReducedExponent reduced = reduce_exponent(smaller(broadcast(89.0f), larger(broadcast(-30.0f), x)));
  const vf half_scale = (vf)(reduced.exponent + (126u << 23));
  const vf half = fma(half_scale, exponential_minus_1_reduced(reduced.r), half_scale - 0.5f);
  return copy_sign(half + half, x);
}

// The whole k, at the exponent's place, for which 2^-k x lies in [sqrt(1/2), sqrt(2)); x > 0 is normal.
PELLUCID_INLINE vu nearest_exponent(vf x) { return ((vu)x - 0x3f3504f3u) & 0xff800000u; }

// log(2^k (1 + f)) for 1 + f in [sqrt(1/2), sqrt(2)], as k ln 2 + f - f^2 / 2 + f^3 q(f); 2^k (1 + f) rounds to u.
// Gives log(u) for the u that have no such form: -infinity for 0, NaN below 0, infinity for infinity.
PELLUCID_INLINE vf logarithm_reduced(vi k, vf f, vf u) {
  const vf n = to_float(k);
  const vf q = polynomial(f, 0.333333164f, -0.250007868f, 0.200022846f, -0.166252717f, 0.141814202f, -0.131227821f,
                          0.128788352f, -0.0787123963f);
  const vf rest = fma(n, broadcast(1.42860677e-06f), f * f * fma(f, q, broadcast(-0.5f)));
  const vf y = fma(n, broadcast(0.693145752f), f) + rest;
  const vf low = select(u == 0.0f, broadcast(-__builtin_inff()), broadcast(__builtin_nanf("")));
  return select(u < __builtin_inff(), select(u > 0.0f, y, low), u);
}

// log(x), within 1.52 ulp. An x below the normal numbers is first scaled by 2^23.
PELLUCID_INLINE vf logarithm(vf x) {
  const vi tiny = x < 1.17549435e-38f;
  const vf scaled = select(tiny, x * 8388608.0f, x);
  const vu k = nearest_exponent(scaled);
  return logarithm_reduced(((vi)k >> 23) - (tiny & 23), (vf)((vu)scaled - k) - 1.0f, x);
}

// log(1 + x), within 1.67 ulp (1.69). k is that of the rounded 1 + x; f = 2^-k x + (2^-k - 1) is rounded only once.
// Keeps the sign of a zero.
PELLUCID_INLINE vf logarithm_1_plus(vf x) {
  const vf u = 1.0f + x;
  const vu k = nearest_exponent(u);
  const vf inverse = larger((vf)(0x3f800000u - k), vf{});  // 2^-k; its bits would be those of -infinity for k = 128
  return copy_sign(logarithm_reduced((vi)k >> 23, (vf)((vu)x - k) + (inverse - 1.0f), u), x);
}

// tanh(x), within 1.07 ulp: x + x^3 q(x^2) for |x| < 0.7, and 1 - 2 / (e^2|x| + 1) beyond. Odd, and never above 1.
PELLUCID_INLINE vf hyperbolic_tangent(vf x) {
  const vf a = absolute(x), square = x * x;
  const vf q = polynomial(square, -0.333331913f, 0.133291319f, -0.0535599627f, 0.0200943332f, -0.00514045823f);
  const vf near = fma(a * square, q, a);
  const vf far = 1.0f - 2.0f / (exponential_within(2.0f * smaller(broadcast(10.0f), a)) + 1.0f);
  return copy_sign(select(a >= 0.7f, far, near), x);  // near for a NaN
}

// 1 / (1 + e^-x), within 1.66 ulp (1.87). With e = e^-|x| it is p - p (e / (1 + e)), where p = 1 for x >= 0 and e for
// x < 0; this loses less than p / (1 + e). Results below the normal numbers are 0.
PELLUCID_INLINE vf sigmoid(vf x) {
  const vf a = -absolute(x);
  const vf e = select(a >= -87.3365402f, exponential_within(a), larger(vf{}, a));  // 0 below; NaN for a NaN
  const vf p = select(x >= 0.0f, broadcast(1.0f), e);
  return fma(-p, e / (1.0f + e), p);
}

// t less the nearest whole number, exactly: from -1/2 to 1/2. NaN if t is not finite.
PELLUCID_INLINE vf part_of_turn(vf t) {
  const vi has_parts = absolute(t) < 8388608.0f;  // from 2^23 on, every number is whole
  const vf rest = select(has_parts, t - to_float(to_int(select(has_parts, t, vf{}))), t - t);
  return rest - ((rest + 12582912.0f) - 12582912.0f);
}

// sin(2 pi q) for |q| <= 1/4, as q p(q^2).
PELLUCID_INLINE vf sine_of_quarter(vf q) {
  return q * polynomial(q * q, 6.28318548f, -41.3417015f, 81.6052246f, -76.7042847f, 42.0098305f, -14.3943052f);
}

// cos(2 pi t) and sin(2 pi t), both within 2.5e-7 (of 1, not of the result) for the t that is given.
PELLUCID_INLINE vf cosine_of_turns(vf t) { return sine_of_quarter(0.25f - absolute(part_of_turn(t))); }
PELLUCID_INLINE vf sine_of_turns(vf t) {
  const vf part = part_of_turn(t);
  return copy_sign(sine_of_quarter(0.25f - absolute(0.25f - absolute(part))), part);
}

}  // namespace pellucid::PELLUCID_ISA
