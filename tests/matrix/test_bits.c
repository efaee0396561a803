/* matrix: sparse rows, and the bit matrix made of them. */
#include "cmocka_all.h"

#include <dm/matrix.h>

static dm_ctx *new_ctx(size_t budget) {
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.threads = 1, .budget = budget};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  return ctx;
}

/* n rows, column c in each row that c + 1 divides. */
static dm_csr make_rows(dm_ctx *ctx, size_t n, size_t d) {
  dm_csr m;
  size_t ones = 0;
  assert_int_equal(dm_csr_new(ctx, n, d, n * d, &m, NULL), DM_OK);
  for (size_t r = 0; r < n; r++) {
    assert_int_equal(m.start[r + 1], 0);
    for (size_t c = 0; c < d; c++)
      if (r % (c + 1) == 0) m.index[ones++] = (uint32_t)c;
    m.start[r + 1] = ones;
  }
  return m;
}

static void check_bits(size_t n, size_t d, size_t first, size_t width) {
  dm_ctx *ctx = new_ctx(0);
  dm_csr rows = make_rows(ctx, n, d);
  dm_bits bits;
  assert_int_equal(dm_bits_from_csr(ctx, &rows, first, width, &bits, NULL), DM_OK);
  assert_int_equal(bits.n, n);
  assert_int_equal(bits.d, width);
  assert_int_equal(bits.stride % 8, 0);
  assert_true(bits.stride * 64 >= n && (n == 0 || bits.stride * 64 < n + 512));
  for (size_t c = 0; c < width; c++)
    for (size_t r = 0; r < bits.stride * 64; r++)
      assert_int_equal(bits.x[c * bits.stride + r / 64] >> r % 64 & 1, r < n && r % (first + c + 1) == 0);
  dm_bits_clear(ctx, &bits);
  assert_null(bits.x);
  dm_csr_clear(ctx, &rows);
  assert_null(rows.start);
  dm_ctx_free(ctx);
}

static void test_all_columns(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 63, 64, 65, 511, 512, 513, 1000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) check_bits(sizes[i], 7, 0, 7);
}

static void test_some_columns(void **state) {
  (void)state;
  check_bits(700, 9, 2, 3);
  check_bits(700, 9, 8, 1);
  check_bits(700, 9, 4, 0);
}

static void test_too_large(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1 << 16);
  dm_csr rows;
  dm_bits bits;
  dm_error err = {0};
  assert_int_equal(dm_csr_new(ctx, SIZE_MAX, 1, 1, &rows, &err), DM_EBUDGET);
  assert_int_equal(dm_csr_new(ctx, 10, 1, SIZE_MAX / 2, &rows, &err), DM_EBUDGET);
  assert_int_equal(dm_bits_new(ctx, SIZE_MAX, 2000, &bits, &err), DM_EBUDGET);
  assert_int_equal(dm_bits_new(ctx, 1 << 20, 1, &bits, &err), DM_EBUDGET);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_columns),
      cmocka_unit_test(test_some_columns),
      cmocka_unit_test(test_too_large),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
