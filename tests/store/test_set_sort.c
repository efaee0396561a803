/* store: itemsets come out by size, support and codes, however few fit in memory; what fails is said. */
#include "cmocka_all.h"
#include "store/set_sort.h"
#include "store_test.h"

enum { SETS = 3000, LONG = 70000 };

typedef struct set {
  uint64_t support;
  uint32_t n, codes[12];
} set;

static int by_rule(const void *a, const void *b) {
  const set *x = a, *y = b;
  if (x->n != y->n) return x->n < y->n ? -1 : 1;
  if (x->support != y->support) return x->support > y->support ? -1 : 1;
  for (uint32_t i = 0; i < x->n; i++)
    if (x->codes[i] != y->codes[i]) return x->codes[i] < y->codes[i] ? -1 : 1;
  return 0;
}

/* Few supports and few codes, so that many sets are told apart late. */
static void draw(set *sets, size_t n, uint64_t seed) {
  dm_rng rng;
  dm_rng_init(&rng, seed, 0);
  for (size_t i = 0; i < n; i++) {
    sets[i] = (set){.n = (uint32_t)dm_rng_below(&rng, 13), .support = dm_rng_below(&rng, 3) + (dm_rng_below(&rng, 50) ? 0 : UINT64_MAX / 2)};
    for (uint32_t k = 0, code = 0; k < sets[i].n; k++) sets[i].codes[k] = code += 1 + (uint32_t)dm_rng_below(&rng, 2) * (uint32_t)(1 + dm_rng_below(&rng, 300));
  }
}

static void sets_come_in_order(void **state) {
  dm_ctx *ctx = *state;
  set *sets = malloc(SETS * sizeof *sets);
  assert_non_null(sets);
  const size_t chunks[] = {16, 100, 1000, 100000, 0};
  for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++)
    for (int memory = 0; memory < 2; memory++) {
      dm_set_sort *s = NULL;
      const uint32_t *got = NULL;
      draw(sets, SETS, c);
      assert_int_equal(dm_set_sort_new(ctx, memory ? NULL : test_directory, chunks[c], &s, NULL), DM_OK);
      for (size_t i = 0; i < SETS; i++) assert_int_equal(dm_set_sort_add(s, sets[i].codes, sets[i].n, sets[i].support, NULL), DM_OK);
      assert_int_equal(dm_set_sort_finish(s, NULL), DM_OK);
      qsort(sets, SETS, sizeof *sets, by_rule);
      for (size_t i = 0; i < SETS; i++) {
        assert_int_equal(dm_set_sort_next(s, &got, NULL), DM_OK);
        assert_non_null(got);
        assert_true(got[0] == sets[i].n && dm_set_support(got) == sets[i].support);
        assert_memory_equal(got + 3, sets[i].codes, sets[i].n * sizeof *got);
      }
      assert_int_equal(dm_set_sort_next(s, &got, NULL), DM_OK);
      assert_null(got);
      dm_set_sort_free(s);
    }
  free(sets);
}

static void long_sets_and_none(void **state) {
  dm_ctx *ctx = *state;
  uint32_t *codes = malloc(LONG * sizeof *codes);
  assert_non_null(codes);
  for (uint32_t i = 0; i < LONG; i++) codes[i] = 2 * i;
  for (int memory = 0; memory < 2; memory++) {
    dm_set_sort *s = NULL;
    const uint32_t *got = NULL;
    assert_int_equal(dm_set_sort_new(ctx, memory ? NULL : test_directory, 40, &s, NULL), DM_OK);
    for (uint32_t i = 0; i < 60; i++) { /* they differ in their last code alone */
      codes[LONG - 1] = 2 * LONG + (i * 7) % 60;
      assert_int_equal(dm_set_sort_add(s, codes, LONG, 5, NULL), DM_OK);
      assert_int_equal(dm_set_sort_add(s, codes, 1, 5, NULL), DM_OK);
    }
    assert_int_equal(dm_set_sort_finish(s, NULL), DM_OK);
    for (uint32_t i = 0; i < 120; i++) {
      assert_int_equal(dm_set_sort_next(s, &got, NULL), DM_OK);
      assert_int_equal(got[0], i < 60 ? 1 : LONG);
      if (i >= 60) assert_int_equal(got[3 + LONG - 1], 2 * LONG + i - 60);
    }
    dm_set_sort_free(s);
    assert_int_equal(dm_set_sort_new(ctx, memory ? NULL : test_directory, 40, &s, NULL), DM_OK);
    assert_int_equal(dm_set_sort_finish(s, NULL), DM_OK);
    assert_int_equal(dm_set_sort_next(s, &got, NULL), DM_OK);
    assert_null(got);
    dm_set_sort_free(s);
  }
  free(codes);
}

static void a_file_that_cannot_be_made_is_said(void **state) {
  dm_set_sort *s = NULL;
  dm_error err = {0};
  dm_status status = DM_OK;
  assert_int_equal(dm_set_sort_new(*state, "/nowhere/at/all", 16, &s, NULL), DM_OK);
  for (uint32_t i = 0; i < 20 && status == DM_OK; i++) status = dm_set_sort_add(s, &i, 1, 1, &err);
  assert_int_equal(status, DM_EIO);
  assert_non_null(strstr(err.message, "'/nowhere/at/all' cannot be made"));
  dm_set_sort_free(s);
}

static void memory_that_ends_is_said(void **state) {
  (void)state;
  set sets[200];
  draw(sets, 200, 9);
  for (size_t budget = 256, failures = 0;; budget += budget / 4) {
    dm_ctx *ctx = NULL;
    dm_set_sort *s = NULL;
    const uint32_t *got = NULL;
    dm_error err = {0};
    assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1, .budget = budget}, &ctx, NULL), DM_OK);
    dm_status status = dm_set_sort_new(ctx, test_directory, 300, &s, &err);
    for (size_t i = 0; status == DM_OK && i < 200; i++) status = dm_set_sort_add(s, sets[i].codes, sets[i].n, sets[i].support, &err);
    if (status == DM_OK) status = dm_set_sort_finish(s, &err);
    if (status == DM_OK) status = dm_set_sort_next(s, &got, &err);
    dm_set_sort_free(s);
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
    if (status == DM_OK) {
      assert_true(failures > 4);
      break;
    }
    assert_int_equal(status, DM_EBUDGET);
    failures++;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(sets_come_in_order),
      test_with_ctx(long_sets_and_none),
      test_with_ctx(a_file_that_cannot_be_made_is_said),
      cmocka_unit_test(memory_that_ends_is_said),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
