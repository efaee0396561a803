/* matrix: the kernels of nets against plain loops, and against themselves at every SIMD level. */
#include "cmocka_all.h"
#include "matrix/kernels/kernels.h"
#include "matrix/kernels/net.h"
#include "matrix/kernels/simd.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = DM_SIMD_AVX512 + 1, SIZE = 1 << 15, ACTIVATIONS = DM_ACT_SELU + 1 };
static const float UNTOUCHED = 12345;

/* Numbers of both signs, the same in every run. */
static float *numbers(size_t n, uint64_t seed) {
  float *x = malloc(n * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < n; i++) {
    uint64_t v = (seed * 1000003 + i + 1) * 0x9E3779B97F4A7C15u;
    v = (v ^ v >> 29) * 0xBF58476D1CE4E5B9u;
    x[i] = (float)((double)((v ^ v >> 32) >> 11) / 9007199254740992.0 - 0.5) * 4;
  }
  return x;
}

static int at_widest(void **state) {
  (void)state;
  (void)dm_k_simd_set(DM_SIMD_AVX512);
  return 0;
}

/* ---- gemm ------------------------------------------------------------------------- */

/* The chain, or the lanes, as net.h writes them. */
static float one(const dm_gemm *g, const float *old, size_t i, size_t j) {
  size_t lanes = g->n == 1 && g->a_col == 1 ? 16 : 1;
  float z[16] = {g->accumulate ? old[i * g->c_row + j] : g->bias ? g->bias[j] : 0};
  for (size_t l = 0; l < g->k; l++) z[l % lanes] = fmaf(g->a[i * g->a_row + l * g->a_col], g->b[l * g->b_row + j], z[l % lanes]);
  for (size_t half = lanes / 2; half; half /= 2)
    for (size_t l = 0; l < half; l++) z[l] += z[l + half];
  return (g->relu && z[0] < 0 ? 0 : z[0]) + 0;
}

/* Every output has the chain's bits, and nothing beside C is written. */
static void check_product(const dm_gemm *shape, float *c, float *old, size_t room) {
  dm_gemm g = *shape;
  for (size_t i = 0; i < room; i++) old[i] = i % g.c_row < g.n && i / g.c_row < g.m ? (float)(i % 7) - 3 : UNTOUCHED;
  memcpy(c, old, room * sizeof *c);
  g.c = c;
  dm_k_gemm(&g);
  for (size_t i = 0; i < g.m; i++)
    for (size_t j = 0; j < g.n; j++) {
      float want = one(&g, old, i, j);
      if (memcmp(&want, &c[i * g.c_row + j], sizeof want) != 0)
        fail_msg("level %d m %zu n %zu k %zu at %zu %zu: %a, want %a", (int)dm_k_simd(), g.m, g.n, g.k, i, j, (double)c[i * g.c_row + j], (double)want);
    }
  for (size_t i = 0; i < room; i++)
    if (i % g.c_row >= g.n || i / g.c_row >= g.m) assert_true(c[i] == UNTOUCHED);
}

static void products_are_the_documented_chains(void **state) {
  (void)state;
  float *a = numbers(SIZE, 1), *b = numbers(SIZE, 2), *bias = numbers(SIZE, 3), *c = malloc(SIZE * sizeof *c), *old = malloc(SIZE * sizeof *old);
  static const size_t depths[] = {0, 1, 2, 3, 7, 16, 33};
  for (int level = 0; level < LEVELS; level++) {
    if (dm_k_simd_set((dm_simd)level) != (dm_simd)level) continue;
    for (size_t m = 1; m <= 20; m++)
      for (size_t n = 1; n <= 140; n += n < 20 ? 1 : 3) {
        size_t turn = m * 71 + n + n / 3, k = depths[turn % 7], c_row = n + turn % 3;
        dm_gemm g = {.m = m, .n = n, .k = k, .a = a, .a_row = k + turn % 4, .a_col = 1, .b = b, .b_row = n + turn % 5, .c_row = c_row};
        if (turn % 2) g.a_row = 1, g.a_col = m + turn % 4;
        g.accumulate = turn % 5 == 1;
        g.bias = turn % 3 == 1 ? bias : NULL;
        g.relu = turn % 4 == 2;
        check_product(&g, c, old, (m + 1) * c_row);
      }
  }
  free(a);
  free(b);
  free(bias);
  free(c);
  free(old);
}

