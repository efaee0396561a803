/* The textbook searches against the naive miner, set by set: every kind, every support, one and two threads, lengths, failing memory. */
#include "patterns/naive.h"

#include <stdatomic.h>

static const dm_miner *const miners[] = {&dm_miner_apriori, &dm_miner_eclat, &dm_miner_fpgrowth};
enum { N_MINERS = sizeof miners / sizeof *miners, N_KINDS = 4 };
static const char *const kind_names[N_KINDS] = {"frequent", "closed", "maximal", "generators"};

/* ---- databases ------------------------------------------------------------------ */

/* What a random database is made of; shares are of 1. */
typedef struct shape {
  size_t n, d;          /* rows, items */
  double high, low;     /* how often the first and the last item are there */
  double repeated, empty; /* rows that are there once more; rows without an item */
  uint64_t weight;      /* rows count 1 … weight times */
  bool ubiquitous;      /* item 0 is in all rows that are not empty */
} shape;

static dm_transactions *make(dm_ctx *ctx, const shape *s, uint64_t seed) {
  dm_transactions_builder *b = NULL;
  dm_rng rng;
  dm_rng_init(&rng, seed, 0);
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  bool row[NAIVE_ITEMS] = {false};
  for (size_t r = 0; r < s->n; r++) {
    if (r == 0 || dm_rng_uniform(&rng) >= s->repeated)
      for (size_t i = 0; i < s->d; i++) row[i] = dm_rng_uniform(&rng) < s->high - (s->high - s->low) * (double)i / (double)s->d;
    if (s->ubiquitous) row[0] = true;
    bool is_empty = dm_rng_uniform(&rng) < s->empty;
    for (size_t i = 0; i < s->d && !is_empty; i++) {
      char name = (char)('a' + i);
      if (row[i]) assert_int_equal(dm_transactions_builder_item(b, &name, 1, NULL), DM_OK);
    }
    assert_int_equal(dm_transactions_builder_end(b, 1 + dm_rng_below(&rng, s->weight), NULL), DM_OK);
  }
  return finish_transactions(b);
}

static const shape shapes[] = {
    {.n = 12, .d = 6, .high = 0.6, .low = 0.4, .weight = 1},
    {.n = 30, .d = 8, .high = 0.9, .low = 0.2, .weight = 1, .repeated = 0.4},
    {.n = 25, .d = 10, .high = 0.95, .low = 0.7, .weight = 1, .ubiquitous = true},
    {.n = 60, .d = 12, .high = 0.3, .low = 0.1, .weight = 1, .empty = 0.2},
    {.n = 20, .d = 9, .high = 0.8, .low = 0.3, .weight = 9, .repeated = 0.2},
    {.n = 15, .d = 7, .high = 0.9, .low = 0.5, .weight = 4000000000, .ubiquitous = true, .empty = 0.1},
    {.n = 90, .d = 11, .high = 0.5, .low = 0.3, .weight = 3, .repeated = 0.6},
    {.n = 1, .d = 8, .high = 0.7, .low = 0.7, .weight = 4},
    {.n = 2, .d = 5, .high = 0.8, .low = 0.8, .weight = 1},
    {.n = 300, .d = 10, .high = 0.25, .low = 0.02, .weight = 1},
};

static uint64_t support_to_try(const dm_transactions *t, size_t step, size_t steps) {
  if (step == 0) return 1;
  if (step == steps) return t->total + 1;
  uint64_t some = (uint64_t)((double)t->total * (double)step / (double)steps / (double)(1 + step % 3));
  return some < 1 ? 1 : some;
}

/* ---- all against all ---------------------------------------------------------------- */

static void assert_same_order(dm_ctx *two, const dm_miner *miner, const dm_itemdb *db, dm_itemset_kind kind, const set_list *want) {
  set_list got;
  miner_sets(two, miner, db, kind, SIZE_MAX, &got);
  assert_int_equal(got.n, want->n);
  for (size_t i = 0; i < got.n; i++) assert_true(got.sets[i].set == want->sets[i].set && got.sets[i].support == want->sets[i].support);
  clear_sets(&got);
}

