/* matrix: kernels against libm and against themselves in another guise. */
#include "cmocka_all.h"
#include "matrix/kernels/kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static uint64_t mix(uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15u;
  i = (i ^ i >> 29) * 0xBF58476D1CE4E5B9u;
  return i ^ i >> 32;
}

static double uniform(uint64_t i) { return (double)(mix(i) >> 11) / 9007199254740992.0; }

static uint64_t bits_of(double v) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}

/* Units in the last place between two positive numbers. */
static uint64_t distance(double a, double b) {
  uint64_t x = bits_of(a), y = bits_of(b);
  return x > y ? x - y : y - x;
}

static void exp_is_within_one_unit_of_libm(void **state) {
  (void)state;
  uint64_t worst = 0;
  for (uint64_t i = 0; i < 400000; i++) {
    double x = i % 2 ? (uniform(i) - 0.5) * 1400 : (uniform(i) - 0.5) * 4;
    uint64_t d = distance(dm_k_exp(x), exp(x)); /* glibc's is correct to 0.511 units */
    worst = d > worst ? d : worst;
  }
  print_message("exp: %u units at most\n", (unsigned)worst);
  assert_true(worst <= 1);
}

static void exp_at_the_edges(void **state) {
  (void)state;
  const double infinity = (double)INFINITY;
  assert_true(dm_k_exp(0) == 1);
  assert_true(dm_k_exp(-0.0) == 1);
  assert_true(dm_k_exp(infinity) == infinity);
  assert_true(dm_k_exp(-infinity) == 0);
  assert_true(isnan(dm_k_exp((double)NAN)));
  assert_true(dm_k_exp(709.78) < infinity);
  assert_true(dm_k_exp(709.79) == infinity);
  assert_true(dm_k_exp(1e300) == infinity);
  assert_true(dm_k_exp(-1e300) == 0);
  assert_true(dm_k_exp(-745.2) == 0);
  for (double x = -745.1; x < -708; x += 0.13) assert_true(distance(dm_k_exp(x), exp(x)) <= 1); /* subnormal */
  assert_true(dm_k_exp(-745.1) > 0);
}

/* exp must not fall where x rises, or ties of probabilities would flip. */
static void exp_never_falls(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 2000; i++) {
    double x = (uniform(i) - 0.5) * 40;
    for (int n = 0; n < 20; n++) {
      double next = nextafter(x, 100);
      assert_true(dm_k_exp(next) >= dm_k_exp(x) * (1 - 0x1p-52));
      x = next;
    }
  }
}

/* Numbers that the polynomial gives whatever the CPU: products of the same constants in the same order. */
static void exp_has_these_bits(void **state) {
  (void)state;
  static const double x[] = {1, -1, 0.5, 10, -20.25, 0.1, 700, -740};
  static const uint64_t bits[] = {0x4005bf0a8b14576au, 0x3fd78b56362cef38u, 0x3ffa61298e1e069cu,
                                  0x40d5829dcf950560u, 0x3e1b93de1e27ca3bu, 0x3ff1aec7b35a00d4u,
                                  0x7f0d945df4f8ec8eu, 0x0000000000000055u};
  for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
    assert_true(bits_of(dm_k_exp(x[i])) == bits[i]);
    assert_true(distance(dm_k_exp(x[i]), exp(x[i])) <= 1);
  }
}

enum { D = 37, K = 19, STRIDE = 21 };

static void wide_scores_have_the_bits_of_scalar_ones(void **state) {
  (void)state;
  double x[D], w[D * STRIDE], bias[K], one[K], two[K];
  for (uint64_t i = 0; i < D; i++) x[i] = uniform(i) - 0.5;
  for (uint64_t i = 0; i < (uint64_t)D * STRIDE; i++) w[i] = uniform(1000 + i) * 3 - 1;
  for (uint64_t i = 0; i < K; i++) bias[i] = uniform(5000 + i);
  for (size_t k = 1; k <= K; k++) {
    dm_k_affine(x, D, w, STRIDE, bias, one, k);
    dm_k_affine_scalar(x, D, w, STRIDE, bias, two, k);
    assert_memory_equal(one, two, k * sizeof *one);
    for (size_t c = 0; c < k; c++) {
      double z = bias[c];
      for (size_t j = 0; j < D; j++) z = fma(x[j], w[j * STRIDE + c], z);
      assert_true(bits_of(z) == bits_of(one[c]));
      dm_k_affine(x, D, w + c, STRIDE, bias + c, &z, 1); /* alone as among others */
      assert_true(bits_of(z) == bits_of(one[c]));
    }
  }
}

static void sums_run_in_eight_lanes(void **state) {
  (void)state;
  enum { N = 64 };
  double a[N], b[N], y[N], want[N], lane[8] = {0};
  float f[N];
  for (uint64_t i = 0; i < N; i++) {
    f[i] = (float)uniform(i);
    b[i] = uniform(i + N) * 1e3;
    want[i] = y[i] = uniform(i + 9 * N);
  }
  dm_k_widen(f, N, a);
  for (size_t i = 0; i < N; i++) {
    assert_true(a[i] == (double)f[i]);
    lane[i % 8] += a[i] * b[i];
    want[i] += 0.3 * a[i];
  }
  double sum = ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
  assert_true(bits_of(dm_k_dot(a, b, N)) == bits_of(sum));
  assert_true(dm_k_dot(a, b, 0) == 0);
  dm_k_axpy(0.3, a, y, N);
  assert_memory_equal(y, want, sizeof y);
}

static void log_is_within_one_unit_in_the_last_place(void **state) {
  (void)state;
  uint64_t bits = 1;
  for (size_t i = 0; i < 300000; i++) {
    bits = bits * 6364136223846793005u + 1442695040888963407u;
    double u = (double)(bits >> 11) / 9007199254740992.0, x = i % 3 == 0 ? exp(1400 * (u - 0.5)) : i % 3 == 1 ? 1 + 0.9 * (u - 0.5) : 1 + 1e-4 * (u - 0.5);
    assert_true(distance(dm_k_log(x), log(x)) <= 1);
  }
  assert_true(dm_k_log(1) == 0);
  assert_true(dm_k_log(0) == -(double)INFINITY && isnan(dm_k_log(-1)) && isnan(dm_k_log((double)NAN)));
  assert_true(dm_k_log((double)INFINITY) == (double)INFINITY);
  assert_true(distance(dm_k_log(5e-324), log(5e-324)) <= 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(log_is_within_one_unit_in_the_last_place),
      cmocka_unit_test(exp_is_within_one_unit_of_libm),           cmocka_unit_test(exp_at_the_edges),
      cmocka_unit_test(exp_never_falls),                          cmocka_unit_test(exp_has_these_bits),
      cmocka_unit_test(wide_scores_have_the_bits_of_scalar_ones), cmocka_unit_test(sums_run_in_eight_lanes),
  };
  return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