/* Sizes at which other blocks and other paths are taken. */
static void large_products_are_the_same_chains(void **state) {
  (void)state;
  static const size_t shapes[][3] = {{65, 129, 300}, {300, 37, 41}, {1, 300, 200}, {33, 1, 500}, {7, 530, 11}, {64, 256, 70}, {5, 70, 2100}, {1, 1, 1500}, {129, 1, 70}};
  float *a = numbers(300 * 500, 1), *b = numbers(600 * 600, 2), *bias = numbers(SIZE, 3), *c = malloc(SIZE * sizeof *c), *old = malloc(SIZE * sizeof *old);
  for (int level = 1; level < LEVELS; level++) {
    if (dm_k_simd_set((dm_simd)level) != (dm_simd)level) continue;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
      for (int transposed = 0; transposed < 2; transposed++) {
        size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
        dm_gemm g = {.m = m, .n = n, .k = k, .a = a, .a_row = k, .a_col = 1, .b = b, .b_row = n, .c_row = n, .bias = bias, .accumulate = transposed};
        if (transposed) g.a_row = 1, g.a_col = m;
        check_product(&g, c, old, (m + 1) * n);
      }
  }
  free(a);
  free(b);
  free(bias);
  free(c);
  free(old);
}

/* Single rows pass over zeros: the bits are those of rows in a batch, even where everything is a zero of some sign. */
static void rows_with_zeros_have_the_bits_of_batches(void **state) {
  (void)state;
  enum { M = 12, N = 64, K = 150 };
  float *a = numbers(M * K, 1), *b = numbers(K * N, 2), *bias = numbers(N, 3), *c = malloc(M * N * sizeof *c), *row = malloc(N * sizeof *row);
  for (size_t i = 0; i < M * K; i++)
    if (i / K * 7 % 12 > i * 5 % 13) a[i] = i % 2 ? 0 : -0.0f;
  for (size_t i = 0; i < K * N; i += 3) b[i] = i % 2 ? -1e-30f : 1e-30f;
  for (size_t j = 0; j < N; j += 2) bias[j] = -0.0f;
  for (size_t l = 0; l < K; l++) a[l] = l == 70 ? -1e-30f : 0; /* a product too small for a float */
  for (int level = 0; level < LEVELS; level++) {
    if (dm_k_simd_set((dm_simd)level) != (dm_simd)level) continue;
    for (size_t k = 1; k <= K; k += k < 70 ? 9 : 40) {
      dm_gemm g = {.m = M, .n = N, .k = k, .a = a, .a_row = K, .a_col = 1, .b = b, .b_row = N, .c = c, .c_row = N, .bias = k % 2 ? bias : NULL, .relu = k % 3};
      dm_k_gemm(&g);
      for (size_t i = 0; i < M; i++) {
        dm_gemm alone = g;
        alone.m = 1;
        alone.a = a + i * K;
        alone.c = row;
        dm_k_gemm(&alone);
        assert_memory_equal(row, c + i * N, N * sizeof *row);
      }
    }
  }
  free(a);
  free(b);
  free(bias);
  free(c);
  free(row);
}

static void relu_keeps_nan(void **state) {
  (void)state;
  float b[70], c[3 * 70];
  for (size_t j = 0; j < 70; j++) b[j] = NAN;
  for (int level = 0; level < LEVELS; level++) {
    (void)dm_k_simd_set((dm_simd)level);
    const float a[3] = {1, -1, 0};
    dm_k_gemm(&(dm_gemm){.m = 3, .n = 70, .k = 1, .a = a, .a_row = 1, .a_col = 1, .b = b, .b_row = 70, .c = c, .c_row = 70, .relu = true});
    for (size_t i = 0; i < 210; i++) assert_true(isnan(c[i]));
  }
}

/* ---- activations ------------------------------------------------------------------------ */

static double exact(dm_activation f, double slope, double x) {
  switch (f) {
  case DM_ACT_LINEAR: return x;
  case DM_ACT_RELU: return x > 0 ? x : 0;
  case DM_ACT_LEAKY: return x > 0 ? x : slope * x;
  case DM_ACT_GELU: return x / (1 + exp(-2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); /* x/2 (1 + tanh u) without its loss at u << 0 */
  case DM_ACT_TANH: return tanh(x);
  case DM_ACT_SIGMOID: return 1 / (1 + exp(-x));
  case DM_ACT_SILU: return x / (1 + exp(-x));
  case DM_ACT_SELU: return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x));
  }
  return 0;
}

/* Error in units of float's last place at the exact value. */
static double units(float got, double want) {
  int exponent;
  (void)frexp(want, &exponent);
  double unit = ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
  return fabs((double)got - want) / unit;
}

