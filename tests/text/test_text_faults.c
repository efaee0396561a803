/* text: every allocation fails in turn; each time a clear error, nothing leaked, the output untouched. */
#include "cmocka_all.h"

#include <dm/text.h>
#include <stdlib.h>

/* Fails the allocation when `left` reaches zero, and all after it. */
typedef struct faults {
  size_t left, blocks;
} faults;

static void *allocate(void *user, size_t size, size_t alignment) {
  faults *f = user;
  if (f->left == 0) return NULL;
  f->left--;
  f->blocks++;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *block) {
  ((faults *)user)->blocks--;
  free(block);
}

typedef dm_status work(dm_ctx *ctx, dm_arena *arena, dm_error *err);

static dm_status parse_json(dm_ctx *ctx, dm_arena *arena, dm_error *err) {
  static const char text[] = "{\"a\":[1,2,{\"x\":\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\"}],"
                             "\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":\"\\u00e9\"}";
  const dm_json *doc = NULL;
  dm_buf buf;
  dm_buf_init(&buf, ctx, err);
  dm_status s = dm_json_parse(arena, text, sizeof text - 1, &doc, err);
  assert_true((s == DM_OK) == (doc != NULL));
  if (s == DM_OK) {
    dm_json_canonical(doc, &buf);
    s = dm_buf_status(&buf);
  }
  dm_buf_clear(&buf);
  return s;
}

static dm_status parse_yaml(dm_ctx *ctx, dm_arena *arena, dm_error *err) {
  (void)ctx;
  static const char text[] = "table: people\nsteps:\n  - trim: {columns: [name, city]}\n  - fill: {with: median}\n";
  const dm_yaml *doc = NULL;
  dm_status s = dm_yaml_parse(arena, "t.yaml", text, sizeof text - 1, &doc, err);
  assert_true((s == DM_OK) == (doc != NULL));
  return s;
}

static dm_status change_case_with(dm_ctx *ctx, bool buffer_knows, dm_error *err) {
  static const char text[] = "i\xCC\x87stanbul \xC3\x9F";
  dm_buf buf;
  dm_buf_init(&buf, ctx, buffer_knows ? err : NULL);
  dm_status s = dm_utf8_case(text, sizeof text - 1, DM_CASE_UPPER, &buf, err);
  assert_true(s == DM_OK ? buf.n > 0 : buf.n == 0);
  dm_buf_clear(&buf);
  return s;
}

static dm_status change_case(dm_ctx *ctx, dm_arena *arena, dm_error *err) {
  (void)arena;
  return change_case_with(ctx, false, err);
}

/* The buffer and the call report to the same error. */
static dm_status change_case_one_error(dm_ctx *ctx, dm_arena *arena, dm_error *err) {
  (void)arena;
  return change_case_with(ctx, true, err);
}

static dm_status digest(dm_ctx *ctx, dm_arena *arena, dm_error *err) {
  (void)arena;
  dm_sha256 *h = NULL;
  dm_status s = dm_sha256_new(ctx, &h, err);
  assert_true((s == DM_OK) == (h != NULL));
  dm_sha256_free(h);
  return s;
}

/* @param least allocations the work is known to make beyond context and arena */
static void fail_each(work *run, size_t least) {
  dm_status last = DM_EBUDGET;
  size_t n = 0;
  for (; last != DM_OK && n < 1000; n++) {
    faults f = {.left = n + 2};
    dm_ctx_options o = {.allocate = allocate, .release = release, .user = &f, .threads = 1};
    dm_ctx *ctx = NULL;
    dm_arena *arena = NULL;
    dm_error err = {0};
    assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
    assert_int_equal(dm_arena_new(ctx, 128, &arena, NULL), DM_OK);
    last = run(ctx, arena, &err);
    assert_true(last == DM_OK || last == DM_EBUDGET);
    assert_int_equal(err.code, last);
    if (last != DM_OK) assert_true(strlen(err.message) > 0);
    dm_arena_free(arena);
    dm_ctx_free(ctx);
    assert_int_equal(f.blocks, 0);
  }
  assert_int_equal(last, DM_OK);
  assert_true(n > least);
}

static void json_without_memory(void **state) {
  (void)state;
  fail_each(parse_json, 10);
}

static void yaml_without_memory(void **state) {
  (void)state;
  fail_each(parse_yaml, 10);
}

static void case_without_memory(void **state) {
  (void)state;
  fail_each(change_case, 3);
  fail_each(change_case_one_error, 3);
}

static void digest_without_memory(void **state) {
  (void)state;
  fail_each(digest, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(json_without_memory),
    cmocka_unit_test(yaml_without_memory),
    cmocka_unit_test(case_without_memory),
    cmocka_unit_test(digest_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
