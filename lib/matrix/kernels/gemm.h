/*
 * Inside of dm_k_gemm: a product is cut into tiles whose outputs stay in
 * registers while l runs.
 *
 *            B  strip of columns            the strip of B stays in the nearest cache
 *               |      |                    while the rows run over it
 *      A  -->   [ tile ]  rows x vectors
 *
 * The level's file only fills tiles. Vectors run over columns, never over l.
 */
#ifndef DM_MATRIX_GEMM_H
#define DM_MATRIX_GEMM_H

#include "matrix/kernels/net.h"

/* One strip: n columns of B against m rows of A. */
typedef struct gemm_strip {
  size_t m, n, k;
  const dm_real *a;
  size_t a_row, a_col;
  const dm_real *b;
  size_t b_row;
  dm_real *c;
  size_t c_row;
  const dm_real *start; /* where the chains begin: c itself, the bias (start_row 0), or NULL = 0 */
  size_t start_row;
  bool relu;
} gemm_strip;

typedef struct gemm_level {
  size_t width, width_of_one;          /* most columns of a strip, and of one of a single row */
  void (*strip)(const gemm_strip *s);
  void (*dots)(const dm_gemm *g);      /* n = 1, a_col = 1, b_row = 1: sums in lanes */
  void (*row_of_64)(const dm_gemm *g); /* m = 1, n = 64, a_col = 1, not accumulating */
} gemm_level;

enum { GEMM_LANES = 16 };

extern const gemm_level gemm_avx2, gemm_avx512;

#endif