static void activations_are_accurate(void **state) {
  (void)state;
  enum { N = 40000 };
  float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
  /* gelu: an error of its argument u grows with |u| in exp(u); silu: near -90 its sigmoid is subnormal before it is */
  const double allowed[ACTIVATIONS] = {0, 0, 0.5, 160, 4, 4, 64, 4};
  for (size_t i = 0; i < N; i++) x[i] = (i % 2 ? -1.0f : 1.0f) * (i % 4 < 2 ? powf(10, (float)(i / 2) / (N / 2) * 12 - 10) : (float)i / N * 12);
  for (int f = 0; f < ACTIVATIONS; f++) {
    double worst = 0;
    dm_k_activate((dm_activation)f, 0.01f, x, N, y);
    for (size_t i = 0; i < N; i++) {
      double want = exact((dm_activation)f, (double)0.01f, (double)x[i]), u = units(y[i], want);
      if (fabs(want) >= (double)FLT_MIN && u > worst) worst = u;
      assert_true(isfinite(y[i]));
    }
    print_message("activation %d: %.2f units at most\n", f, worst);
    assert_true(worst <= allowed[f]);
  }
  free(x);
  free(y);
}

static void activations_at_the_edges(void **state) {
  (void)state;
  const float edges[] = {0, -0.0f, FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, 1e-45f, -1e-45f, 88.7f, -88.7f, 104, -104, 1e19f, -1e19f};
  enum { N = sizeof edges / sizeof *edges };
  for (int level = 0; level < LEVELS; level++) {
    (void)dm_k_simd_set((dm_simd)level);
    for (int f = 0; f < ACTIVATIONS; f++) {
      float y[N], g[N], ones[N], nan[N];
      for (size_t i = 0; i < N; i++) ones[i] = 1, nan[i] = NAN;
      dm_k_activate((dm_activation)f, 0.1f, edges, N, y);
      dm_k_activate_back((dm_activation)f, 0.1f, edges, y, ones, N, g);
      for (size_t i = 0; i < N; i++) {
        assert_true(f == DM_ACT_SELU ? !isnan(y[i]) : isfinite(y[i])); /* selu of the largest number is beyond it */
        assert_true(isfinite(g[i]));
        assert_true(fabs((double)y[i] - exact((dm_activation)f, (double)0.1f, (double)edges[i])) <= 1e-6 * fabs((double)y[i]) + (double)FLT_MIN || isinf(y[i]));
      }
      dm_k_activate((dm_activation)f, 0.1f, nan, N, y);
      for (size_t i = 0; i < N; i++) assert_true(isnan(y[i]));
    }
  }
}

/* Against a central difference in double. */
static void derivatives_fit_their_functions(void **state) {
  (void)state;
  enum { N = 2000 };
  float x[N], y[N], g[N], got[N];
  for (size_t i = 0; i < N; i++) {
    x[i] = ((float)i + 0.5f) / N * 24 - 12;
    g[i] = 0.5f + (float)(i % 5);
  }
  for (int f = 0; f < ACTIVATIONS; f++) {
    bool needs = dm_k_activation_needs_x((dm_activation)f);
    dm_k_activate((dm_activation)f, 0.1f, x, N, y);
    dm_k_activate_back((dm_activation)f, 0.1f, needs ? x : NULL, y, g, N, got);
    for (size_t i = 0; i < N; i++) {
      double v = (double)x[i], h = 1e-5;
      double want = (double)g[i] * (exact((dm_activation)f, (double)0.1f, v + h) - exact((dm_activation)f, (double)0.1f, v - h)) / (2 * h);
      if (fabs((double)got[i] - want) > 2e-6 + 1e-5 * fabs(want)) fail_msg("activation %d at %g: %g, want %g", f, v, (double)got[i], want);
    }
    dm_k_activate_back((dm_activation)f, 0.1f, needs ? x : NULL, y, g, N, g); /* in place */
    assert_memory_equal(g, got, sizeof g);
    for (size_t i = 0; i < N; i++) g[i] = 0.5f + (float)(i % 5);
    memcpy(got, x, sizeof got);
    dm_k_activate((dm_activation)f, 0.1f, got, N, got);
    assert_memory_equal(got, y, sizeof y);
  }
}

/* ---- softmax, sums, transposes --------------------------------------------------------------- */

