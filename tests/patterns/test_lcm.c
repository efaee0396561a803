/*
 * Closed sets, maximal sets and generators by LCM: against their definitions
 * on small databases, against Eclat on wide ones, whose databases stay rows of
 * items for some levels; threads, registers, failing memory, real data.
 */
#include "matrix/kernels/simd.h"
#include "patterns/data.h"
#include "patterns/lcm.h"

#include <stdatomic.h>

static const dm_itemset_kind kinds[] = {DM_CLOSED, DM_MAXIMAL, DM_GENERATORS};
static const char *const kind_names[] = {"frequent", "closed", "maximal", "generators"};

/* ---- databases ---------------------------------------------------------------------- */

typedef struct shape {
  const char *name;
  size_t n, d;
  double high, low;    /* how often the first and the last item are there */
  double repeated;     /* share of rows that are those before */
  uint64_t weight;     /* rows count 1 … weight times */
  size_t everywhere;   /* items that all rows have */
  size_t blocks;       /* items come in so many groups: a row has items of one of them only; 1: all */
} shape;

static dm_transactions *make(dm_ctx *ctx, const shape *s, uint64_t seed) {
  dm_transactions_builder *b = NULL;
  dm_rng rng;
  dm_rng_init(&rng, seed, 0);
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  bool row[512] = {false};
  assert_true(s->d <= sizeof row);
  for (size_t r = 0; r < s->n; r++) {
    if (r == 0 || dm_rng_uniform(&rng) >= s->repeated) {
      size_t block = dm_rng_below(&rng, s->blocks);
      for (size_t i = 0; i < s->d; i++) {
        double chance = s->high - (s->high - s->low) * (double)i / (double)s->d;
        bool is_there = dm_rng_uniform(&rng) < chance;
        row[i] = i < s->everywhere || (is_there && i % s->blocks == block);
      }
    }
    for (size_t i = 0; i < s->d; i++) {
      char name[24];
      int length = snprintf(name, sizeof name, "%zu", i);
      if (row[i]) assert_int_equal(dm_transactions_builder_item(b, name, (size_t)length, NULL), DM_OK);
    }
    assert_int_equal(dm_transactions_builder_end(b, 1 + dm_rng_below(&rng, s->weight), NULL), DM_OK);
  }
  return finish_transactions(b);
}

/* ---- lists of sets: "3 17 21 (5)", codes of the database ------------------------------- */

typedef struct set_list {
  size_t n, capacity;
  char **lines;
  bool overflow;
} set_list;

static void add_line(set_list *list, const uint32_t *items, size_t n, uint64_t support) {
  char line[4096];
  size_t used = 0;
  for (size_t i = 0; i < n; i++) used += (size_t)snprintf(line + used, sizeof line - used, "%u ", items[i]);
  used += (size_t)snprintf(line + used, sizeof line - used, "(%llu)", (unsigned long long)support);
  assert_true(used < sizeof line);
  if (list->n == list->capacity) {
    list->capacity = list->capacity ? 2 * list->capacity : 64;
    assert_non_null(list->lines = realloc(list->lines, list->capacity * sizeof *list->lines));
  }
  assert_non_null(list->lines[list->n++] = strdup(line));
}