/* @param two NULL: one thread is enough */
static void check(dm_ctx *one, dm_ctx *two, const dm_transactions *t, uint64_t min_support, uint64_t seed) {
  dm_itemdb db;
  itemdb_of(one, t, min_support, &db);
  for (int kind = 0; kind < N_KINDS; kind++) {
    set_list want;
    naive_mine(t, min_support, (dm_itemset_kind)kind, &want);
    for (size_t m = 0; m < N_MINERS; m++) {
      char where[120];
      (void)snprintf(where, sizeof where, "%s, %s, support %llu, seed %llu", miners[m]->name, kind_names[kind], (unsigned long long)min_support,
                     (unsigned long long)seed);
      set_list got;
      size_t held = dm_ctx_memory(one);
      miner_sets(one, miners[m], &db, (dm_itemset_kind)kind, SIZE_MAX, &got);
      if (two) assert_same_order(two, miners[m], &db, (dm_itemset_kind)kind, &got);
      assert_same_sets(&want, &got, where);
      assert_true(miner_count(one, miners[m], &db, (dm_itemset_kind)kind) == want.n);
      assert_true(dm_ctx_memory(one) == held);
      clear_sets(&got);
    }
    clear_sets(&want);
  }
  dm_itemdb_clear(&db);
}

static void random_databases_give_what_the_naive_miner_finds(void **state) {
  (void)state;
  dm_ctx *one = new_threads_ctx(1), *two = new_threads_ctx(2);
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (uint64_t seed = 1; seed <= 3; seed++) {
      dm_transactions *t = make(one, &shapes[s], 100 * s + seed);
      for (size_t step = 0; step <= 6; step++) check(one, seed == 1 && step == 2 ? two : NULL, t, support_to_try(t, step, 6), 100 * s + seed);
      dm_transactions_free(t);
    }
  dm_ctx_free(one);
  dm_ctx_free(two);
}

static void every_support_of_a_small_database(void **state) {
  (void)state;
  dm_ctx *one = new_threads_ctx(1), *two = new_threads_ctx(2);
  const char *const rows[] = {"a b c d", "a b c", "a b d e", "a c d", "a", "a b c d e", "a b", "", "a e"};
  dm_transactions *t = transactions_of_rows(one, rows, NULL, sizeof rows / sizeof *rows);
  for (uint64_t support = 1; support <= t->total + 1; support++) check(one, two, t, support, 0);
  dm_transactions_free(t);
  dm_ctx_free(one);
  dm_ctx_free(two);
}

/* No row, no item, one item: nothing to hold on to. */
static void databases_with_hardly_anything(void **state) {
  (void)state;
  dm_ctx *one = new_threads_ctx(1), *two = new_threads_ctx(2);
  const char *const texts[] = {"\n\n", "a\n", "a\na\n", "a\n\n", "a b\n", "a b\na b\n", "a b\n\na b c\n"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    dm_transactions *t = transactions_of(one, texts[i]);
    for (uint64_t support = 1; support <= t->total + 1; support++) check(one, two, t, support, i);
    dm_transactions_free(t);
  }
  dm_ctx_free(one);
  dm_ctx_free(two);
}

static void sets_of_limited_size(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  for (uint64_t seed = 0; seed < 6; seed++) {
    dm_transactions *t = make(ctx, &shapes[seed], seed);
    dm_itemdb db;
    uint64_t min_support = support_to_try(t, 2, 6);
    itemdb_of(ctx, t, min_support, &db);
    for (int kind = 0; kind < N_KINDS; kind++)
      for (size_t max_size = 1; max_size <= 5; max_size++) {
        set_list want;
        naive_mine(t, min_support, (dm_itemset_kind)kind, &want);
        keep_up_to(&want, max_size);
        for (size_t m = 0; m < N_MINERS; m++) {
          set_list got;
          miner_sets(ctx, miners[m], &db, (dm_itemset_kind)kind, max_size, &got);
          assert_same_sets(&want, &got, miners[m]->name);
          clear_sets(&got);
        }
        clear_sets(&want);
      }
    dm_itemdb_clear(&db);
    dm_transactions_free(t);
  }
  dm_ctx_free(ctx);
}

/* ---- memory ---------------------------------------------------------------------------- */

typedef struct fault {
  atomic_int left;     /* requests that are still granted; below 0 none is refused */
  atomic_int refused, held;
} fault;

static void *faulty_allocate(void *user, size_t size, size_t alignment) {
  fault *f = user;
  if (atomic_load(&f->left) >= 0 && atomic_fetch_sub(&f->left, 1) <= 0) {
    atomic_store(&f->left, 0); /* and all that follow */
    atomic_fetch_add(&f->refused, 1);
    return NULL;
  }
  void *p = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (p) atomic_fetch_add(&f->held, 1);
  return p;
}

