// Vectors of the widest registers that this translation unit may use: AVX-512, AVX2 with FMA, or
// plain numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#include <immintrin.h>
#elif defined(__SSE__)
#include <xmmintrin.h>
#endif

#ifndef STRATA_KERNEL
#define STRATA_KERNEL kernel_native
#endif

// The inner namespace keeps apart what is compiled for several processors into one program.
namespace strata::simd::inline STRATA_KERNEL {

#if defined(__AVX512F__)

template <class T>
struct Vector;

template <>
struct Vector<float> {
  using Register = __m512;
  static constexpr int kLanes = 16, kRegisters = 32;
  static __mmask16 mask(int n) { return static_cast<__mmask16>((1u << n) - 1); }
  static Register zero() { return _mm512_setzero_ps(); }
  static Register load(const float* p) { return _mm512_loadu_ps(p); }
  static Register load_part(const float* p, int n) { return _mm512_maskz_loadu_ps(mask(n), p); }
  static void store(float* p, Register x) { _mm512_storeu_ps(p, x); }
  static void store_part(float* p, Register x, int n) { _mm512_mask_storeu_ps(p, mask(n), x); }
  static Register broadcast(float x) { return _mm512_set1_ps(x); }
  static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  static Register multiply_add(Register a, Register b, Register c) {
    return _mm512_fmadd_ps(a, b, c);
  }
  static float sum(Register x) { return _mm512_reduce_add_ps(x); }
};

template <>
struct Vector<double> {
  using Register = __m512d;
  static constexpr int kLanes = 8, kRegisters = 32;
  static __mmask8 mask(int n) { return static_cast<__mmask8>((1u << n) - 1); }
  static Register zero() { return _mm512_setzero_pd(); }
  static Register load(const double* p) { return _mm512_loadu_pd(p); }
  static Register load_part(const double* p, int n) { return _mm512_maskz_loadu_pd(mask(n), p); }
  static void store(double* p, Register x) { _mm512_storeu_pd(p, x); }
  static void store_part(double* p, Register x, int n) { _mm512_mask_storeu_pd(p, mask(n), x); }
  static Register broadcast(double x) { return _mm512_set1_pd(x); }
  static Register add(Register a, Register b) { return _mm512_add_pd(a, b); }
  static Register multiply_add(Register a, Register b, Register c) {
    return _mm512_fmadd_pd(a, b, c);
  }
  static double sum(Register x) { return _mm512_reduce_add_pd(x); }
};

#elif defined(__AVX2__) && defined(__FMA__)

template <class T>
struct Vector;

template <>
struct Vector<float> {
  using Register = __m256;
  static constexpr int kLanes = 8, kRegisters = 16;
  static __m256i mask(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static Register zero() { return _mm256_setzero_ps(); }
  static Register load(const float* p) { return _mm256_loadu_ps(p); }
  static Register load_part(const float* p, int n) { return _mm256_maskload_ps(p, mask(n)); }
  static void store(float* p, Register x) { _mm256_storeu_ps(p, x); }
  static void store_part(float* p, Register x, int n) { _mm256_maskstore_ps(p, mask(n), x); }
  static Register broadcast(float x) { return _mm256_set1_ps(x); }
  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  static Register multiply_add(Register a, Register b, Register c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  static float sum(Register x) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_shuffle_ps(half, half, 1)));
  }
};

template <>
struct Vector<double> {
  using Register = __m256d;
  static constexpr int kLanes = 4, kRegisters = 16;
  static __m256i mask(int n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
  }
  static Register zero() { return _mm256_setzero_pd(); }
  static Register load(const double* p) { return _mm256_loadu_pd(p); }
  static Register load_part(const double* p, int n) { return _mm256_maskload_pd(p, mask(n)); }
  static void store(double* p, Register x) { _mm256_storeu_pd(p, x); }
  static void store_part(double* p, Register x, int n) { _mm256_maskstore_pd(p, mask(n), x); }
  static Register broadcast(double x) { return _mm256_set1_pd(x); }
  static Register add(Register a, Register b) { return _mm256_add_pd(a, b); }
  static Register multiply_add(Register a, Register b, Register c) {
    return _mm256_fmadd_pd(a, b, c);
  }
  static double sum(Register x) {
    const __m128d half = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
    return _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
  }
};

