/* Hot loops. Each has one order of operations, so that its bits are the same on every CPU. */
#ifndef DM_MATRIX_KERNELS_H
#define DM_MATRIX_KERNELS_H

#include <stddef.h>

enum { DM_K_LANES = 8 };

/** exp(x) within one unit in the last place; 0 and infinity beyond double, NaN of NaN. */
double dm_k_exp(double x);
/** log(x) within one unit in the last place; NaN below 0. */
double dm_k_log(double x);

/**
 * Scores of one row: z[c] = bias[c], then z[c] = fma(x[j], w[j * stride + c], z[c]) for j = 0 … d-1.
 * @param z [k]
 */
void dm_k_affine(const double *x, size_t d, const double *w, size_t stride, const double *bias, double *z, size_t k);
/** The same by fma() of the C library alone. */
void dm_k_affine_scalar(const double *x, size_t d, const double *w, size_t stride, const double *bias, double *z, size_t k);

/** out[i] = (x[i] - center[i]) / scale[i], where fill[i] stands in for an x[i] that is NaN. */
void dm_k_scale_row(size_t n, const double *x, const double *fill, const double *center, const double *scale, double *out);
/** x / sqrt(1 + (x/3)^2), which lies between -3 and 3; no square overflows, NaN stays. In place. */
void dm_k_bound(size_t n, double *x);
/** out[i] = x[i] */
void dm_k_widen(const float *x, size_t n, double *out);
/** sum a[i] b[i] in DM_K_LANES partial sums. @param n a multiple of DM_K_LANES */
double dm_k_dot(const double *a, const double *b, size_t n);
/** y[i] += a x[i] */
void dm_k_axpy(double a, const double *x, double *y, size_t n);

#endif
