/* matrix: waves by full turns against libm, at the edges, and at every SIMD level. */
#include "cmocka_all.h"
#include "matrix/kernels/net.h"
#include "matrix/kernels/simd.h"

#include <stdlib.h>

enum { N = 60000 };

static float cos_of(float t) {
  float y;
  dm_k_cos_turns(&t, 1, &y);
  return y;
}

static float sin_of(float t) {
  float y;
  dm_k_sin_turns(&t, 1, &y);
  return y;
}

/* Phases of several sizes, with their signs. */
static float phase(size_t i) {
  uint64_t v = (i + 1) * 0x9E3779B97F4A7C15u;
  v = (v ^ v >> 29) * 0xBF58476D1CE4E5B9u;
  double u = (double)((v ^ v >> 32) >> 11) / 4503599627370496.0 - 1;
  const double widths[] = {0.5, 2, 1000, 1e-6};
  return (float)(u * widths[i % 4]);
}

static void waves_are_those_of_libm(void **state) {
  (void)state;
  double worst = 0;
  for (size_t i = 0; i < N; i++) {
    float t = phase(i);
    double turn = remainder((double)t, 1) * 6.283185307179586476925286766559; /* exact but for one rounding */
    double c = cos(turn), s = sin(turn);
    worst = fmax(worst, fabs((double)cos_of(t) - c) / fmax(fabs(c), 1e-7));
    worst = fmax(worst, fabs((double)sin_of(t) - s) / fmax(fabs(s), 1e-7));
  }
  print_message("largest relative difference %.3g\n", worst);
  assert_true(worst < 0x1p-23);
}

static void waves_at_the_edges(void **state) {
  (void)state;
  const float infinity = (float)INFINITY;
  static const float quarters[] = {0, 0.25f, 0.5f, 0.75f, 1, -0.25f, -0.5f, -0.75f, -1, 1000.25f, -4194303.5f, 8388609, 16777216, 3e9f, 1e30f, -3.4e38f};
  static const float cosines[] = {1, 0, -1, 0, 1, 0, -1, 0, 1, 0, -1, 1, 1, 1, 1, 1};
  static const float sines[] = {0, 1, 0, -1, 0, -1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};
  for (size_t i = 0; i < sizeof quarters / sizeof *quarters; i++) {
    if (cos_of(quarters[i]) != cosines[i]) fail_msg("cosine of %g turns is %g", (double)quarters[i], (double)cos_of(quarters[i]));
    if (sin_of(quarters[i]) != sines[i]) fail_msg("sine of %g turns is %g", (double)quarters[i], (double)sin_of(quarters[i]));
  }
  assert_true(isnan(cos_of(infinity)) && isnan(sin_of(-infinity)));
  assert_true(isnan(cos_of((float)NAN)) && isnan(sin_of((float)NAN)));
  assert_true(sin_of(1e-42f) > 6e-42f && cos_of(1e-42f) == 1); /* subnormal */
}

static void every_level_has_the_same_bits(void **state) {
  (void)state;
  static float t[N], plain[2 * N], wide[2 * N];
  dm_simd best = dm_k_simd();
  for (size_t i = 0; i < N; i++) t[i] = phase(i);
  dm_k_simd_set(DM_SIMD_SCALAR);
  dm_k_cos_turns(t, N, plain);
  dm_k_sin_turns(t, N, plain + N);
  for (dm_simd level = DM_SIMD_AVX2; level <= best; level++) {
    dm_k_simd_set(level);
    dm_k_cos_turns(t, N, wide);
    dm_k_sin_turns(t, N, wide + N);
    assert_memory_equal(plain, wide, sizeof plain);
    for (size_t i = 0; i < 100; i++) { /* alone as among others */
      float alone = cos_of(t[i]);
      assert_memory_equal(&alone, &plain[i], sizeof alone);
    }
  }
  dm_k_simd_set(best);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waves_are_those_of_libm),
      cmocka_unit_test(waves_at_the_edges),
      cmocka_unit_test(every_level_has_the_same_bits),
  };
  return cmocka_run_group_tests_name("trig", tests, NULL, NULL);
}
