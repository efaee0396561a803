/* data: transactions from items, codes and pairs in any order. */
#include "patterns/data.h"

static void is_transactions(dm_transactions *t, const char *want) {
  dm_buf out;
  dm_buf_init(&out, t->ctx, NULL);
  describe_rows(&t->rows, t->weight, t->names, NULL, &out);
  dm_buf_printf(&out, "%d, %d empty, %d repeated", (int)t->total, (int)t->empty, (int)t->repeated);
  assert_string_equal(out.p, want);
  uint64_t *support = calloc(t->n_items + 1, sizeof *support);
  assert_non_null(support);
  for (size_t r = 0; r < t->rows.n; r++)
    for (size_t i = t->rows.start[r]; i < t->rows.start[r + 1]; i++) support[t->rows.index[i]] += t->weight ? t->weight[r] : 1;
  for (size_t i = 0; i < t->n_items; i++) assert_true(support[i] == t->support[i]);
  free(support);
  for (size_t i = 0; i < t->n_items; i++) assert_int_equal(dm_transactions_find(t, t->names[i]), i);
  assert_int_equal(t->rows.d, t->n_items);
  dm_buf_clear(&out);
  dm_transactions_free(t);
}

static void test_rows(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  is_transactions(transactions_of(ctx, "b a\n\nc a b\n"), "b a\nc a b\n3, 1 empty, 0 repeated");
  is_transactions(transactions_of(ctx, "b b a b\na a\n"), "b a\na\n2, 0 empty, 3 repeated");
  is_transactions(transactions_of(ctx, "\n"), "1, 1 empty, 0 repeated");
  static const char *const rows[] = {"a", "b a", "", "a"};
  static const uint64_t weight[] = {1, 3, 5, UINT32_MAX};
  is_transactions(transactions_of_rows(ctx, rows, weight, 2), "a\nb a *3\n4, 0 empty, 0 repeated");
  is_transactions(transactions_of_rows(ctx, rows, weight, 3), "a\nb a *3\n9, 5 empty, 0 repeated");
  dm_transactions *t = transactions_of_rows(ctx, rows, weight, 4);
  assert_true(t->total == 9 + (uint64_t)UINT32_MAX && t->weight[2] == UINT32_MAX);
  assert_int_equal(dm_transactions_find(t, dm_str_of("c")), SIZE_MAX);
  assert_int_equal(dm_transactions_find(t, dm_str_of("")), SIZE_MAX);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void test_bad_weights(void **state) {
  (void)state;
  static const uint64_t bad[] = {0, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
  dm_ctx *ctx = new_ctx();
  for (size_t i = 0; i < 3; i++) {
    dm_transactions_builder *b = NULL;
    dm_error err = {0};
    assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
    add_transaction(b, "a", 1, 1);
    assert_int_equal(dm_transactions_builder_item(b, "x", 1, NULL), DM_OK);
    assert_int_equal(dm_transactions_builder_end(b, bad[i], &err), DM_EINPUT);
    assert_non_null(strstr(err.message, "transaction 2"));
    dm_transactions_builder_free(b);
  }
  dm_ctx_free(ctx);
}

static void test_none(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_transactions_builder *b = NULL;
  dm_transactions *t = NULL;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  assert_int_equal(dm_transactions_builder_finish(b, &t, NULL), DM_EINPUT);
  assert_null(t);
  dm_ctx_free(ctx);
}

static void test_pairs(void **state) {
  (void)state;
  static const struct {
    int64_t tid;
    const char *item;
  } pairs[] = {{7, "a"}, {-9, "b"}, {7, "c"}, {INT64_MIN, "a"}, {7, "a"}, {-9, "a"}, {INT64_MAX, "d"}, {-9, "b"}};
  dm_ctx *ctx = new_ctx();
  dm_transactions_builder *b = NULL;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    uint32_t code;
    assert_int_equal(dm_transactions_builder_code(b, pairs[i].item, 1, &code, NULL), DM_OK);
    assert_int_equal(dm_transactions_builder_pair(b, pairs[i].tid, code, NULL), DM_OK);
  }
  is_transactions(finish_transactions(b), "a c\nb a\na\nd\n4, 0 empty, 2 repeated");
  dm_ctx_free(ctx);
}

/* The same rows from pairs that were shuffled. */
static void test_shuffled_pairs(void **state) {
  (void)state;
  enum { N = 300, D = 40 };
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = random_transactions(ctx, 5, N, D, 0.8, 0.1);
  size_t ones = t->rows.start[t->rows.n], *order = malloc(ones * sizeof *order), *tid_of = malloc(ones * sizeof *tid_of);
  assert_non_null(order);
  assert_non_null(tid_of);
  for (size_t r = 0; r < t->rows.n; r++)
    for (size_t i = t->rows.start[r]; i < t->rows.start[r + 1]; i++) {
      tid_of[i] = r;
      order[i] = i;
    }
  dm_rng rng;
  dm_rng_init(&rng, 3, 0);
  dm_rng_shuffle(&rng, order, ones);
  dm_transactions_builder *b = NULL;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  for (size_t i = 0; i < t->n_items; i++) {
    uint32_t code;
    assert_int_equal(dm_transactions_builder_code(b, t->names[i].p, t->names[i].n, &code, NULL), DM_OK);
    assert_int_equal(code, i);
  }
  int64_t first[N];
  size_t n_first = 0, seen[N] = {0};
  for (size_t i = 0; i < ones; i++) {
    size_t row = tid_of[order[i]];
    if (!seen[row]++) first[n_first++] = (int64_t)row;
    assert_int_equal(dm_transactions_builder_pair(b, (int64_t)row * 1000003, t->rows.index[order[i]], NULL), DM_OK);
  }
  dm_transactions *again = finish_transactions(b);
  assert_int_equal(again->rows.n, t->rows.n);
  for (size_t r = 0; r < again->rows.n; r++) {
    size_t from = t->rows.start[first[r]], n = t->rows.start[first[r] + 1] - from;
    assert_int_equal(again->rows.start[r + 1] - again->rows.start[r], n);
    uint8_t there[D] = {0};
    for (size_t i = 0; i < n; i++) there[t->rows.index[from + i]] = 1;
    for (size_t i = 0; i < n; i++) assert_int_equal(there[again->rows.index[again->rows.start[r] + i]]--, 1);
  }
  free(order);
  free(tid_of);
  dm_transactions_free(again);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

/* Runs of tids that ascend, then come back; some without items, each with its weight. */
static void test_tids(void **state) {
  (void)state;
  static const struct {
    int64_t tid;
    uint64_t weight;
    const char *items;
  } runs[] = {{1, 1, "ab"}, {2, 3, ""}, {5, 2, "c"}, {5, 2, "a"}, {9, 1, "b"}, {2, 3, ""}, {1, 1, "c"}, {4, 7, ""}, {5, 2, "cb"}, {4, 7, "d"}};
  dm_ctx *ctx = new_ctx();
  for (size_t n = 5; n <= sizeof runs / sizeof *runs; n += 5) { /* the first five ascend */
    dm_transactions_builder *b = NULL;
    dm_error err = {0};
    assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
    for (size_t i = 0; i < n; i++) {
      assert_int_equal(dm_transactions_builder_tid(b, runs[i].tid, runs[i].weight, NULL), DM_OK);
      for (const char *p = runs[i].items; *p; p++) assert_int_equal(dm_transactions_builder_item(b, p, 1, NULL), DM_OK);
    }
    assert_int_equal(dm_transactions_builder_tid(b, 1, 4, &err), DM_EINPUT);
    assert_string_equal(err.message, "a transaction that counts 1 times counts 4 times in another row");
    assert_int_equal(dm_transactions_builder_tid(b, 100, 0, NULL), DM_EINPUT);
    is_transactions(finish_transactions(b), n == 5 ? "a b\nc a *2\nb\n7, 3 empty, 0 repeated"
                                                   : "a b c\nc a b *2\nb\nd *7\n14, 3 empty, 1 repeated");
  }
  dm_ctx_free(ctx);
}

static void test_long_row(void **state) {
  (void)state;
  enum { D = 100000 };
  dm_ctx *ctx = new_ctx();
  dm_transactions_builder *b = NULL;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  for (unsigned row = 0; row < 3; row++) {
    for (unsigned i = 0; i < D; i++) {
      char name[16];
      int n = snprintf(name, sizeof name, "i%u", (i * 7919 + row) % D);
      assert_int_equal(dm_transactions_builder_item(b, name, (size_t)n, NULL), DM_OK);
    }
    assert_int_equal(dm_transactions_builder_item(b, "i5", 2, NULL), DM_OK);
    assert_int_equal(dm_transactions_builder_end(b, 1, NULL), DM_OK);
  }
  dm_transactions *t = finish_transactions(b);
  assert_int_equal(t->n_items, D);
  assert_int_equal(t->repeated, 3);
  assert_int_equal(t->rows.start[3], 3 * D);
  for (size_t i = 0; i < 3 * D; i++) {
    char name[16];
    int n = snprintf(name, sizeof name, "i%zu", (i % D * 7919 + i / D) % D);
    assert_int_equal(t->rows.index[i], dm_transactions_find(t, (dm_str){name, (size_t)n}));
  }
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows),  cmocka_unit_test(test_bad_weights),    cmocka_unit_test(test_none),
      cmocka_unit_test(test_pairs), cmocka_unit_test(test_shuffled_pairs), cmocka_unit_test(test_long_row),
      cmocka_unit_test(test_tids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
