/* core: context and budget, arena, buffer, dictionary, errors, Philox. */
#include "cmocka_all.h"
#include "core/rng_gsl.h"

#include <dm/core.h>
#include <gsl/gsl_randist.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static dm_ctx *new_ctx(size_t budget) {
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.budget = budget, .threads = 1};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  return ctx;
}

static void alloc_respects_the_budget(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1 << 20);
  dm_error err = {0};
  void *a = dm_alloc(ctx, 1000, 500, "first", &err);
  assert_non_null(a);
  assert_int_equal((uintptr_t)a % 64, 0);
  assert_null(dm_alloc(ctx, 1000, 600, "second", &err));
  assert_int_equal(err.code, DM_EBUDGET);
  assert_non_null(strstr(err.message, "second: needs"));
  assert_null(dm_alloc(ctx, SIZE_MAX / 2, 3, "third", &err));
  assert_non_null(strstr(err.message, "third"));
  dm_free(ctx, a);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

static void realloc_keeps_old_bytes_and_zeroes_new_ones(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0);
  char *p = dm_alloc(ctx, 10, 1, "p", NULL);
  memcpy(p, "0123456789", 10);
  p = dm_realloc(ctx, p, 1000, 1, "p", NULL);
  assert_memory_equal(p, "0123456789", 10);
  for (size_t i = 10; i < 1000; i++) assert_int_equal(p[i], 0);
  dm_free(ctx, p);
  dm_ctx_free(ctx);
}

/* Sizes around those of mapped pages, up and down: old bytes stay, new ones are zero, the budget counts what is held. */
static void large_blocks_change_their_size(void **state) {
  (void)state;
  static const size_t sizes[] = {100,     (2 << 20) - 64, (2 << 20) - 63, (2 << 20) + 5000, (2 << 20) + 5001, (9 << 20) + 1, (9 << 20) + 4096, 3 << 20,
                                 5 << 20, 4097 << 10,     (1 << 20),      64 << 20,         2 << 20,          1};
  dm_ctx *ctx = new_ctx((size_t)80 << 20);
  size_t old = 0;
  unsigned char *p = NULL;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t n = sizes[i], same = n < old ? n : old;
    p = dm_realloc(ctx, p, n, 1, "p", NULL);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    for (size_t k = 0; k < same; k += 509) assert_int_equal(p[k], k % 251 + 1);
    for (size_t k = same; k < n; k++)
      if (p[k] != 0) fail_msg("byte %zu of %zu is not zero", k, n);
    for (size_t k = 0; k < n; k++) p[k] = (unsigned char)(k % 251 + 1);
    assert_true(dm_ctx_memory(ctx) >= n && dm_ctx_memory(ctx) <= n + 4096);
    old = n;
  }
  p = dm_realloc(ctx, p, 60 << 20, 1, "p", NULL);
  assert_non_null(p);
  dm_error err = {0};
  assert_null(dm_realloc(ctx, p, 90 << 20, 1, "larger", &err)); /* and p stays */
  assert_non_null(strstr(err.message, "larger: needs ")); /* both blocks together where one cannot grow in its place */
  assert_non_null(strstr(err.message, "limit 80 MB"));
  assert_null(dm_realloc(ctx, p, SIZE_MAX - 100, 1, "huge", &err));
  assert_int_equal(p[0], 1);
  dm_free(ctx, p);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

static void arena_gives_zeroed_aligned_memory_again_after_reset(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0);
  dm_arena *a = NULL;
  assert_int_equal(dm_arena_new(ctx, 1024, &a, NULL), DM_OK);
  for (int round = 0; round < 3; round++) {
    for (size_t size = 1; size < 5000; size = size * 3 + 1) {
      char *p = dm_arena_alloc(a, size, 1, NULL);
      assert_non_null(p);
      assert_int_equal((uintptr_t)p % 16, 0);
      for (size_t i = 0; i < size; i++) assert_int_equal(p[i], 0);
      memset(p, 0xAB, size);
    }
    dm_arena_reset(a);
  }
  assert_string_equal(dm_arena_printf(a, NULL, "%d-%s", 7, "x"), "7-x");
  dm_arena_free(a);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

static void buffer_keeps_the_first_failure(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(4096);
  dm_error err = {0};
  dm_buf b;
  dm_buf_init(&b, ctx, &err);
  for (int i = 0; i < 10000; i++) dm_buf_adds(&b, "abc");
  assert_int_equal(dm_buf_status(&b), DM_EBUDGET);
  assert_int_equal(err.code, DM_EBUDGET);
  dm_buf_clear(&b);
  dm_ctx_free(ctx);
}

static void dictionary_numbers_by_first_appearance(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0);
  dm_dict *d = NULL;
  assert_int_equal(dm_dict_new(ctx, &d, NULL), DM_OK);
  char key[32];
  size_t index;
  for (size_t i = 0; i < 20000; i++) {
    int n = snprintf(key, sizeof key, "k%zu", i * 7919 % 10007);
    assert_int_equal(dm_dict_add(d, key, (size_t)n, &index, NULL), DM_OK);
    assert_int_equal(index, i < 10007 ? i : i - 10007);
  }
  assert_int_equal(dm_dict_n(d), 10007);
  assert_true(dm_dict_find(d, "none", 4) == DM_DICT_NONE);
  assert_int_equal(dm_dict_add(d, "", 0, &index, NULL), DM_OK);
  assert_int_equal(dm_dict_key(d, index).n, 0);
  dm_dict_free(d);
  dm_ctx_free(ctx);
}

