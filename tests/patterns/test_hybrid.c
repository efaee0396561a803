/* The fast search: the sets of a naive one, the same at every level of SIMD and for every number of threads, and counts beyond what can be listed. */
#include "data.h"
#include "matrix/kernels/simd.h"
#include "patterns/miner.h"

/* ---- sets as sorted lines: "1 4 7: 12" --------------------------------------------- */

typedef struct lines {
  char **line;
  size_t n, capacity;
} lines;

static void add_line(lines *l, const uint32_t *items, size_t n, uint64_t support) {
  char text[2048];
  size_t used = 0;
  for (size_t i = 0; i < n; i++) used += (size_t)snprintf(text + used, sizeof text - used, "%u ", items[i]);
  (void)snprintf(text + used, sizeof text - used, ": %llu", (unsigned long long)support);
  if (l->n == l->capacity) {
    l->capacity = l->capacity ? 2 * l->capacity : 256;
    assert_non_null(l->line = realloc(l->line, l->capacity * sizeof *l->line));
  }
  assert_non_null(l->line[l->n++] = strdup(text));
}

static void free_lines(lines *l) {
  for (size_t i = 0; i < l->n; i++) free(l->line[i]);
  free(l->line);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void assert_same_lines(lines *a, lines *b) {
  if (a->n) qsort(a->line, a->n, sizeof *a->line, by_text);
  if (b->n) qsort(b->line, b->n, sizeof *b->line, by_text);
  for (size_t i = 0; i < a->n && i < b->n; i++) assert_string_equal(a->line[i], b->line[i]);
  assert_int_equal(a->n, b->n);
}

/* ---- a naive search ------------------------------------------------------------------ */

typedef struct naive_search {
  const dm_itemdb *db;
  bool *has; /* [rows, n_items] */
  size_t max_size;
  lines sets;
} naive_search;

/* Sets that begin with the n items, which `held` rows have. */
static void mine_naively(naive_search *m, uint32_t *items, size_t n, const size_t *held, size_t n_held) {
  const dm_itemdb *db = m->db;
  size_t *rows = malloc((n_held + 1) * sizeof *rows);
  assert_non_null(rows);
  for (uint32_t item = n ? items[n - 1] + 1 : 0; item < db->n_items && n < m->max_size; item++) {
    size_t k = 0;
    uint64_t support = 0;
    for (size_t r = 0; r < n_held; r++)
      if (m->has[held[r] * db->n_items + item]) {
        rows[k++] = held[r];
        support += db->weight[held[r]];
      }
    if (support < db->min_support) continue;
    items[n] = item;
    add_line(&m->sets, items, n + 1, support);
    mine_naively(m, items, n + 1, rows, k);
  }
  free(rows);
}

static lines naive_sets(const dm_itemdb *db, size_t max_size) {
  size_t n = db->rows.n;
  naive_search m = {.db = db, .has = calloc(n * db->n_items + 1, sizeof(bool)), .max_size = max_size};
  uint32_t items[256];
  size_t *all = malloc((n + 1) * sizeof *all);
  assert_non_null(m.has);
  assert_non_null(all);
  for (size_t r = 0; r < n; r++) {
    all[r] = r;
    for (size_t i = db->rows.start[r]; i < db->rows.start[r + 1]; i++) m.has[r * db->n_items + db->rows.index[i]] = true;
  }
  mine_naively(&m, items, 0, all, n);
  free(m.has);
  free(all);
  return m.sets;
}

/* ---- the search itself ----------------------------------------------------------------- */

static dm_status take_bytes(void *user, const char *p, size_t n, dm_error *err) {
  (void)err;
  dm_buf_add(user, p, n);
  return DM_OK;
}

/* @param out NULL: sets are only counted. Takes over nothing. */
static dm_status search(dm_ctx *ctx, const dm_itemdb *db, size_t max_size, uint64_t limit, dm_buf *out, uint64_t *count, dm_error *err) {
  dm_sink sink = {out, take_bytes};
  dm_reporter_options o = {.format = out ? DM_REPORT_RECORDS : DM_REPORT_COUNT, .db = db, .max_size = max_size, .limit = limit,
                           .sink = out ? &sink : NULL};
  dm_reporter *r = NULL;
  dm_status s = dm_reporter_new(ctx, &o, &r, err);
  if (s != DM_OK) return s;
  s = dm_miner_hybrid.mine(ctx, db, DM_FREQUENT, max_size, r, err);
  if (s == DM_OK) s = dm_reporter_finish(r, count, err);
  if (s == DM_OK && limit) assert_int_equal(dm_reporter_limited(r), *count > limit);
  dm_reporter_free(r);
  return s;
}

static lines lines_of(const dm_buf *records) {
  lines out = {0};
  for (size_t at = 0; at < records->n;) {
    uint32_t n, items[256];
    uint64_t support;
    memcpy(&n, records->p + at, sizeof n);
    memcpy(items, records->p + at + 4, n * sizeof *items);
    memcpy(&support, records->p + at + 4 + 4 * n, sizeof support);
    add_line(&out, items, n, support);
    at += 12 + 4 * n;
  }
  return out;
}

/* As the naive search, with 1, 2 and 3 threads and at all levels of SIMD: the same bytes. */
static void assert_right(const dm_transactions *t, uint64_t min_support, size_t max_size) {
  dm_simd level = dm_k_simd();
  dm_buf first;
  lines naive = {0}, sets = {0};
  for (unsigned threads = 1; threads <= 3; threads++) {
    dm_ctx *ctx = new_threads_ctx(threads);
    dm_itemdb db;
    itemdb_of(ctx, t, min_support, &db);
    if (threads == 1) naive = naive_sets(&db, max_size);
    for (int simd = threads == 1 ? DM_SIMD_SCALAR : (int)level; simd <= (int)level; simd++) {
      (void)dm_k_simd_set((dm_simd)simd);
      dm_buf out;
      uint64_t listed, counted;
      dm_buf_init(&out, ctx, NULL);
      assert_int_equal(search(ctx, &db, max_size, 0, &out, &listed, NULL), DM_OK);
      assert_int_equal(search(ctx, &db, max_size, 0, NULL, &counted, NULL), DM_OK);
      assert_int_equal(listed, naive.n);
      assert_int_equal(counted, naive.n);
      if (threads == 1 && simd == 0) {
        sets = lines_of(&out);
        dm_buf_init(&first, t->ctx, NULL);
        dm_buf_add(&first, out.p, out.n);
      }
      assert_int_equal(out.n, first.n);
      if (out.n) assert_memory_equal(out.p, first.p, out.n);
      dm_buf_clear(&out);
    }
    dm_itemdb_clear(&db);
    dm_ctx_free(ctx);
  }
  assert_same_lines(&naive, &sets);
  free_lines(&naive);
  free_lines(&sets);
  dm_buf_clear(&first);
  (void)dm_k_simd_set(level);
}

static void assert_right_random(uint64_t seed, size_t n, size_t d, double high, double low, uint64_t min_support) {
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = random_transactions(ctx, seed, n, d, high, low);
  assert_right(t, min_support, SIZE_MAX);
  assert_right(t, min_support, 3);
  assert_right(t, min_support, 1);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void test_masks(void **state) {
  (void)state;
  assert_right_random(1, 40, 6, 0.9, 0.2, 1);
  assert_right_random(2, 60, 10, 1.0, 0.1, 1); /* the first item is in all rows */
  assert_right_random(3, 300, 14, 0.95, 0.4, 60);
  assert_right_random(4, 500, 40, 0.6, 0.05, 50);
  assert_right_random(5, 90, 64, 0.3, 0.1, 5);
}

static void test_lists_and_words(void **state) {
  (void)state;
  assert_right_random(6, 200, 90, 0.2, 0.02, 3);    /* two words a row */
  assert_right_random(7, 60, 150, 0.35, 0.1, 5);    /* words from the first item on */
  assert_right_random(8, 2500, 260, 0.09, 0.02, 7); /* lists below lists */
  assert_right_random(9, 400, 134, 0.4, 0.25, 30);  /* two words below lists */
  assert_right_random(10, 600, 140, 0.6, 0.1, 130); /* masks below lists */
}

/* Few of very many items before one: counts are taken from the rows. */
static void test_many_items(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_transactions_builder *b = NULL;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  for (int i = 0; i < 700; i++) {
    char text[64];
    int n = snprintf(text, sizeof text, "a%d b%d", i, i);
    add_transaction(b, text, (size_t)n, 200);
  }
  add_transaction(b, "x y z", 5, 70);
  add_transaction(b, "x y", 3, 30);
  add_transaction(b, "x", 1, 5);
  add_transaction(b, "y", 1, 6);
  add_transaction(b, "z", 1, 7);
  dm_transactions *t = finish_transactions(b);
  assert_right(t, 66, SIZE_MAX);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void test_weights(void **state) {
  (void)state;
  static const char *const rows[] = {"a b c d", "a b d", "c d", "a b c", "e", "a e", "b c d e"};
  static const uint64_t light[] = {64, 1, 3, 60, 63, 2, 1}, heavy[] = {4000000000, 7, 100000000, 9, 64, 65, 66};
  static const uint64_t heaviest[] = {4000000000, 4000000000, 4000000000, 1, 1, 1, 1};
  dm_ctx *ctx = new_ctx();
  const uint64_t *const weights[] = {light, heavy, heaviest};
  for (size_t i = 0; i < 3; i++) {
    dm_transactions *t = transactions_of_rows(ctx, rows, weights[i], 7);
    assert_right(t, 2, SIZE_MAX);
    assert_right(t, 65, 2);
    dm_transactions_free(t);
  }
  dm_ctx_free(ctx);
}

static void test_nothing(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = transactions_of(ctx, "a\nb\n\nc d\n");
  assert_right(t, 2, SIZE_MAX);
  assert_right(t, 1, SIZE_MAX);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

/* ---- numbers that cannot be listed -------------------------------------------------- */

/* n items in all of `rows` rows, and one row of none but the first. */
static dm_status count_full(unsigned threads, size_t n, uint64_t rows, uint64_t min_support, uint64_t *count, dm_error *err) {
  dm_ctx *ctx = new_threads_ctx(threads);
  dm_transactions_builder *b = NULL;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  for (size_t i = 0; i < n; i++) {
    char name[24];
    int length = snprintf(name, sizeof name, "%zu", i);
    assert_int_equal(dm_transactions_builder_item(b, name, (size_t)length, NULL), DM_OK);
  }
  assert_int_equal(dm_transactions_builder_end(b, rows, NULL), DM_OK);
  add_transaction(b, "0", 1, 1);
  dm_transactions *t = finish_transactions(b);
  dm_itemdb db;
  itemdb_of(ctx, t, min_support, &db);
  dm_status s = search(ctx, &db, SIZE_MAX, 0, NULL, count, err);
  dm_itemdb_clear(&db);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
  return s;
}

static void test_huge_counts(void **state) {
  (void)state;
  for (unsigned threads = 1; threads <= 2; threads++)
    for (uint64_t rows = 2; rows < 200; rows *= 50) {
      uint64_t count = 0;
      assert_int_equal(count_full(threads, 20, rows, 2, &count, NULL), DM_OK);
      assert_int_equal(count, (1u << 20) - 1);
      assert_int_equal(count_full(threads, 63, rows, 1, &count, NULL), DM_OK);
      assert_int_equal(count, UINT64_MAX / 2);
      assert_int_equal(count_full(threads, 64, rows, 2, &count, NULL), DM_OK);
      assert_int_equal(count, UINT64_MAX);
      for (size_t n = 65; n < 140; n += 5) {
        dm_error err = {0};
        assert_int_equal(count_full(threads, n, rows, 2, &count, &err), DM_EINPUT);
        assert_non_null(strstr(err.message, "more sets than 64 bits can count"));
      }
    }
}

/* 22 items, each missing in one row of its own: all sets of at most 15 of them are in 7 rows or more, C(22, 1) + … + C(22, 15). */
static void test_complements(void **state) {
  (void)state;
  dm_ctx *ctx = new_threads_ctx(2);
  dm_transactions_builder *b = NULL;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  for (size_t r = 0; r < 22; r++) {
    for (size_t i = 0; i < 22; i++) {
      char name[24];
      int length = snprintf(name, sizeof name, "%zu", i);
      if (i != r) assert_int_equal(dm_transactions_builder_item(b, name, (size_t)length, NULL), DM_OK);
    }
    assert_int_equal(dm_transactions_builder_end(b, 1, NULL), DM_OK);
  }
  dm_transactions *t = finish_transactions(b);
  uint64_t want = 0, choose = 1, count = 0;
  for (uint64_t k = 1; k <= 15; k++) want += choose = choose * (22 - k + 1) / k;
  dm_itemdb db;
  itemdb_of(ctx, t, 7, &db);
  assert_int_equal(search(ctx, &db, SIZE_MAX, 0, NULL, &count, NULL), DM_OK);
  assert_int_equal(count, want);
  dm_itemdb_clear(&db);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

/* ---- real data ------------------------------------------------------------------------- */

static void assert_counts(const char *name, const uint64_t (*support_count)[2], size_t n) {
  char *path = shared_baskets(name); /* first: the test may end here */
  dm_ctx *ctx = new_threads_ctx(2);
  dm_transactions *t = NULL;
  assert_int_equal(dm_basket_read(ctx, path, NULL, &t, NULL), DM_OK);
  remove_file(path);
  for (size_t i = 0; i < n; i++) {
    dm_itemdb db;
    uint64_t count = 0;
    itemdb_of(ctx, t, support_count[i][0], &db);
    assert_int_equal(search(ctx, &db, SIZE_MAX, 0, NULL, &count, NULL), DM_OK);
    assert_int_equal(count, support_count[i][1]);
    if (count < 1000000) {
      dm_buf out;
      dm_buf_init(&out, ctx, NULL);
      assert_int_equal(search(ctx, &db, SIZE_MAX, 0, &out, &count, NULL), DM_OK);
      assert_int_equal(count, support_count[i][1]);
      dm_buf_clear(&out);
    }
    dm_itemdb_clear(&db);
  }
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void test_mushroom(void **state) {
  (void)state;
  static const uint64_t counts[][2] = {{1000, 123277}, {406, 3755705}, {81, 91273269}};
  assert_counts("mushroom", counts, 3);
}

static void test_retail(void **state) {
  (void)state;
  static const uint64_t counts[][2] = {{9, 240852}};
  assert_counts("retail", counts, 1);
}

/* ---- when it does not go well -------------------------------------------------------------- */

static void test_limit(void **state) {
  (void)state;
  dm_ctx *ctx = new_threads_ctx(2);
  dm_transactions *t = random_transactions(ctx, 11, 400, 100, 0.6, 0.3);
  dm_itemdb db;
  uint64_t count = 0;
  itemdb_of(ctx, t, 5, &db); /* far more sets than can be gone through */
  dm_buf out;
  dm_buf_init(&out, ctx, NULL);
  assert_int_equal(search(ctx, &db, SIZE_MAX, 5000, &out, &count, NULL), DM_OK);
  assert_true(count > 5000);
  dm_buf_clear(&out);
  assert_int_equal(search(ctx, &db, SIZE_MAX, 5000, NULL, &count, NULL), DM_OK);
  assert_true(count > 5000);
  dm_itemdb_clear(&db);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void test_cancelled(void **state) {
  (void)state;
  dm_ctx *ctx = new_threads_ctx(2);
  dm_transactions *t = random_transactions(ctx, 12, 400, 100, 0.6, 0.3);
  dm_itemdb db;
  dm_error err = {0};
  uint64_t count = 77;
  itemdb_of(ctx, t, 5, &db);
  dm_ctx_cancel(ctx);
  assert_int_equal(search(ctx, &db, SIZE_MAX, 0, NULL, &count, &err), DM_ECANCEL);
  assert_int_equal(count, 77);
  dm_itemdb_clear(&db);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

typedef struct faults {
  size_t until;
} faults;

static void *allocate(void *user, size_t size, size_t alignment) {
  faults *f = user;
  if (f->until-- == 0) {
    f->until = 0;
    return NULL;
  }
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *block) {
  (void)user;
  free(block);
}

/* Every allocation of the search fails in turn. */
static void test_out_of_memory(void **state) {
  (void)state;
  for (size_t d = 30; d <= 90; d += 60) {
    faults f = {SIZE_MAX};
    dm_ctx *ctx = NULL;
    dm_ctx_options o = {.threads = 1, .allocate = allocate, .release = release, .user = &f};
    assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
    dm_transactions *t = random_transactions(ctx, 13, 300, d, 0.4, 0.1);
    dm_itemdb db;
    itemdb_of(ctx, t, 20, &db);
    dm_status s = DM_EBUDGET;
    size_t failed = 0;
    for (; s != DM_OK; failed++) {
      dm_error err = {0};
      uint64_t count;
      f.until = failed;
      s = search(ctx, &db, SIZE_MAX, 0, NULL, &count, &err);
      if (s != DM_OK) assert_int_equal(s, DM_EBUDGET);
      f.until = SIZE_MAX;
    }
    assert_true(failed > 10);
    dm_itemdb_clear(&db);
    dm_transactions_free(t);
    dm_ctx_free(ctx); /* asserts that nothing is left */
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_masks),       cmocka_unit_test(test_lists_and_words), cmocka_unit_test(test_many_items),
      cmocka_unit_test(test_weights),     cmocka_unit_test(test_nothing),         cmocka_unit_test(test_huge_counts),
      cmocka_unit_test(test_complements), cmocka_unit_test(test_mushroom),        cmocka_unit_test(test_retail),
      cmocka_unit_test(test_limit),       cmocka_unit_test(test_cancelled),       cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