static void softmax_is_exp_over_sum(void **state) {
  (void)state;
  for (size_t columns = 1; columns <= 70; columns += columns < 20 ? 1 : 7) {
    enum { ROWS = 5 };
    float *x = numbers(ROWS * columns, columns), *y = malloc(ROWS * columns * sizeof *y);
    for (size_t j = 0; j < columns; j++) x[columns + j] *= 1e38f; /* differences beyond float */
    for (size_t j = 0; j < columns; j++) x[2 * columns + j] = j == columns - 1 ? NAN : x[j];
    for (size_t j = 0; j < columns; j++) x[3 * columns + j] = -1e30f;
    dm_k_softmax(x, ROWS, columns, y);
    for (size_t i = 0; i < ROWS; i++) {
      double top = -(double)INFINITY, sum = 0;
      for (size_t j = 0; j < columns; j++) top = fmax(top, (double)x[i * columns + j]);
      for (size_t j = 0; j < columns; j++) sum += exp((double)x[i * columns + j] - top);
      for (size_t j = 0; j < columns; j++) {
        double want = exp((double)x[i * columns + j] - top) / sum;
        if (i == 2)
          assert_true(isnan(y[i * columns + j]));
        else
          assert_true(fabs((double)y[i * columns + j] - want) <= 1e-6 * want + 1e-38);
      }
    }
    dm_k_softmax(x, ROWS, columns, x);
    for (size_t i = 0; i < ROWS * columns; i++) assert_true(x[i] == y[i] || isnan(y[i]));
    free(x);
    free(y);
  }
}

static void columns_are_added_in_the_order_of_rows(void **state) {
  (void)state;
  for (int level = 0; level < LEVELS; level++) {
    (void)dm_k_simd_set((dm_simd)level);
    for (size_t columns = 1; columns < 200; columns += 1 + columns / 9)
      for (size_t rows = 0; rows < 12; rows++) {
        float *x = numbers((rows + 1) * columns, rows), *sum = numbers(columns, 99), *want = numbers(columns, 99);
        for (size_t i = 0; i < rows; i++)
          for (size_t j = 0; j < columns; j++) want[j] += x[i * columns + j];
        dm_k_add_columns(x, rows, columns, sum);
        assert_memory_equal(sum, want, columns * sizeof *sum);
        dm_k_add(x, columns, sum);
        for (size_t j = 0; j < columns; j++) assert_true(sum[j] == want[j] + x[j]);
        free(x);
        free(sum);
        free(want);
      }
  }
}

static void parts_are_added_in_their_order(void **state) {
  (void)state;
  enum { N = 333, PARTS = 5, FROM = 3 };
  float *parts[PARTS], out[N + 1];
  for (size_t p = 0; p < PARTS; p++) parts[p] = numbers(FROM + N, p);
  for (int level = 0; level < LEVELS; level++) {
    (void)dm_k_simd_set((dm_simd)level);
    for (size_t n_parts = 1; n_parts <= PARTS; n_parts++) {
      out[N] = UNTOUCHED;
      dm_k_sum((const float *const *)parts, n_parts, FROM, N, 0.3f, out);
      assert_true(out[N] == UNTOUCHED);
      for (size_t i = 0; i < N; i++) {
        float want = parts[0][FROM + i];
        for (size_t p = 1; p < n_parts; p++) want += parts[p][FROM + i];
        assert_true(out[i] == want * 0.3f);
      }
    }
  }
  for (size_t p = 0; p < PARTS; p++) free(parts[p]);
}

static void transposes_move_every_number(void **state) {
  (void)state;
  for (int level = 0; level < LEVELS; level++) {
    (void)dm_k_simd_set((dm_simd)level);
    for (size_t rows = 1; rows < 40; rows += 3)
      for (size_t columns = 1; columns < 40; columns += 2) {
        size_t in_row = columns + rows % 3, out_row = rows + columns % 4;
        float *in = numbers(rows * in_row, rows), *out = malloc(columns * out_row * sizeof *out);
        for (size_t i = 0; i < columns * out_row; i++) out[i] = UNTOUCHED;
        dm_k_transpose(in, rows, columns, in_row, out, out_row);
        for (size_t j = 0; j < columns; j++)
          for (size_t i = 0; i < out_row; i++) assert_true(out[j * out_row + i] == (i < rows ? in[i * in_row + j] : UNTOUCHED));
        free(in);
        free(out);
      }
  }
}

/* ---- levels ---------------------------------------------------------------------------------- */