#else

template <class T>
struct Vector {
  static constexpr int kLanes = 4, kRegisters = 16;
  struct Register {
    T lane[kLanes];
  };
  static Register zero() { return {}; }
  static Register load(const T* p) { return load_part(p, kLanes); }
  static Register load_part(const T* p, int n) {
    Register x{};
    std::memcpy(x.lane, p, static_cast<std::size_t>(n) * sizeof(T));
    return x;
  }
  static void store(T* p, Register x) { store_part(p, x, kLanes); }
  static void store_part(T* p, Register x, int n) {
    std::memcpy(p, x.lane, static_cast<std::size_t>(n) * sizeof(T));
  }
  static Register broadcast(T x) { return {{x, x, x, x}}; }
  static Register add(Register a, Register b) {
    for (int i = 0; i < kLanes; ++i) a.lane[i] += b.lane[i];
    return a;
  }
  static Register multiply_add(Register a, Register b, Register c) {
    for (int i = 0; i < kLanes; ++i) c.lane[i] += a.lane[i] * b.lane[i];
    return c;
  }
  static T sum(Register x) { return (x.lane[0] + x.lane[2]) + (x.lane[1] + x.lane[3]); }
};

#endif

// out[j · out_row + i] = in[i · in_row + j] for i and j in [0, kSquare): how operands are
// transposed.
#if defined(__AVX512F__)
constexpr int kSquare = 16;
inline void transpose_square(const float* in, std::int64_t in_row, float* out,
                             std::int64_t out_row) {
  __m512 a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) a[i] = _mm512_loadu_ps(in + i * in_row);
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 2; ++j) {
      const __m512d low = _mm512_castps_pd(b[i + j]), high = _mm512_castps_pd(b[i + j + 2]);
      a[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      a[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
  // a[4g + c] now holds columns c, c + 4, c + 8, c + 12 of rows 4g … 4g + 3, a quarter each.
#pragma GCC unroll 16
  for (int c = 0; c < 4; ++c) {
    const __m512 low01 = _mm512_shuffle_f32x4(a[c], a[4 + c], 0x88);
    const __m512 high01 = _mm512_shuffle_f32x4(a[c], a[4 + c], 0xdd);
    const __m512 low23 = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0x88);
    const __m512 high23 = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0xdd);
    _mm512_storeu_ps(out + c * out_row, _mm512_shuffle_f32x4(low01, low23, 0x88));
    _mm512_storeu_ps(out + (c + 4) * out_row, _mm512_shuffle_f32x4(high01, high23, 0x88));
    _mm512_storeu_ps(out + (c + 8) * out_row, _mm512_shuffle_f32x4(low01, low23, 0xdd));
    _mm512_storeu_ps(out + (c + 12) * out_row, _mm512_shuffle_f32x4(high01, high23, 0xdd));
  }
}
#elif defined(__SSE__)
constexpr int kSquare = 4;
inline void transpose_square(const float* in, std::int64_t in_row, float* out,
                             std::int64_t out_row) {
  __m128 r0 = _mm_loadu_ps(in), r1 = _mm_loadu_ps(in + in_row);
  __m128 r2 = _mm_loadu_ps(in + 2 * in_row), r3 = _mm_loadu_ps(in + 3 * in_row);
  _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
  _mm_storeu_ps(out, r0);
  _mm_storeu_ps(out + out_row, r1);
  _mm_storeu_ps(out + 2 * out_row, r2);
  _mm_storeu_ps(out + 3 * out_row, r3);
}
#else
constexpr int kSquare = 4;
inline void transpose_square(const float* in, std::int64_t in_row, float* out,
                             std::int64_t out_row) {
  for (int i = 0; i < kSquare; ++i) {
    for (int j = 0; j < kSquare; ++j) out[j * out_row + i] = in[i * in_row + j];
  }
}
#endif

}  // namespace strata::simd::inline STRATA_KERNEL
