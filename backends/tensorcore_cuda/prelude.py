"""What generated kernels share: 16-bit floats, integer arithmetic without undefined behaviour, conversions.

No header is included, so that kernels compile where only NVRTC is installed. `DEVICE` needs PTX; `PORTABLE` is plain
C++ that any compiler takes.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DEVICE", "PORTABLE"]

DEVICE: Final = r"""
struct half_bits { unsigned short bits; };
struct bfloat_bits { unsigned short bits; };

__device__ __forceinline__ float load(half_bits h) {
  float f; asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h.bits)); return f;
}
__device__ __forceinline__ float load(bfloat_bits h) { return __uint_as_float((unsigned int)h.bits << 16); }
template <typename T> __device__ __forceinline__ T load(T x) { return x; }

__device__ __forceinline__ void store(half_bits& h, float f) {
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h.bits) : "f"(f));
}
__device__ __forceinline__ void store(half_bits& h, double d) {
  asm("cvt.rn.f16.f64 %0, %1;" : "=h"(h.bits) : "d"(d));
}
__device__ __forceinline__ void store(bfloat_bits& h, float f) {
  unsigned int word = __float_as_uint(f);
  h.bits = f != f ? 0x7fc0 : (unsigned short)((word + 0x7fff + (word >> 16 & 1)) >> 16);
}
template <typename T> __device__ __forceinline__ void store(T& place, T x) { place = x; }

template <typename T> __device__ __forceinline__ T infinity();
template <> __device__ __forceinline__ float infinity<float>() { return __uint_as_float(0x7f800000u); }
template <> __device__ __forceinline__ double infinity<double>() { return __longlong_as_double(0x7ff0000000000000ll); }

__device__ __forceinline__ int bits_of(float x) { return __float_as_int(x); }
__device__ __forceinline__ long long bits_of(double x) { return __double_as_longlong(x); }
__device__ __forceinline__ double linear(double start, double step, double i) {
  return __dadd_rn(start, __dmul_rn(step, i));
}
"""

PORTABLE: Final = r"""
__device__ __forceinline__ float copysign_of(float x, float y) { return copysignf(x, y); }
__device__ __forceinline__ double copysign_of(double x, double y) { return copysign(x, y); }
__device__ __forceinline__ float fmod_of(float x, float y) { return fmodf(x, y); }
__device__ __forceinline__ double fmod_of(double x, double y) { return fmod(x, y); }
__device__ __forceinline__ float rint_of(float x) { return rintf(x); }
__device__ __forceinline__ double rint_of(double x) { return rint(x); }
__device__ __forceinline__ float fabs_of(float x) { return fabsf(x); }
__device__ __forceinline__ double fabs_of(double x) { return fabs(x); }

template <typename T> __device__ T floor_quotient(T x, T y) {
  if (y == 0) return x / y;
  T rest = fmod_of(x, y);
  if (rest != rest) return rest;
  T quotient = (x - rest) / y;
  if (rest != 0 && (rest < 0) != (y < 0)) quotient -= 1;
  if (quotient == 0) return copysign_of((T)0, x) * copysign_of((T)1, y);
  return rint_of(quotient);
}
template <typename T> __device__ T floor_remainder(T x, T y) {
  T rest = fmod_of(x, y);
  if (rest == 0) return copysign_of((T)0, y);
  return rest == rest && (rest < 0) != (y < 0) ? rest + y : rest;
}

template <typename T, typename U> __device__ T integer_quotient(T x, T y) {
  if (y == 0) return 0;
  if ((T)-1 < 0 && y == (T)-1) return (T)((U)0 - (U)x);
  T quotient = x / y;
  T rest = x % y;
  return rest != 0 && (rest < 0) != (y < 0) ? (T)(quotient - 1) : quotient;
}
template <typename T> __device__ T integer_remainder(T x, T y) {
  if (y == 0 || ((T)-1 < 0 && y == (T)-1)) return 0;
  T rest = x % y;
  return rest != 0 && (rest < 0) != (y < 0) ? (T)(rest + y) : rest;
}
template <typename T, typename U> __device__ T integer_power(T x, T y) {
  if (y < 0) {
    if (x == 1) return 1;
    if ((T)-1 < 0 && x == (T)-1) return y % 2 == 0 ? 1 : (T)-1;
    return 0;
  }
  U power = 1, square = (U)x;
  for (unsigned long long left = (unsigned long long)y; left; left >>= 1) {
    if (left & 1) power *= square;
    square *= square;
  }
  return (T)power;
}
template <typename T, typename U> __device__ T shifted_left(T x, T y) {
  return y < 0 || (unsigned long long)y >= 8 * sizeof(T) ? (T)0 : (T)((U)x << y);
}
template <typename T> __device__ T shifted_right(T x, T y) {
  bool all = y < 0 || (unsigned long long)y >= 8 * sizeof(T);
  return all ? (x < 0 ? (T)-1 : (T)0) : (T)(x >> y);
}

__device__ __forceinline__ int cut_to_int(double x) {
  return x >= -2147483648.0 && x < 2147483648.0 ? (int)x : (int)0x80000000u;
}
__device__ __forceinline__ unsigned int cut_to_unsigned(double x) {
  if (x >= 4294967296.0) return 0;
  return x >= -2147483648.0 ? (unsigned int)(long long)x : 0x80000000u;
}
__device__ __forceinline__ long long cut_to_long(double x) {
  return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (long long)x : (long long)0x8000000000000000ull;
}
__device__ __forceinline__ unsigned long long cut_to_unsigned_long(double x) {
  if (x >= 18446744073709551616.0) return 0;
  if (x >= 9223372036854775808.0) return (unsigned long long)x;
  return x >= -9223372036854775808.0 ? (unsigned long long)(long long)x : 0x8000000000000000ull;
}

__device__ __forceinline__ int order_key(float x, bool high) {
  if (x != x) return high ? 0x7fffffff : (int)0x80000000u;
  int bits = bits_of(x == 0 ? 0.0f : x);
  return bits < 0 ? bits ^ 0x7fffffff : bits;
}
__device__ __forceinline__ long long order_key(double x, bool high) {
  if (x != x) return high ? 0x7fffffffffffffffll : (long long)0x8000000000000000ull;
  long long bits = bits_of(x == 0 ? 0.0 : x);
  return bits < 0 ? bits ^ 0x7fffffffffffffffll : bits;
}

template <typename T> __device__ __forceinline__ T within(T x, T high) {
  return x != x ? x : x < 0 ? (T)0 : x > high ? high : x;
}
template <typename T> __device__ __forceinline__ T silu_slope(T g, T x, T s) { return g * (s * (1 + x * (1 - s))); }
template <typename T> __device__ __forceinline__ T gelu_slope(T g, T x, T t) {
  T slope = (x * x * (T)0.134145 + 1) * (T)0.79788456080286536;
  return g * ((t + 1) * (T)0.5 + x * (T)0.5 * (1 - t * t) * slope);
}

template <typename T, int N> struct alignas(N * sizeof(T)) Pack { T v[N]; };
"""
