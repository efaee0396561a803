/* Every allocation fails in turn: a clear error, nothing leaks, the table stays as it was. */
#include "clean_test.h"

typedef struct failing {
  size_t n, fail_at; /* calls so far; the one that fails, 0 = none */
} failing;

static void *take(void *user, size_t size, size_t alignment) {
  failing *f = user;
  if (++f->n == f->fail_at) return NULL;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void give(void *user, void *block) {
  (void)user;
  free(block);
}

static const char recipe[] =
    "table: t\nsteps:\n  - trim: {columns: a, collapse: true}\n  - replace: {columns: a, pattern: '(x)', with: '<$1>', regex: true}\n"
    "  - recode: {column: a, map: {y: '2.0'}}\n  - parse_number: {columns: a, on_error: missing}\n  - fill: {columns: '*', with: mean}\n"
    "  - derive: {column: d, as: 'k + 1'}\n  - drop_duplicates: {columns: [a]}\n  - parse_date: {columns: k, formats: '%F'}\n";

static dm_status make_table(dm_store *store, dm_error *err) {
  static const char *const texts[] = {"CREATE TABLE t(dm_id INTEGER PRIMARY KEY, a TEXT, k INTEGER) STRICT",
                                      "INSERT INTO t(a, k) VALUES(' x', 1), ('y', 2), ('3', NULL), ('3', 4)"};
  dm_status s = DM_OK;
  for (size_t i = 0; i < 2 && s == DM_OK; i++) s = dm_store_exec(store, err, "%s", texts[i]);
  return s;
}

static dm_status clean_and_undo(dm_ctx *ctx, dm_store *store, dm_arena *arena, dm_error *err) {
  const dm_yaml *node;
  dm_recipe *r = NULL;
  dm_profile profile;
  dm_why why;
  dm_history_entry *history;
  size_t n;
  dm_apply_result result = {0};
  dm_status s = dm_yaml_parse(arena, "r.yaml", recipe, strlen(recipe), &node, err);
  if (s == DM_OK) s = dm_recipe_from_yaml(ctx, "r.yaml", node, &r, err);
  if (s == DM_OK) s = dm_recipe_apply(store, r, false, arena, &result, err);
  if (s == DM_OK) s = dm_profile_table(store, "t", NULL, arena, &profile, err);
  if (s == DM_OK) s = dm_why_row(store, "t", 1, NULL, arena, &why, err);
  if (s == DM_OK) s = dm_history(store, arena, &history, &n, err);
  if (s == DM_OK) s = dm_undo(store, result.run_id, arena, &result, err);
  dm_recipe_free(r);
  return s;
}

/* What is asked without failing memory afterwards: rows, and whether a run half stands. */
static void check_database(dm_store *store, dm_arena *arena) {
  dm_stmt *q = NULL;
  bool row = false;
  (void)arena;
  if (dm_stmt_prepare(store, "SELECT count(*) FROM main.dm_run WHERE status = 'running'", &q, NULL) == DM_OK) {
    assert_int_equal(dm_stmt_step(q, &row, NULL), DM_OK);
    assert_int_equal(dm_stmt_int(q, 0), 0);
    dm_stmt_free(q);
  }
  assert_int_equal(dm_stmt_prepare(store, "SELECT count(*), sum(dm_id) FROM t", &q, NULL), DM_OK);
  assert_int_equal(dm_stmt_step(q, &row, NULL), DM_OK);
  assert_true(dm_stmt_int(q, 0) == 4 || dm_stmt_int(q, 0) == 3); /* 3: applied, and what came after failed */
  dm_stmt_free(q);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  bool done = false;
  for (size_t at = 1; !done; at++) {
    failing f = {0, 0};
    dm_ctx_options o = {.threads = 1, .allocate = take, .release = give, .user = &f};
    dm_ctx *ctx = NULL;
    dm_store *store = NULL;
    dm_arena *arena = NULL;
    dm_error err = {0};
    assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
    assert_int_equal(dm_store_open(ctx, ":memory:", DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE, &store, NULL), DM_OK);
    assert_int_equal(make_table(store, NULL), DM_OK);
    assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
    f.fail_at = f.n + at;
    dm_status s = clean_and_undo(ctx, store, arena, &err);
    if (s != DM_OK && (s != DM_EBUDGET || !err.message[0])) fail_msg("allocation %d: status %d, '%s'", (int)at, (int)s, err.message);
    done = f.n < f.fail_at;
    if (done) assert_int_equal(s, DM_OK);
    f.fail_at = 0;
    check_database(store, arena);
    dm_arena_free(arena);
    dm_store_close(store);
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
