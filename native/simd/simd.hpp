// Vectors of float32: the few operations from which every kernel is written.
//
// Each kernel file is compiled once per instruction set, with PELLUCID_ISA naming the namespace; this header gives it the
// widest vectors of that set: 16 numbers with AVX-512, 8 with AVX2, 4 otherwise (SSE, or NEON on AArch64). Arithmetic is
// that of IEEE 754: `fma` is the only contraction, used where a kernel says so, and nothing is reassociated. On the
// baseline set, which has no fused multiply-add, `fma` rounds twice.
//
// Kernel files may use nothing from the standard library but plain types: an inline function of a standard header,
// compiled here for a newer processor, could be the copy that the linker keeps for everyone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef PELLUCID_ISA
#error "compile with -DPELLUCID_ISA=<name of the instruction set>"
#endif

namespace pellucid::PELLUCID_ISA {

#if defined(__AVX512F__)
inline constexpr int W = 16;          // numbers in a vector
inline constexpr int PANEL = 4 * W;   // columns of a panel: 6 rows of it fill 24 of the 32 registers
#elif defined(__AVX2__)
inline constexpr int W = 8;
inline constexpr int PANEL = 2 * W;   // 6 rows of it fill 12 of the 16 registers
#else
inline constexpr int W = 4;
inline constexpr int PANEL = 2 * W;
#endif
inline constexpr int VECTORS = PANEL / W;
inline constexpr int wide_vectors = 8;  // of a product of one row

using vf = float __attribute__((vector_size(W * 4)));
using vi = std::int32_t __attribute__((vector_size(W * 4)));  // also what a comparison gives: -1 or 0 in each lane
using vu = std::uint32_t __attribute__((vector_size(W * 4)));

#define PELLUCID_INLINE [[gnu::always_inline]] inline

PELLUCID_INLINE vf load(const float* p) { vf v; std::memcpy(&v, p, sizeof v); return v; }
PELLUCID_INLINE void store(float* p, vf v) { std::memcpy(p, &v, sizeof v); }
PELLUCID_INLINE vf broadcast(float x) { return x - vf{}; }
PELLUCID_INLINE vi broadcast(std::int32_t x) { return x - vi{}; }
PELLUCID_INLINE vu broadcast(std::uint32_t x) { return x - vu{}; }
PELLUCID_INLINE vi bits(vf x) { return reinterpret_cast<vi>(x); }
PELLUCID_INLINE vf from_bits(vi x) { return reinterpret_cast<vf>(x); }
PELLUCID_INLINE vf select(vi mask, vf yes, vf no) { return mask ? yes : no; }
PELLUCID_INLINE vf absolute(vf x) { return from_bits(bits(x) & 0x7fffffff); }
PELLUCID_INLINE vf copy_sign(vf magnitude, vf sign) {
  return from_bits((bits(magnitude) & 0x7fffffff) | (bits(sign) & (std::int32_t)0x80000000));
}
PELLUCID_INLINE vf to_float(vi x) { return __builtin_convertvector(x, vf); }
PELLUCID_INLINE vi to_int(vf x) { return __builtin_convertvector(x, vi); }  // towards zero

// fma(a, b, c) = a b + c.  larger and smaller give the second operand where one is NaN.
// The mask of all lanes changes nothing: without it, some versions of GCC warn of a variable inside of the intrinsic.
#if defined(__AVX512F__)
PELLUCID_INLINE vf fma(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
PELLUCID_INLINE vf larger(vf a, vf b) { return (vf)_mm512_maskz_max_ps((__mmask16)-1, (__m512)a, (__m512)b); }
PELLUCID_INLINE vf smaller(vf a, vf b) { return (vf)_mm512_maskz_min_ps((__mmask16)-1, (__m512)a, (__m512)b); }
PELLUCID_INLINE vf square_root(vf a) { return (vf)_mm512_maskz_sqrt_ps((__mmask16)-1, (__m512)a); }
PELLUCID_INLINE vf load_bytes(const std::uint8_t* p) {
  const __m512i numbers = _mm512_maskz_cvtepu8_epi32((__mmask16)-1, _mm_loadu_si128((const __m128i*)p));
  return (vf)_mm512_maskz_cvtepi32_ps((__mmask16)-1, numbers);
}
PELLUCID_INLINE vf load_part(const float* p, int n) {
  return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}
PELLUCID_INLINE void store_part(float* p, vf v, int n) {
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}
#else
#if defined(__AVX2__)
PELLUCID_INLINE vf fma(vf a, vf b, vf c) { return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
PELLUCID_INLINE vf larger(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
PELLUCID_INLINE vf smaller(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
PELLUCID_INLINE vf square_root(vf a) { return (vf)_mm256_sqrt_ps((__m256)a); }
#elif defined(__x86_64__)
PELLUCID_INLINE vf fma(vf a, vf b, vf c) { return a * b + c; }  // compiled with -ffp-contract=off: rounds twice
PELLUCID_INLINE vf larger(vf a, vf b) { return (vf)_mm_max_ps((__m128)a, (__m128)b); }
PELLUCID_INLINE vf smaller(vf a, vf b) { return (vf)_mm_min_ps((__m128)a, (__m128)b); }
PELLUCID_INLINE vf square_root(vf a) { return (vf)_mm_sqrt_ps((__m128)a); }
#else
PELLUCID_INLINE vf larger(vf a, vf b) { return a > b ? a : b; }
PELLUCID_INLINE vf smaller(vf a, vf b) { return a < b ? a : b; }
#if defined(__aarch64__)
PELLUCID_INLINE vf fma(vf a, vf b, vf c) { return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
PELLUCID_INLINE vf square_root(vf a) { return (vf)vsqrtq_f32((float32x4_t)a); }
#else
PELLUCID_INLINE vf fma(vf a, vf b, vf c) { return a * b + c; }
PELLUCID_INLINE vf square_root(vf a) {
  for (int i = 0; i < W; ++i) a[i] = __builtin_sqrtf(a[i]);
  return a;
}
#endif
#endif
PELLUCID_INLINE vf load_bytes(const std::uint8_t* p) {
  using vb = std::uint8_t __attribute__((vector_size(W)));
  vb raw;
  std::memcpy(&raw, p, sizeof raw);
  return to_float(__builtin_convertvector(raw, vi));
}
PELLUCID_INLINE vf load_part(const float* p, int n) {
  vf v{};
  std::memcpy(&v, p, 4 * (std::size_t)n);
  return v;
}
PELLUCID_INLINE void store_part(float* p, vf v, int n) { std::memcpy(p, &v, 4 * (std::size_t)n); }
#endif

PELLUCID_INLINE float sum_lanes(vf v) {  // always in the same order: the upper half is added to the lower, and so on
  float lanes[W];
  store(lanes, v);
  for (int half = W / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

// Appends base + i for each lane i of x that is not 0, and returns how many there are. Writes up to W numbers.
PELLUCID_INLINE std::ptrdiff_t append_nonzero(vi x, std::int32_t base, std::int32_t* places) {
#if defined(__AVX512F__)
  const __mmask16 mask = _mm512_test_epi32_mask((__m512i)x, (__m512i)x);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  _mm512_storeu_si512(places, _mm512_maskz_compress_epi32(mask, _mm512_add_epi32(lanes, _mm512_set1_epi32(base))));
  return __builtin_popcount(mask);
#else
  std::ptrdiff_t count = 0;
  for (int i = 0; i < W; ++i) {
    places[count] = base + i;
    count += x[i] != 0;
  }
  return count;
#endif
}

PELLUCID_INLINE bool any_lane(vi mask) {
  std::int32_t lanes[W], any = 0;
  std::memcpy(lanes, &mask, sizeof lanes);
  for (int lane : lanes) any |= lane;
  return any != 0;
}

}  // namespace pellucid::PELLUCID_ISA