static void excerpt_puts_the_caret_under_the_place(void **state) {
  (void)state;
  dm_error err = {0};
  (void)dm_fail(&err, DM_EINPUT, "x");
  dm_error_excerpt(&err, "a\xC3\xA9,b\n", 6, 4); /* caret at 'b', after one two-byte letter */
  assert_string_equal(err.excerpt, "a\xC3\xA9,b");
  assert_int_equal(err.caret, 4);
  dm_error_excerpt(&err, "bad \xFF byte", 10, 4);
  assert_string_equal(err.excerpt, "bad . byte");
  assert_int_equal(err.caret, 5);
}

/* Known answers of Philox4x32-10 from the authors' Random123 test vectors. */
static void philox_gives_the_published_numbers(void **state) {
  (void)state;
  dm_rng r;
  dm_rng_init(&r, 0, 0);
  assert_int_equal(dm_rng_u32(&r), 0x6627e8d5u);
  assert_int_equal(dm_rng_u32(&r), 0xe169c58du);
  assert_int_equal(dm_rng_u32(&r), 0xbc57ac4cu);
  assert_int_equal(dm_rng_u32(&r), 0x9b00dbd8u);
  dm_rng_init(&r, UINT64_MAX, UINT64_MAX);
  r.counter = UINT64_MAX;
  assert_int_equal(dm_rng_u32(&r), 0x408f276du);
  assert_int_equal(dm_rng_u32(&r), 0x41c83b0eu);
  assert_int_equal(dm_rng_u32(&r), 0xa20bc7c6u);
  assert_int_equal(dm_rng_u32(&r), 0x6d5451fdu);
}

static void gsl_draws_from_the_same_sequence(void **state) {
  (void)state;
  dm_rng a, b;
  dm_rng_init(&a, 42, 9);
  b = a;
  gsl_rng *g = gsl_rng_alloc(dm_rng_gsl_type);
  dm_rng_gsl_use(g, &a);
  for (int i = 0; i < 10; i++) assert_int_equal(gsl_rng_get(g), dm_rng_u32(&b));
  double sum = 0;
  for (int i = 0; i < 20000; i++) sum += gsl_ran_gaussian(g, 1.0);
  assert_true(sum / 20000 < 0.03 && sum / 20000 > -0.03);
  gsl_rng_free(g);
}

static void below_is_in_range_and_shuffle_is_a_permutation(void **state) {
  (void)state;
  dm_rng r;
  dm_rng_init(&r, 1, DM_STREAM_SPLIT);
  size_t p[100], seen[100] = {0};
  for (size_t i = 0; i < 100; i++) p[i] = i;
  dm_rng_shuffle(&r, p, 100);
  for (size_t i = 0; i < 100; i++) seen[p[i]]++;
  for (size_t i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
  for (uint64_t n = 1; n < 1000; n++) assert_true(dm_rng_below(&r, n) < n);
}

static void cancel_is_seen(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0);
  dm_error err = {0};
  assert_int_equal(dm_ctx_check(ctx, &err), DM_OK);
  dm_ctx_cancel(ctx);
  assert_int_equal(dm_ctx_check(ctx, &err), DM_ECANCEL);
  dm_ctx_free(ctx);
}

static void output_file_appears_whole_or_not_at_all(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0);
  dm_error err = {0};
  dm_outfile *f = NULL;
  char path[64], line[16];
  (void)snprintf(path, sizeof path, "outfile-test-%ld", (long)getpid());
  assert_int_equal(dm_outfile_open(ctx, path, &f, &err), DM_OK);
  for (int i = 0; i < 20000; i++) assert_int_equal(dm_outfile_write(f, line, (size_t)snprintf(line, sizeof line, "%d\n", i), &err), DM_OK);
  assert_int_not_equal(access(path, F_OK), 0);
  assert_int_equal(dm_outfile_commit(f, &err), DM_OK);
  FILE *in = fopen(path, "r");
  for (int i = 0; i < 20000; i++) {
    assert_non_null(fgets(line, sizeof line, in));
    assert_int_equal(atoi(line), i);
  }
  assert_null(fgets(line, sizeof line, in));
  (void)fclose(in);
  assert_int_equal(dm_outfile_open(ctx, path, &f, &err), DM_OK);
  dm_outfile_abort(f);
  assert_int_equal(access(path, F_OK), 0); /* the old one stands */
  (void)unlink(path);
  assert_int_equal(dm_outfile_open(ctx, "no/such/folder/x", &f, &err), DM_EIO);
  assert_int_equal(dm_outfile_open(ctx, "/", &f, &err), DM_EIO);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(alloc_respects_the_budget),
      cmocka_unit_test(realloc_keeps_old_bytes_and_zeroes_new_ones),
      cmocka_unit_test(large_blocks_change_their_size),
      cmocka_unit_test(arena_gives_zeroed_aligned_memory_again_after_reset),
      cmocka_unit_test(buffer_keeps_the_first_failure),
      cmocka_unit_test(dictionary_numbers_by_first_appearance),
      cmocka_unit_test(excerpt_puts_the_caret_under_the_place),
      cmocka_unit_test(philox_gives_the_published_numbers),
      cmocka_unit_test(gsl_draws_from_the_same_sequence),
      cmocka_unit_test(below_is_in_range_and_shuffle_is_a_permutation),
      cmocka_unit_test(cancel_is_seen),
      cmocka_unit_test(output_file_appears_whole_or_not_at_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
