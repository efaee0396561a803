/* A recipe from anywhere is refused with its place, or runs and comes undone to the cell. */
#define _GNU_SOURCE /* memmem */
#include <dm/clean.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool held) {
  if (!held) abort();
}

static void make_table(dm_store *store) {
  static const char *const texts[] = {
      "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, a TEXT, b INTEGER, c REAL) STRICT",
      "INSERT INTO t(a, b, c) VALUES(' Ann ', 1, 0.5), ('1.2.2024', NULL, 2.0), ('1.234,5', 7, NULL), (NULL, 7, 1e9), ('x', 1, 0.5), ('x', 1, 0.5)",
      ("INSERT INTO dm_column(table_name, name, type, format) VALUES('t', 'a', 'TEXT', 'text'), ('t', 'b', 'INTEGER', 'integer'),"
       " ('t', 'c', 'REAL', 'shortest')"),
  };
  expect(dm_store_begin(store, NULL) == DM_OK && dm_store_ensure_schema(store, NULL) == DM_OK);
  for (size_t i = 0; i < 3; i++) expect(dm_store_exec(store, NULL, "%s", texts[i]) == DM_OK);
  expect(dm_store_commit(store, NULL) == DM_OK);
}

/* The table, its definition and what is known of its columns, as one text. */
static void read_table(dm_store *store, dm_buf *out) {
  static const char *const queries[] = {
      "SELECT sql FROM sqlite_schema WHERE name = 't'", "SELECT dm_id || quote(a) || quote(b) || quote(c) FROM t ORDER BY dm_id",
      "SELECT name || type || coalesce(format, '-') FROM dm_column ORDER BY name"};
  for (size_t i = 0; i < 3; i++) {
    dm_stmt *q = NULL;
    bool row = true;
    expect(dm_stmt_prepare(store, queries[i], &q, NULL) == DM_OK);
    while (dm_stmt_step(q, &row, NULL) == DM_OK && row) dm_buf_add(out, dm_stmt_value(q, 0).text.p, dm_stmt_value(q, 0).text.n);
    dm_stmt_free(q);
  }
}

static void apply_and_undo(dm_store *store, const dm_recipe *recipe, dm_arena *arena) {
  dm_error err = {0};
  dm_apply_result result = {0};
  dm_buf before, after;
  dm_buf_init(&before, dm_store_ctx(store), NULL);
  dm_buf_init(&after, dm_store_ctx(store), NULL);
  read_table(store, &before);
  dm_status s = dm_recipe_apply(store, recipe, false, arena, &result, &err);
  if (s == DM_OK) {
    s = dm_undo(store, result.run_id, arena, &result, &err);
    expect(s == DM_OK);
  } else {
    expect(err.message[0] != 0);
  }
  read_table(store, &after);
  expect(after.n == before.n && memcmp(after.p, before.p, after.n) == 0);
  dm_buf_clear(&before);
  dm_buf_clear(&after);
}

static void run(dm_ctx *ctx, dm_arena *arena, const dm_yaml *doc) {
  dm_error err = {0};
  dm_recipe *recipe = NULL;
  dm_store *store = NULL;
  dm_status s = dm_recipe_from_yaml(ctx, "x.yaml", doc, &recipe, &err);
  if (s != DM_OK) {
    expect(recipe == NULL && err.message[0] && (s != DM_EINPUT || err.line > 0));
    return;
  }
  if (dm_store_open(ctx, ":memory:", DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE, &store, &err) == DM_OK) {
    make_table(store);
    apply_and_undo(store, recipe, arena);
  }
  dm_store_close(store);
  dm_recipe_free(recipe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  dm_ctx *ctx = NULL;
  dm_arena *arena = NULL;
  const dm_yaml *doc = NULL;
  dm_ctx_options options = {.threads = 1, .budget = (size_t)512 << 20};
  if (size > 1 << 14 || memmem(data, size, "RECURS", 6)) return 0; /* an endless SELECT is the user's right */
  if (dm_ctx_new(&options, &ctx, NULL) != DM_OK) return 0;
  if (dm_arena_new(ctx, 0, &arena, NULL) == DM_OK && dm_yaml_parse(arena, "x.yaml", (const char *)data, size, &doc, NULL) == DM_OK)
    run(ctx, arena, doc);
  dm_arena_free(arena);
  dm_ctx_free(ctx);
  return 0;
}
