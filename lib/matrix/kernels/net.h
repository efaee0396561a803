/*
 * Hot loops of nets in dm_real. Every output is one chain of fused
 * multiply-adds (or fixed virtual lanes) in one order, so that its bits do not
 * depend on how rows are cut into batches, on the SIMD level, or on the CPU:
 * scoring and training share these loops.
 */
#ifndef DM_MATRIX_KERNELS_NET_H
#define DM_MATRIX_KERNELS_NET_H

#include "matrix/real.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum dm_activation {
  DM_ACT_LINEAR = 0,
  DM_ACT_RELU,    /* max(0, x) */
  DM_ACT_LEAKY,   /* x above 0, slope x below */
  DM_ACT_GELU,    /* x/2 (1 + tanh(sqrt(2/pi)(x + 0.044715 x^3))) */
  DM_ACT_TANH,
  DM_ACT_SIGMOID,
  DM_ACT_SILU,    /* x sigmoid(x) */
  DM_ACT_SELU     /* 1.0507 (x above 0, 1.6733 (exp(x) - 1) below) */
} dm_activation;

/**
 * C (m, n) = A (m, k) B (k, n), each output one chain over l = 0 … k-1:
 *   z = start;  z = fma(a[i a_row + l a_col], b[l b_row + j], z)
 * start: bias[j], or 0, or c[i c_row + j] itself with `accumulate`. C must not overlap A or B. A zero is stored without its sign; thus
 * a[…] = 0 may be passed over, and whether 0 times an infinite b is NaN or nothing is not said.
 *
 * One column of rows that lie in order (n = 1, a_col = 1: one unit of a dense layer) would be a single chain; there it runs in 16 lanes,
 * l in lane l mod 16, lane 0 from start and the others from 0, which are then added as a tree: lane l + 8 to l, l + 4 to l, l + 2, l + 1.
 */
typedef struct dm_gemm {
  size_t m, n, k;
  const dm_real *a;
  size_t a_row, a_col; /* (1, lda) reads A transposed */
  const dm_real *b;
  size_t b_row;        /* columns of B and C are contiguous */
  dm_real *c;
  size_t c_row;
  const dm_real *bias; /* [n] or NULL */
  bool accumulate;
  bool relu;           /* max(0, z) when it is stored */
} dm_gemm;

void dm_k_gemm(const dm_gemm *g);

/** out (columns, rows) = in (rows, columns) transposed. */
void dm_k_transpose(const dm_real *in, size_t rows, size_t columns, size_t in_row, dm_real *out, size_t out_row);

/** y = f(x), element by element; y may be x. @param slope of DM_ACT_LEAKY */
void dm_k_activate(dm_activation f, dm_real slope, const dm_real *x, size_t n, dm_real *y);
/** Whether the derivative needs x: for the others y is enough and x may be NULL. */
bool dm_k_activation_needs_x(dm_activation f);
/** gx = gy f'(x); gx may be gy. */
void dm_k_activate_back(dm_activation f, dm_real slope, const dm_real *x, const dm_real *y, const dm_real *gy, size_t n, dm_real *gx);

/** Each row: y = exp(x - max) / sum. y may be x. */
void dm_k_softmax(const dm_real *x, size_t rows, size_t columns, dm_real *y);

/** y = cos(2 pi t) and y = sin(2 pi t), within one unit in the last place of float. y must not overlap t. NaN of NaN and infinity. */
void dm_k_cos_turns(const dm_real *t, size_t n, dm_real *y);
void dm_k_sin_turns(const dm_real *t, size_t n, dm_real *y);

/** y += x */
void dm_k_add(const dm_real *x, size_t n, dm_real *y);
/** out = (parts[0][from …] + parts[1][from …] + …) scale, added in that order. @param n_parts >= 1 */
void dm_k_sum(const dm_real *const *parts, size_t n_parts, size_t from, size_t n, dm_real scale, dm_real *out);
/** sum[j] += over rows of x[i, j], rows ascending: one chain a column. */
void dm_k_add_columns(const dm_real *x, size_t rows, size_t columns, dm_real *sum);

#endif
