/* matrix: dense rows are padded and zero. */
#include "cmocka_all.h"

#include <dm/matrix.h>

static void rows_are_padded_to_cache_lines(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_dense m = {0};
  assert_int_equal(dm_ctx_new(NULL, &ctx, NULL), DM_OK);
  const size_t d[] = {0, 1, 15, 16, 17, 100}, stride[] = {0, 16, 16, 16, 32, 112};
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(dm_dense_new(ctx, 7, d[i], &m, NULL), DM_OK);
    assert_int_equal(m.stride, stride[i]);
    assert_int_equal((uintptr_t)m.x % 64, 0);
    for (size_t k = 0; k < 7 * m.stride; k++) assert_true(m.x[k] == 0.0f);
    dm_dense_clear(ctx, &m);
    assert_null(m.x);
  }
  dm_ctx_free(ctx);
}

static void sizes_beyond_memory_are_refused(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.budget = 1 << 20};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  const size_t n[] = {SIZE_MAX, SIZE_MAX / 8, 1, 1 << 16}, d[] = {2, 16, SIZE_MAX, 16};
  for (size_t i = 0; i < 4; i++) {
    dm_dense m = {.n = 99};
    dm_error err = {0};
    assert_int_equal(dm_dense_new(ctx, n[i], d[i], &m, &err), DM_EBUDGET);
    assert_non_null(strstr(err.message, "matrix: "));
    assert_int_equal(m.n, 99); /* untouched */
  }
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_padded_to_cache_lines),
      cmocka_unit_test(sizes_beyond_memory_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
