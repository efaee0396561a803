/* nn: products of training that go to BLAS are those of our kernel. */
#include "cmocka_all.h"
#include "matrix/blas.h"
#include "nn/run.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static float *numbers(size_t n, unsigned seed) {
  float *x = malloc(n * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < n; i++) {
    uint64_t v = (i + 1 + (uint64_t)seed * n) * 0x9E3779B97F4A7C15u;
    v = (v ^ v >> 29) * 0xBF58476D1CE4E5B9u;
    x[i] = (float)(v >> 44) / (1 << 19) - 1;
  }
  return x;
}

/* A product so large that it is BLAS's, in each of its forms; the first rows of it again by our own. */
static void large_products_agree(void **state) {
  (void)state;
  if (getenv("DM_TEST_SLOW")) skip(); /* BLAS gets nothing that is smaller */
  enum { M = 700, N = 2000, K = 3000 };
  int threads = dm_blas_one_thread();
  float *a = numbers((size_t)M * K, 1), *b = numbers((size_t)K * N, 2), *bias = numbers(N, 3), *c = numbers((size_t)M * N, 4), *d = numbers((size_t)M * N, 4);
  for (int form = 0; form < 2; form++) {
    dm_gemm g = {.m = M, .n = N, .k = K, .a = a, .a_row = form ? 1 : K, .a_col = form ? M : 1, .b = b, .b_row = N, .c = c, .c_row = N, .bias = bias};
    g.accumulate = form;
    g.relu = !form;
    nn_gemm_train(&g);
    g.c = d;
    g.m = 8;
    dm_k_gemm(&g);
    for (size_t i = 0; i < (size_t)8 * N; i++) assert_true(fabsf(c[i] - d[i]) <= 1e-3f);
  }
  free(a);
  free(b);
  free(bias);
  free(c);
  free(d);
  dm_blas_restore(threads);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(large_products_agree)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
