// Vectors of the widest registers that this translation unit may use: AVX-512, AVX2 with FMA, or
// plain numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#include <immintrin.h>
#endif

namespace strata::simd {

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
};

#endif

}  // namespace strata::simd
