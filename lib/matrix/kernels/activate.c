/*
 * Activations and their derivatives. Those that rise everywhere have a
 * derivative in terms of y alone:
 *
 *   tanh' = 1 - y^2    sigmoid' = y (1 - y)    selu' = y + 1.0507 * 1.6733 below 0
 */
#include "matrix/kernels/net.h"
#include "matrix/kernels/real_math.h"

#define SELU_SCALE ((dm_real)1.0507009873554805)
#define SELU_ALPHA ((dm_real)1.6732632423543772)
#define GELU_ROOT ((dm_real)1.5957691216057308) /* 2 sqrt(2/pi): (1 + tanh(u)) / 2 = sigmoid(2u) */
#define GELU_CUBE ((dm_real)0.044715)

DM_INLINE dm_real gelu(dm_real x) { return x * real_sigmoid(GELU_ROOT * real_fma(GELU_CUBE * x * x, x, x)); }

DM_INLINE dm_real selu(dm_real x) {
  dm_real below = SELU_ALPHA * real_expm1(x > 0 ? 0 : x);
  return SELU_SCALE * (x > 0 ? x : below);
}

/* s + x s (1 - s) (2u)'; beyond 30 the middle part is 0, but x^2 might be infinite. */
DM_INLINE dm_real gelu_slope(dm_real x) {
  x = x > 30 ? 30 : x;
  x = x < -30 ? -30 : x;
  dm_real square = x * x, s = real_sigmoid(GELU_ROOT * real_fma(GELU_CUBE * square, x, x));
  return real_fma(x * (s * (1 - s)), GELU_ROOT * real_fma(3 * GELU_CUBE, square, 1), s);
}

DM_INLINE dm_real silu_slope(dm_real x) {
  dm_real s = real_sigmoid(x);
  return s * real_fma(x, 1 - s, 1);
}

/* The comparisons leave NaN what it is. x may be y, so there is no restrict. */
DM_INLINE void forward(dm_activation f, dm_real slope, const dm_real *x, size_t n, dm_real *y) {
  switch (f) {
  case DM_ACT_LINEAR:
    if (x != y) memcpy(y, x, n * sizeof *y);
    break;
  case DM_ACT_RELU:
    for (size_t i = 0; i < n; i++) y[i] = 0 > x[i] ? 0 : x[i];
    break;
  case DM_ACT_LEAKY:
    for (size_t i = 0; i < n; i++) {
      dm_real v = x[i], low = slope * v;
      y[i] = v > 0 ? v : low;
    }
    break;
  case DM_ACT_GELU:
    for (size_t i = 0; i < n; i++) y[i] = gelu(x[i]);
    break;
  case DM_ACT_TANH:
    for (size_t i = 0; i < n; i++) y[i] = real_tanh(x[i]);
    break;
  case DM_ACT_SIGMOID:
    for (size_t i = 0; i < n; i++) y[i] = real_sigmoid(x[i]);
    break;
  case DM_ACT_SILU:
    for (size_t i = 0; i < n; i++) y[i] = x[i] * real_sigmoid(x[i]);
    break;
  case DM_ACT_SELU:
    for (size_t i = 0; i < n; i++) y[i] = selu(x[i]);
    break;
  }
}

DM_INLINE void backward(dm_activation f, dm_real slope, const dm_real *x, const dm_real *y, const dm_real *gy, size_t n, dm_real *gx) {
  switch (f) {
  case DM_ACT_LINEAR:
    if (gx != gy) memcpy(gx, gy, n * sizeof *gx);
    break;
  case DM_ACT_RELU:
    for (size_t i = 0; i < n; i++) {
      dm_real g = gy[i];
      gx[i] = y[i] > 0 ? g : 0;
    }
    break;
  case DM_ACT_LEAKY:
    for (size_t i = 0; i < n; i++) {
      dm_real g = gy[i], low = slope * g;
      gx[i] = y[i] > 0 ? g : low;
    }
    break;
  case DM_ACT_GELU:
    for (size_t i = 0; i < n; i++) gx[i] = gy[i] * gelu_slope(x[i]);
    break;
  case DM_ACT_TANH:
    for (size_t i = 0; i < n; i++) gx[i] = gy[i] * real_fma(-y[i], y[i], 1);
    break;
  case DM_ACT_SIGMOID:
    for (size_t i = 0; i < n; i++) gx[i] = gy[i] * (y[i] * (1 - y[i]));
    break;
  case DM_ACT_SILU:
    for (size_t i = 0; i < n; i++) gx[i] = gy[i] * silu_slope(x[i]);
    break;
  case DM_ACT_SELU:
    for (size_t i = 0; i < n; i++) {
      dm_real low = y[i] + SELU_SCALE * SELU_ALPHA;
      gx[i] = gy[i] * (y[i] > 0 ? SELU_SCALE : low);
    }
    break;
  }
}

#if DM_HAS_SIMD
DM_AVX2 static void forward_avx2(dm_activation f, dm_real slope, const dm_real *x, size_t n, dm_real *y) { forward(f, slope, x, n, y); }
DM_AVX512 static void forward_avx512(dm_activation f, dm_real slope, const dm_real *x, size_t n, dm_real *y) { forward(f, slope, x, n, y); }
DM_AVX2 static void backward_avx2(dm_activation f, dm_real slope, const dm_real *x, const dm_real *y, const dm_real *gy, size_t n, dm_real *gx) {
  backward(f, slope, x, y, gy, n, gx);
}
DM_AVX512 static void backward_avx512(dm_activation f, dm_real slope, const dm_real *x, const dm_real *y, const dm_real *gy, size_t n,
                                      dm_real *gx) {
  backward(f, slope, x, y, gy, n, gx);
}
#endif

void dm_k_activate(dm_activation f, dm_real slope, const dm_real *x, size_t n, dm_real *y) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512)
    forward_avx512(f, slope, x, n, y);
  else if (level == DM_SIMD_AVX2)
    forward_avx2(f, slope, x, n, y);
  else
#endif
    forward(f, slope, x, n, y);
}

bool dm_k_activation_needs_x(dm_activation f) { return f == DM_ACT_GELU || f == DM_ACT_SILU; }

void dm_k_activate_back(dm_activation f, dm_real slope, const dm_real *x, const dm_real *y, const dm_real *gy, size_t n, dm_real *gx) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512)
    backward_avx512(f, slope, x, y, gy, n, gx);
  else if (level == DM_SIMD_AVX2)
    backward_avx2(f, slope, x, y, gy, n, gx);
  else
#endif
    backward(f, slope, x, y, gy, n, gx);
}