static void faulty_release(void *user, void *block) {
  fault *f = user;
  atomic_fetch_sub(&f->held, 1);
  free(block);
}

/* Memory that fails from the n-th request on, for every n that is reached: an error, and nothing is left behind. */
static void failing_memory_is_an_error_without_a_leak(void **state) {
  (void)state;
  for (unsigned threads = 1; threads <= 2; threads++)
    for (size_t m = 0; m < N_MINERS; m++)
      for (int kind = 0; kind < N_KINDS; kind++) {
        fault f = {.left = -1};
        dm_ctx *ctx = NULL;
        dm_ctx_options o = {.allocate = faulty_allocate, .release = faulty_release, .user = &f, .threads = threads};
        assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
        dm_transactions *t = make(ctx, &shapes[4], 3);
        dm_itemdb db;
        itemdb_of(ctx, t, 2, &db);
        int before = atomic_load(&f.held), n = 0, failed = 0;
        uint64_t want = miner_count(ctx, miners[m], &db, (dm_itemset_kind)kind);
        bool refused = true; /* a thread without room for what it found may wait for its turn instead: then all is well, too */
        for (; refused && n < 1000; n += threads == 1 ? 1 : 9) {
          dm_error err = {0};
          uint64_t count;
          set_list got;
          atomic_store(&f.left, n);
          atomic_store(&f.refused, 0);
          dm_status s = try_miner(ctx, miners[m], &db, (dm_itemset_kind)kind, SIZE_MAX, &got, &count, &err);
          atomic_store(&f.left, -1);
          refused = atomic_load(&f.refused) > 0;
          failed += s != DM_OK;
          assert_true(s == DM_OK ? got.n == want : refused && s == DM_EBUDGET && err.message[0]);
          assert_int_equal(atomic_load(&f.held), before);
          clear_sets(&got);
        }
        assert_false(refused);
        assert_true(failed > (threads == 1 ? 3 : 0));
        dm_itemdb_clear(&db);
        dm_transactions_free(t);
        dm_ctx_free(ctx);
      }
}

/* A budget that is too small for the search, but not for the data. */
static void a_small_budget_is_named(void **state) {
  (void)state;
  for (size_t m = 0; m < N_MINERS; m++)
    for (int kind = 0; kind < N_KINDS; kind++) {
      dm_ctx *ctx = new_ctx(), *small = NULL;
      dm_ctx_options o = {.threads = 2, .budget = 100 << 10};
      assert_int_equal(dm_ctx_new(&o, &small, NULL), DM_OK);
      dm_transactions *t = random_transactions(ctx, 1, 1500, 16, 0.7, 0.5);
      dm_itemdb db;
      itemdb_of(ctx, t, 2, &db);
      dm_error err = {0};
      uint64_t count;
      assert_int_equal(count_in(small, miners[m], &db, (dm_itemset_kind)kind, &count, &err), DM_EBUDGET);
      assert_non_null(strstr(err.message, "needs"));
      assert_non_null(strstr(err.message, "limit 100 KB"));
      dm_itemdb_clear(&db);
      dm_transactions_free(t);
      dm_ctx_free(small); /* asserts that nothing is held */
      dm_ctx_free(ctx);
    }
}

static void a_cancelled_search_ends(void **state) {
  (void)state;
  for (size_t m = 0; m < N_MINERS; m++)
    for (int kind = 0; kind < N_KINDS; kind++) {
      dm_ctx *ctx = new_threads_ctx(2);
      dm_transactions *t = random_transactions(ctx, 1, 1500, 16, 0.7, 0.5);
      dm_itemdb db;
      itemdb_of(ctx, t, 2, &db);
      dm_ctx_cancel(ctx);
      set_list got;
      uint64_t count;
      assert_int_equal(try_miner(ctx, miners[m], &db, (dm_itemset_kind)kind, SIZE_MAX, &got, &count, NULL), DM_ECANCEL);
      dm_itemdb_clear(&db);
      dm_transactions_free(t);
      dm_ctx_free(ctx);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_databases_give_what_the_naive_miner_finds),
      cmocka_unit_test(every_support_of_a_small_database),
      cmocka_unit_test(databases_with_hardly_anything),
      cmocka_unit_test(sets_of_limited_size),
      cmocka_unit_test(failing_memory_is_an_error_without_a_leak),
      cmocka_unit_test(a_small_budget_is_named),
      cmocka_unit_test(a_cancelled_search_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
