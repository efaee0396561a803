/* itemdb: what is kept, recoded, merged; the same for rows in any order; real baskets against counts from their files. */
#include "data.h"

static void is_database(const char *text, uint64_t min_support, const char *want) {
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = transactions_of(ctx, text);
  dm_itemdb db = {0};
  dm_buf out;
  dm_buf_init(&out, ctx, NULL);
  itemdb_of(ctx, t, min_support, &db);
  dm_buf_printf(&out, "%d of %d:", (int)db.n_items, (int)db.total);
  for (size_t i = 0; i < db.n_items; i++) dm_buf_printf(&out, " %.*s=%d", (int)t->names[db.source[i]].n, t->names[db.source[i]].p, (int)db.support[i]);
  dm_buf_addc(&out, '\n');
  describe_rows(&db.rows, db.weight, t->names, db.source, &out);
  assert_string_equal(out.p, want);
  dm_buf_clear(&out);
  dm_itemdb_clear(&db);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void test_recodes_and_merges(void **state) {
  (void)state;
  is_database("milk bread\nbread\nmilk bread beer\nbread\n", 2, "2 of 4: bread=4 milk=2\nbread milk *2\nbread *2\n");
  is_database("milk bread\nbread\nmilk bread beer\nbread\n", 1, "3 of 4: bread=4 milk=2 beer=1\nbread milk\nbread *2\nbread milk beer\n");
  is_database("milk bread\nbread\n", 3, "0 of 2:\n");
}

static void test_ties_and_empty(void **state) {
  (void)state;
  is_database("b a\n\na b\nc\n", 2, "2 of 4: b=2 a=2\nb a *2\n");
  is_database("\n\n", 1, "0 of 2:\n");
  is_database("x\nx\nx\n", 3, "1 of 3: x=3\nx *3\n");
  is_database("a a b a\n", 1, "2 of 1: a=1 b=1\na b\n");
}

static void test_weights(void **state) {
  (void)state;
  static const char *const rows[] = {"a b", "b", "", "a b"};
  static const uint64_t weight[] = {3000000000u, 5, 7, 3000000000u};
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = transactions_of_rows(ctx, rows, weight, 4);
  dm_itemdb db;
  itemdb_of(ctx, t, 10, &db);
  assert_true(db.total == 6000000012u);
  assert_int_equal(db.n_items, 2);
  assert_true(db.support[0] == 6000000005u && db.support[1] == 6000000000u);
  uint64_t sum = 0; /* two rows of a and b: their weights together are more than one can hold */
  for (size_t r = 0; r < db.rows.n; r++) sum += db.weight[r];
  assert_true(sum == 6000000005u);
  dm_itemdb_clear(&db);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Rows as sorted text with their weights. */
static char *sorted_rows(dm_ctx *ctx, const dm_transactions *t, uint64_t min_support) {
  dm_itemdb db;
  dm_buf out;
  dm_buf_init(&out, ctx, NULL);
  itemdb_of(ctx, t, min_support, &db);
  describe_rows(&db.rows, db.weight, t->names, db.source, &out);
  char *lines[64], *text = calloc(1, out.n + 1);
  size_t n = 0;
  assert_non_null(text);
  for (char *line = strtok(out.p, "\n"); line && n < 64; line = strtok(NULL, "\n")) lines[n++] = line;
  assert_int_equal(n, db.rows.n);
  qsort(lines, n, sizeof *lines, by_text);
  for (size_t i = 0; i < n; i++) (void)strcat(strcat(text, lines[i]), "\n");
  dm_buf_clear(&out);
  dm_itemdb_clear(&db);
  return text;
}

static void test_order_of_rows_does_not_matter(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  /* supports differ, so that the codes of both are the same */
  char forth[4000] = "", back[4000] = "";
  for (int i = 0; i < 60; i++) {
    char row[64] = "";
    for (int j = 0; j < 6; j++)
      if (i % (j + 2) != 0) (void)snprintf(row + strlen(row), sizeof row - strlen(row), "%c ", 'a' + j);
    (void)snprintf(forth + strlen(forth), sizeof forth - strlen(forth), "%s\n", row);
    memmove(back + strlen(row) + 1, back, strlen(back) + 1);
    memcpy(back, row, strlen(row));
    back[strlen(row)] = '\n';
  }
  dm_transactions *one = transactions_of(ctx, forth), *two = transactions_of(ctx, back);
  char *a = sorted_rows(ctx, one, 1), *b = sorted_rows(ctx, two, 1);
  assert_string_equal(a, b);
  assert_true(strlen(a) > 20);
  free(a);
  free(b);
  dm_transactions_free(one);
  dm_transactions_free(two);
  dm_ctx_free(ctx);
}

/* Every figure of the database counted once more, item by item. */
static void check_database(const dm_transactions *t, const dm_itemdb *db) {
  uint64_t *support = calloc(t->n_items, sizeof *support), *again = calloc(db->n_items + 1, sizeof *again);
  assert_non_null(support);
  assert_non_null(again);
  for (size_t r = 0; r < t->rows.n; r++)
    for (size_t i = t->rows.start[r]; i < t->rows.start[r + 1]; i++) support[t->rows.index[i]] += t->weight ? t->weight[r] : 1;
  size_t frequent = 0;
  for (size_t i = 0; i < t->n_items; i++) frequent += support[i] >= db->min_support;
  assert_int_equal(db->n_items, frequent);
  for (size_t r = 0; r < db->rows.n; r++) {
    assert_true(db->rows.start[r] < db->rows.start[r + 1]);
    for (size_t i = db->rows.start[r]; i < db->rows.start[r + 1]; i++) {
      if (i > db->rows.start[r]) assert_true(db->rows.index[i - 1] < db->rows.index[i]);
      again[db->rows.index[i]] += db->weight[r];
    }
  }
  for (size_t i = 0; i < db->n_items; i++) {
    assert_true(db->support[i] == support[db->source[i]] && again[i] == db->support[i]);
    if (i > 0) assert_true(db->support[i - 1] > db->support[i] || (db->support[i - 1] == db->support[i] && db->source[i - 1] < db->source[i]));
  }
  free(support);
  free(again);
}

static void check_shared(const char *name, size_t n, size_t n_items, size_t ones, uint64_t min_support) {
  for (unsigned threads = 1; threads <= 2; threads++) {
    dm_ctx *ctx = new_threads_ctx(threads);
    dm_transactions *t = shared_transactions(ctx, name);
    assert_int_equal(t->total, n);
    assert_int_equal(t->n_items, n_items);
    assert_int_equal(t->rows.start[t->rows.n], ones);
    dm_itemdb db;
    itemdb_of(ctx, t, min_support, &db);
    check_database(t, &db);
    dm_itemdb_clear(&db);
    dm_transactions_free(t);
    dm_ctx_free(ctx);
  }
}

static void test_mushroom(void **state) {
  (void)state;
  check_shared("mushroom", 8124, 119, 186852, 812);
}

static void test_retail(void **state) {
  (void)state;
  check_shared("retail", 88162, 16470, 908576, 9);
}

static void same_databases(const dm_itemdb *a, const dm_itemdb *b) {
  assert_int_equal(a->rows.n, b->rows.n);
  assert_memory_equal(a->rows.start, b->rows.start, (a->rows.n + 1) * sizeof *a->rows.start);
  if (a->rows.n) assert_memory_equal(a->rows.index, b->rows.index, a->rows.start[a->rows.n] * sizeof *a->rows.index);
  if (a->rows.n) assert_memory_equal(a->weight, b->weight, a->rows.n * sizeof *a->weight);
}

/* Few items and many, which are handled in two ways; rows that are taken give the same. */
static void check_random(uint64_t seed, size_t n, size_t d, double high, double low) {
  dm_ctx *ctx = new_ctx();
  for (uint64_t min_support = 1; min_support < 50; min_support += 12) {
    dm_transactions *t = random_transactions(ctx, seed, n, d, high, low);
    dm_itemdb db, taken;
    itemdb_of(ctx, t, min_support, &db);
    check_database(t, &db);
    assert_int_equal(dm_itemdb_take(ctx, t, min_support, &taken, NULL), DM_OK);
    same_databases(&db, &taken);
    assert_int_equal(t->rows.n, 0);
    dm_transactions_free(t);
    dm_itemdb_clear(&db);
    dm_itemdb_clear(&taken);
  }
  dm_ctx_free(ctx);
}

static void test_random(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 40; seed++) check_random(seed, 1 + (size_t)seed * 7, 1 + (size_t)seed * 5 % 150, 0.9, 0.05);
  for (uint64_t seed = 0; seed < 20; seed++) check_random(seed, 1 + (size_t)seed * 11, 30 + (size_t)seed * 40, 0.08, 0.001);
  check_random(1, 300, 400, 0.6, 0.1); /* rows that are long */
}

/* Many rows, so that every thread gets some: the same rows for any number of threads, rows taken or not. */
static void check_threads(size_t n, size_t d, double high, uint64_t min_support) {
  dm_ctx *one = new_threads_ctx(1);
  dm_transactions *t = random_transactions(one, 9, n, d, high, 0.001);
  dm_itemdb db;
  itemdb_of(one, t, min_support, &db);
  check_database(t, &db);
  for (unsigned threads = 2; threads <= 5; threads++) {
    dm_ctx *ctx = new_threads_ctx(threads);
    dm_itemdb other;
    itemdb_of(ctx, t, min_support, &other);
    same_databases(&db, &other);
    dm_itemdb_clear(&other);
    dm_transactions *again = random_transactions(ctx, 9, n, d, high, 0.001);
    assert_int_equal(dm_itemdb_take(ctx, again, min_support, &other, NULL), DM_OK);
    same_databases(&db, &other);
    dm_itemdb_clear(&other);
    dm_transactions_free(again);
    dm_ctx_free(ctx);
  }
  dm_itemdb_clear(&db);
  dm_transactions_free(t);
  dm_ctx_free(one);
}

static void test_threads(void **state) {
  (void)state;
  check_threads(40000, 14, 0.99, 3);
  check_threads(5000, 600, 0.2, 3);
  check_threads(30000, 100, 0.1, 500);
}

static void test_budget(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.threads = 1, .budget = 200000};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  dm_transactions *t = random_transactions(ctx, 1, 200, 100, 0.9, 0.1);
  void *rest = dm_alloc(ctx, o.budget - dm_ctx_memory(ctx) - 5000, 1, "rest", NULL);
  assert_non_null(rest);
  dm_itemdb db;
  assert_int_equal(dm_itemdb_build(ctx, t, 1, &db, NULL), DM_EBUDGET);
  dm_free(ctx, rest);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_recodes_and_merges), cmocka_unit_test(test_ties_and_empty), cmocka_unit_test(test_weights),
      cmocka_unit_test(test_order_of_rows_does_not_matter), cmocka_unit_test(test_mushroom), cmocka_unit_test(test_retail),
      cmocka_unit_test(test_random), cmocka_unit_test(test_threads), cmocka_unit_test(test_budget),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