static void clear_list(set_list *list) {
  for (size_t i = 0; i < list->n; i++) free(list->lines[i]);
  free(list->lines);
  *list = (set_list){0};
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void sort_list(set_list *list) {
  if (list->n) qsort(list->lines, list->n, sizeof *list->lines, by_text);
}

/* As they are: in the order of both. */
static void assert_same(const set_list *want, const set_list *got, const char *where) {
  for (size_t i = 0; i < want->n && i < got->n; i++)
    if (strcmp(want->lines[i], got->lines[i]) != 0) {
      print_error("%s: set %zu is %s, want %s\n", where, i, got->lines[i], want->lines[i]);
      fail();
    }
  if (want->n != got->n) print_error("%s: %zu sets, want %zu\n", where, got->n, want->n);
  assert_int_equal(want->n, got->n);
}

static dm_status read_records(void *user, const char *p, size_t n, dm_error *err) {
  (void)err;
  for (const char *end = p + n; p < end;) {
    uint32_t n_items, items[512];
    uint64_t support;
    memcpy(&n_items, p, sizeof n_items);
    assert_true(n_items <= 512);
    memcpy(items, p + sizeof n_items, n_items * sizeof *items);
    p += sizeof n_items + n_items * sizeof *items;
    memcpy(&support, p, sizeof support);
    p += sizeof support;
    add_line(user, items, n_items, support);
  }
  return DM_OK;
}

static dm_status mine(dm_ctx *ctx, const dm_miner *miner, const dm_itemdb *db, dm_itemset_kind kind, set_list *out, uint64_t *count, dm_error *err) {
  dm_sink sink = {out, read_records};
  dm_reporter_options o = {.format = DM_REPORT_COUNT, .db = db, .min_size = 1, .max_size = SIZE_MAX};
  if (out) {
    o.format = DM_REPORT_RECORDS;
    o.sink = &sink;
  }
  dm_reporter *r = NULL;
  if (out) *out = (set_list){0};
  dm_status s = dm_reporter_new(ctx, &o, &r, err);
  if (s == DM_OK) s = miner->mine(ctx, db, kind, SIZE_MAX, r, err);
  if (s == DM_OK) s = dm_reporter_finish(r, count, err);
  dm_reporter_free(r);
  if (s != DM_OK && out) clear_list(out);
  return s;
}

static void mine_sets(dm_ctx *ctx, const dm_miner *miner, const dm_itemdb *db, dm_itemset_kind kind, set_list *out) {
  dm_error err = {0};
  uint64_t count = 0;
  dm_status s = mine(ctx, miner, db, kind, out, &count, &err);
  if (s != DM_OK) print_error("%s: %s\n", miner->name, err.message);
  assert_int_equal(s, DM_OK);
  assert_true(count == out->n);
}

static uint64_t count_sets(dm_ctx *ctx, const dm_itemdb *db, dm_itemset_kind kind) {
  dm_error err = {0};
  uint64_t count = 0;
  dm_status s = mine(ctx, &dm_miner_lcm, db, kind, NULL, &count, &err);
  if (s != DM_OK) print_error("lcm: %s\n", err.message);
  assert_int_equal(s, DM_OK);
  return count;
}

/* The way of maximal sets with many rows, taken by few. */
static dm_status mine_without_counts(dm_ctx *ctx, const dm_itemdb *db, dm_itemset_kind kind, size_t max_size, dm_reporter *out, dm_error *err) {
  (void)max_size;
  return dm_lcm_mine(ctx, db, kind, 20, out, err);
}

static const dm_miner without_counts = {.name = "lcm without counts", .mine = mine_without_counts};

/* ---- by definition ------------------------------------------------------------------------ */

static void define(const dm_itemdb *db, dm_itemset_kind kind, set_list *out) {
  size_t d = db->n_items, end = (size_t)1 << d;
  uint64_t *support = calloc(end, sizeof *support);
  assert_non_null(support);
  for (size_t r = 0; r < db->rows.n; r++) {
    size_t row = 0;
    for (size_t i = db->rows.start[r]; i < db->rows.start[r + 1]; i++) row |= (size_t)1 << db->rows.index[i];
    support[row] += db->weight[r];
  }
  for (size_t bit = 1; bit < end; bit *= 2)
    for (size_t set = 0; set < end; set++)
      if (!(set & bit)) support[set] += support[set | bit];
  support[0] = db->total;
  *out = (set_list){0};
  for (size_t set = 1; set < end; set++) {
    uint32_t items[16], n = 0;
    bool wanted = support[set] >= db->min_support;
    for (size_t i = 0; i < d; i++) {
      size_t bit = (size_t)1 << i;
      if (set & bit) items[n++] = (uint32_t)i;
      if (kind == DM_CLOSED && !(set & bit)) wanted = wanted && support[set | bit] < support[set];
      if (kind == DM_MAXIMAL && !(set & bit)) wanted = wanted && support[set | bit] < db->min_support;
      if (kind == DM_GENERATORS && (set & bit)) wanted = wanted && support[set & ~bit] > support[set];
    }
    if (wanted) add_line(out, items, n, support[set]);
  }
  free(support);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static const shape small[] = {
    {.name = "few", .n = 12, .d = 6, .high = 0.6, .low = 0.4, .weight = 1, .blocks = 1},
    {.name = "repeated", .n = 30, .d = 8, .high = 0.9, .low = 0.2, .repeated = 0.4, .weight = 1, .blocks = 1},
    {.name = "dense", .n = 150, .d = 11, .high = 0.95, .low = 0.6, .weight = 1, .blocks = 1},
    {.name = "everywhere", .n = 25, .d = 9, .high = 0.9, .low = 0.5, .weight = 2, .everywhere = 2, .blocks = 1},
    {.name = "only everywhere", .n = 5, .d = 3, .weight = 3, .everywhere = 3, .blocks = 1},
    {.name = "sparse", .n = 200, .d = 12, .high = 0.4, .low = 0.05, .weight = 1, .blocks = 1},
    {.name = "heavy", .n = 20, .d = 9, .high = 0.8, .low = 0.3, .weight = 4000000000, .blocks = 1},
    {.name = "one row", .n = 1, .d = 8, .high = 0.7, .low = 0.7, .weight = 4, .blocks = 1},
};

static const uint64_t divisors[] = {0, 50, 10, 4, 2, 1}; /* of the total; 0: support 1 */

static void test_by_definition(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  for (size_t i = 0; i < sizeof small / sizeof *small; i++)
    for (uint64_t seed = 0; seed < 3; seed++) {
      dm_transactions *t = make(ctx, &small[i], seed);
      for (size_t j = 0; j < sizeof divisors / sizeof *divisors; j++) {
        dm_itemdb db;
        uint64_t min_support = divisors[j] ? t->total / divisors[j] : 1;
        itemdb_of(ctx, t, min_support ? min_support : 1, &db);
        for (size_t k = 0; k < 3; k++) {
          set_list want, got;
          char where[128];
          (void)snprintf(where, sizeof where, "%s, seed %llu, support %llu, %s", small[i].name, (unsigned long long)seed,
                         (unsigned long long)db.min_support, kind_names[kinds[k]]);
          define(&db, kinds[k], &want);
          mine_sets(ctx, &dm_miner_lcm, &db, kinds[k], &got);
          sort_list(&want);
          sort_list(&got);
          assert_same(&want, &got, where);
          assert_int_equal(count_sets(ctx, &db, kinds[k]), want.n);
          clear_list(&got);
          mine_sets(ctx, &without_counts, &db, kinds[k], &got);
          sort_list(&got);
          assert_same(&want, &got, where);
          clear_list(&want);
          clear_list(&got);
        }
        dm_itemdb_clear(&db);
      }
      dm_transactions_free(t);
    }
  dm_ctx_free(ctx);
}

/*
 * More than 128 items but for the last two, so that no database of bits is there from the start; heads of up to 64 transactions and of
 * more; tails of up to 64 items and of more.
 */
static const struct wide {
  shape shape;
  uint64_t min_support;
} wide[] = {
    {{.name = "short rows", .n = 300, .d = 400, .high = 0.05, .low = 0.01, .weight = 1, .blocks = 1}, 2},
    {{.name = "short rows, support 1", .n = 40, .d = 300, .high = 0.06, .low = 0.01, .weight = 1, .blocks = 1}, 1},
    {{.name = "long tails", .n = 500, .d = 180, .high = 0.7, .low = 0.1, .weight = 1, .blocks = 1}, 150},
    {{.name = "pairs", .n = 300, .d = 200, .high = 0.35, .low = 0.3, .weight = 1, .blocks = 1}, 28},
    {{.name = "long tails, everywhere, heavy", .n = 300, .d = 150, .high = 0.5, .low = 0.15, .weight = 900, .everywhere = 2, .blocks = 1}, 22000},
    {{.name = "more than 32 bits", .n = 200, .d = 150, .high = 0.6, .low = 0.2, .weight = 4000000000, .blocks = 1}, UINT64_C(80000000000)},
    {{.name = "blocks", .n = 800, .d = 500, .high = 0.6, .low = 0.3, .repeated = 0.3, .weight = 2, .blocks = 10}, 45},
    {{.name = "below 128 items", .n = 400, .d = 100, .high = 0.6, .low = 0.1, .repeated = 0.2, .weight = 1, .blocks = 1}, 70},
};

static void test_wide(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
    dm_transactions *t = make(ctx, &wide[i].shape, i);
    dm_itemdb db;
    itemdb_of(ctx, t, wide[i].min_support, &db);
    for (size_t k = 0; k < 3; k++) {
      set_list want, got;
      char where[128];
      (void)snprintf(where, sizeof where, "%s, %s", wide[i].shape.name, kind_names[kinds[k]]);
      mine_sets(ctx, &dm_miner_eclat, &db, kinds[k], &want);
      mine_sets(ctx, &dm_miner_lcm, &db, kinds[k], &got);
      sort_list(&want);
      sort_list(&got);
      assert_true(want.n > 20);
      assert_same(&want, &got, where);
      assert_int_equal(count_sets(ctx, &db, kinds[k]), want.n);
      clear_list(&got);
      mine_sets(ctx, &without_counts, &db, kinds[k], &got);
      sort_list(&got);
      assert_same(&want, &got, where);
      clear_list(&want);
      clear_list(&got);
    }
    dm_itemdb_clear(&db);
    dm_transactions_free(t);
  }
  dm_ctx_free(ctx);
}

/* Any number of threads and all registers: the same sets in the same order. */
static void test_same_order(void **state) {
  (void)state;
  dm_simd best = dm_k_simd();
  for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
    for (size_t k = 0; k < 3; k++) {
      set_list first = {0};
      for (unsigned threads = 1; threads <= 3; threads++)
        for (int level = DM_SIMD_SCALAR; level <= (int)best; level++) {
          if (threads > 1 && level < (int)best) continue;
          (void)dm_k_simd_set((dm_simd)level);
          dm_ctx *ctx = new_threads_ctx(threads);
          dm_transactions *t = make(ctx, &wide[i].shape, i);
          dm_itemdb db;
          itemdb_of(ctx, t, wide[i].min_support, &db);
          set_list got;
          mine_sets(ctx, &dm_miner_lcm, &db, kinds[k], &got);
          if (first.n)
            assert_same(&first, &got, wide[i].shape.name);
          else
            first = got;
          if (got.lines != first.lines) clear_list(&got);
          dm_itemdb_clear(&db);
          dm_transactions_free(t);
          dm_ctx_free(ctx);
        }
      clear_list(&first);
    }
  (void)dm_k_simd_set(best);
}

static void test_nothing_frequent(void **state) {
  (void)state;
  dm_ctx *ctx = new_threads_ctx(2);
  dm_transactions *t = transactions_of(ctx, "a b\nc\n\n");
  dm_itemdb db;
  itemdb_of(ctx, t, 2, &db);
  for (size_t k = 0; k < 3; k++) assert_int_equal(count_sets(ctx, &db, kinds[k]), 0);
  dm_itemdb_clear(&db);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

/* ---- failing memory --------------------------------------------------------------------- */

typedef struct failing {
  atomic_size_t left; /* allocations that succeed */
} failing;

static void *allocate(void *user, size_t size, size_t alignment) {
  failing *f = user;
  if (atomic_load(&f->left) == 0) return NULL;
  atomic_fetch_sub(&f->left, 1);
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *block) {
  (void)user;
  free(block);
}

static void test_failing_memory(void **state) {
  (void)state;
  failing f = {SIZE_MAX};
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.allocate = allocate, .release = release, .user = &f, .threads = 2};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  static const size_t few_sets[] = {1, 4, 6};
  for (size_t j = 0; j < sizeof few_sets / sizeof *few_sets; j++) {
    size_t i = few_sets[j];
    dm_transactions *t = make(ctx, &wide[i].shape, i);
    dm_itemdb db;
    itemdb_of(ctx, t, wide[i].min_support, &db);
    for (size_t k = 0; k < 3; k++) {
      dm_status s = DM_EBUDGET;
      uint64_t count = 0;
      size_t want = 0, n = 0;
      atomic_store(&f.left, SIZE_MAX);
      want = count_sets(ctx, &db, kinds[k]);
      for (; s != DM_OK && n < 1000; n++) {
        dm_error err = {0};
        atomic_store(&f.left, n);
        s = mine(ctx, &dm_miner_lcm, &db, kinds[k], NULL, &count, &err);
        assert_true(s == DM_OK || (s == DM_EBUDGET && err.message[0]));
      }
      assert_true(s == DM_OK && n > 10);
      assert_int_equal(count, want);
    }
    atomic_store(&f.left, SIZE_MAX);
    dm_itemdb_clear(&db);
    dm_transactions_free(t);
  }
  dm_ctx_free(ctx);
}

/* ---- real data ----------------------------------------------------------------------------- */

typedef struct golden {
  uint64_t min_support, closed, maximal;
} golden;

static void check_golden(const char *name, const golden *want, size_t n) {
  char *path = shared_baskets(name); /* leaves the test when it is not there */
  dm_ctx *ctx = new_threads_ctx(2);
  dm_transactions *t = NULL;
  assert_int_equal(dm_basket_read(ctx, path, NULL, &t, NULL), DM_OK);
  remove_file(path);
  for (size_t i = 0; i < n; i++) {
    dm_itemdb db;
    itemdb_of(ctx, t, want[i].min_support, &db);
    assert_int_equal(count_sets(ctx, &db, DM_CLOSED), want[i].closed);
    assert_int_equal(count_sets(ctx, &db, DM_MAXIMAL), want[i].maximal);
    dm_itemdb_clear(&db);
  }
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

/* Counts on which Borgelt's programs and LCM 5.3 agree. */
static void test_golden_mushroom(void **state) {
  (void)state;
  check_golden("mushroom", (const golden[]){{1000, 3427, 467}, {406, 12854, 1452}, {81, 51672, 6733}}, 3);
}

static void test_golden_connect(void **state) {
  (void)state;
  check_golden("connect", (const golden[]){{50000, 26417, 985}, {20000, 474297, 11166}}, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_by_definition),   cmocka_unit_test(test_wide),           cmocka_unit_test(test_same_order),
      cmocka_unit_test(test_nothing_frequent), cmocka_unit_test(test_failing_memory), cmocka_unit_test(test_golden_mushroom),
      cmocka_unit_test(test_golden_connect),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
