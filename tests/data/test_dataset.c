/* data: datasets find their blocks, cursors give every row once in the stored order. */
#include "cmocka_all.h"

#include <dm/data.h>

static void blocks_are_found_by_kind(void **state) {
  (void)state;
  const dm_block blocks[] = {{.kind = DM_BLOCK_RAW, .d = 3}, {.kind = DM_BLOCK_BINNED, .d = 4}};
  const dm_dataset data = {.n = 1, .n_blocks = 2, .blocks = blocks}, none = {0};
  assert_int_equal(dm_dataset_block(&data, DM_BLOCK_RAW)->d, 3);
  assert_int_equal(dm_dataset_block(&data, DM_BLOCK_BINNED)->d, 4);
  assert_null(dm_dataset_block(&data, DM_BLOCK_DENSE));
  assert_null(dm_dataset_block(&none, DM_BLOCK_RAW));
}

static void batches_cover_the_order_once(void **state) {
  (void)state;
  enum { N = 103 };
  size_t order[N];
  dm_rng rng;
  dm_rng_init(&rng, 5, DM_STREAM_SAMPLE);
  for (size_t i = 0; i < N; i++) order[i] = i;
  dm_rng_shuffle(&rng, order, N);
  const dm_dataset data = {.n = N};
  for (size_t batch = 0; batch <= N + 1; batch++) {
    dm_cursor plain, shuffled;
    dm_cursor_init(&plain, &data, NULL, batch);
    dm_cursor_init(&shuffled, &data, order, batch);
    size_t seen = 0, n, first;
    const size_t *rows, *none;
    while ((n = dm_cursor_next(&shuffled, &rows, &first)) > 0) {
      assert_int_equal(first, seen);
      assert_true(batch == 0 ? n == N : n == batch || seen + n == N);
      for (size_t i = 0; i < n; i++) assert_int_equal(rows[i], order[seen + i]);
      assert_int_equal(dm_cursor_next(&plain, &none, &first), n);
      assert_null(none);
      assert_int_equal(first, seen);
      seen += n;
    }
    assert_int_equal(seen, N);
    assert_int_equal(dm_cursor_next(&plain, &none, &first), 0);
    assert_int_equal(dm_cursor_next(&shuffled, &rows, &first), 0); /* and stays at the end */
  }
}

static void an_empty_dataset_has_no_batch(void **state) {
  (void)state;
  const dm_dataset data = {0};
  dm_cursor c;
  const size_t *rows;
  size_t first;
  dm_cursor_init(&c, &data, NULL, 32);
  assert_int_equal(dm_cursor_next(&c, &rows, &first), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_found_by_kind),
      cmocka_unit_test(batches_cover_the_order_once),
      cmocka_unit_test(an_empty_dataset_has_no_batch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