static void levels_give_the_same_bits(void **state) {
  (void)state;
  if (getenv("DM_TEST_SLOW")) skip(); /* valgrind's AVX2 takes another zero of -0 and 0 as the larger than a CPU does */
  enum { N = 1003 };
  float *x = numbers(N, 7), *g = numbers(N, 8), first[N], y[N], back[N], first_back[N];
  for (size_t i = 0; i < N; i += 5) x[i] *= 30;
  for (int f = 0; f < ACTIVATIONS; f++)
    for (int level = 0; level < LEVELS; level++) {
      if (dm_k_simd_set((dm_simd)level) != (dm_simd)level) continue;
      dm_k_activate((dm_activation)f, 0.1f, x, N, level ? y : first);
      dm_k_activate_back((dm_activation)f, 0.1f, x, first, g, N, level ? back : first_back);
      if (level == 0) continue;
      assert_memory_equal(y, first, sizeof y);
      assert_memory_equal(back, first_back, sizeof back);
      /* one at a time, as for one row */
      for (size_t i = 0; i < 100; i++) dm_k_activate((dm_activation)f, 0.1f, x + i, 1, y + i);
      assert_memory_equal(y, first, sizeof y);
    }
  for (size_t columns = 1; columns < 60; columns++)
    for (int level = 0; level < LEVELS; level++) {
      if (dm_k_simd_set((dm_simd)level) != (dm_simd)level) continue;
      dm_k_softmax(x, 5, columns, level ? y : first);
      if (level) assert_memory_equal(y, first, 5 * columns * sizeof *y);
    }
  free(x);
  free(g);
}

static void kernels_in_double_give_the_same_bits(void **state) {
  (void)state;
  double x[64], w[64 * 7], bias[7], z[LEVELS][7], dots[LEVELS] = {0}, exps[LEVELS][64];
  for (size_t i = 0; i < 64; i++) x[i] = i == 9 || i == 10 ? 2 : sin((double)i) * 20;
  for (size_t i = 0; i < 64 * 7; i++) w[i] = cos((double)i);
  for (size_t i = 0; i < 7; i++) bias[i] = (double)i;
  for (int level = 0; level < LEVELS; level++) {
    (void)dm_k_simd_set((dm_simd)level);
    dm_k_affine(x, 64, w, 7, bias, z[level], 7);
    dots[level] = dm_k_dot(x, w, 64);
    for (size_t i = 0; i < 64; i++) exps[level][i] = dm_k_exp(x[i]);
    double scaled[64], ones[64], centers[64], fills[64];
    for (size_t i = 0; i < 64; i++) ones[i] = 1 + (double)(i % 3), centers[i] = (double)i / 7, fills[i] = i % 2 ? 5 : (double)NAN;
    x[9] = x[10] = (double)NAN;
    dm_k_scale_row(63, x, fills, centers, ones, scaled);
    assert_true(scaled[9] == (5 - centers[9]) / ones[9] && isnan(scaled[10]));
    x[9] = x[10] = 2;
    for (size_t i = 0; i < 63; i++) assert_true(i == 9 || i == 10 || scaled[i] == (x[i] - centers[i]) / ones[i]);
    double bounded[64];
    memcpy(bounded, x, sizeof bounded);
    bounded[0] = DBL_MAX, bounded[1] = -(double)INFINITY, bounded[2] = (double)NAN;
    dm_k_bound(64, bounded);
    assert_true(bounded[0] == 3 && bounded[1] == -3 && isnan(bounded[2]));
    for (size_t i = 3; i < 64; i++) assert_true(bounded[i] == 3 * (x[i] / 3) / sqrt(1 + x[i] / 3 * (x[i] / 3)));
    assert_memory_equal(z[level], z[0], sizeof z[0]);
    assert_memory_equal(exps[level], exps[0], sizeof exps[0]);
    assert_true(dots[level] == dots[0]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(products_are_the_documented_chains, at_widest),
      cmocka_unit_test_setup(large_products_are_the_same_chains, at_widest),
      cmocka_unit_test_setup(rows_with_zeros_have_the_bits_of_batches, at_widest),
      cmocka_unit_test_setup(relu_keeps_nan, at_widest),
      cmocka_unit_test_setup(activations_are_accurate, at_widest),
      cmocka_unit_test_setup(activations_at_the_edges, at_widest),
      cmocka_unit_test_setup(derivatives_fit_their_functions, at_widest),
      cmocka_unit_test_setup(softmax_is_exp_over_sum, at_widest),
      cmocka_unit_test_setup(columns_are_added_in_the_order_of_rows, at_widest),
      cmocka_unit_test_setup(parts_are_added_in_their_order, at_widest),
      cmocka_unit_test_setup(transposes_move_every_number, at_widest),
      cmocka_unit_test_setup(levels_give_the_same_bits, at_widest),
      cmocka_unit_test_setup(kernels_in_double_give_the_same_bits, at_widest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
