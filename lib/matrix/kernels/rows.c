/*
 * Loops over rows of numbers. Where the CPU has wider registers the same
 * source is compiled for them: no order changes, products and sums are rounded
 * alike, only more lanes run at once.
 */
#include "matrix/kernels/kernels.h"
#include "matrix/kernels/simd.h"

#include <math.h>

DM_INLINE void affine(const double *restrict x, size_t d, const double *restrict w, size_t stride, const double *restrict bias, double *restrict z,
                   size_t k) {
  if (k == 1) {
    double sum = bias[0];
    for (size_t j = 0; j < d; j++) sum = fma(x[j], w[j * stride], sum);
    z[0] = sum;
    return;
  }
  for (size_t c = 0; c < k; c++) z[c] = bias[c];
  for (size_t j = 0; j < d; j++)
    for (size_t c = 0; c < k; c++) z[c] = fma(x[j], w[j * stride + c], z[c]);
}

DM_INLINE double dot(const double *restrict a, const double *restrict b, size_t n) {
  double s[DM_K_LANES] = {0};
  for (size_t i = 0; i < n; i += DM_K_LANES)
    for (size_t l = 0; l < DM_K_LANES; l++) s[l] += a[i + l] * b[i + l];
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

DM_INLINE void axpy(double a, const double *restrict x, double *restrict y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

DM_INLINE void scale_row(size_t n, const double *restrict x, const double *restrict fill, const double *restrict center,
                         const double *restrict scale, double *restrict out) {
  for (size_t i = 0; i < n; i++) out[i] = ((x[i] == x[i] ? x[i] : fill[i]) - center[i]) / scale[i];
}

/* From 1e9 on the root is |t| itself, so that the bounds change nothing but overflow. Two loops, or the bounds become jumps. */
DM_INLINE void bound(size_t n, double *x) {
  for (size_t i = 0; i < n; i++) {
    double t = x[i] / 3;
    t = t > 1e9 ? 1e9 : t;
    x[i] = t < -1e9 ? -1e9 : t;
  }
  for (size_t i = 0; i < n; i++) x[i] = 3 * x[i] / sqrt(1 + x[i] * x[i]);
}

#if DM_HAS_SIMD
DM_AVX2 static void affine_wide(const double *x, size_t d, const double *w, size_t stride, const double *bias, double *z, size_t k) {
  affine(x, d, w, stride, bias, z, k);
}
DM_AVX2 static double dot_wide(const double *a, const double *b, size_t n) { return dot(a, b, n); }
DM_AVX2 static void axpy_wide(double a, const double *x, double *y, size_t n) { axpy(a, x, y, n); }
DM_AVX2 static void bound_wide(size_t n, double *x) { bound(n, x); }
DM_AVX2 static void scale_row_wide(size_t n, const double *x, const double *fill, const double *center, const double *scale, double *out) {
  scale_row(n, x, fill, center, scale, out);
}
static int is_wide(void) { return dm_k_simd() != DM_SIMD_SCALAR; }
#else
#define affine_wide affine
#define dot_wide dot
#define axpy_wide axpy
#define bound_wide bound
#define scale_row_wide scale_row
static int is_wide(void) { return 0; }
#endif

void dm_k_affine_scalar(const double *x, size_t d, const double *w, size_t stride, const double *bias, double *z, size_t k) {
  affine(x, d, w, stride, bias, z, k);
}

void dm_k_affine(const double *x, size_t d, const double *w, size_t stride, const double *bias, double *z, size_t k) {
  if (is_wide())
    affine_wide(x, d, w, stride, bias, z, k);
  else
    affine(x, d, w, stride, bias, z, k);
}

double dm_k_dot(const double *a, const double *b, size_t n) { return is_wide() ? dot_wide(a, b, n) : dot(a, b, n); }

void dm_k_axpy(double a, const double *x, double *y, size_t n) {
  if (is_wide())
    axpy_wide(a, x, y, n);
  else
    axpy(a, x, y, n);
}

void dm_k_scale_row(size_t n, const double *x, const double *fill, const double *center, const double *scale, double *out) {
  if (is_wide())
    scale_row_wide(n, x, fill, center, scale, out);
  else
    scale_row(n, x, fill, center, scale, out);
}

void dm_k_bound(size_t n, double *x) {
  if (is_wide())
    bound_wide(n, x);
  else
    bound(n, x);
}

void dm_k_widen(const float *x, size_t n, double *out) {
  for (size_t i = 0; i < n; i++) out[i] = (double)x[i];
}
