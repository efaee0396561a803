/* What the tests of cleaning share: a database in memory, recipes as texts, dumps that show every bit. */
#ifndef DM_TESTS_CLEAN_TEST_H
#define DM_TESTS_CLEAN_TEST_H

#include "cmocka_all.h"

#include <dm/clean.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct bench {
  dm_ctx *ctx;
  dm_store *store;
  dm_arena *arena;
  dm_error err;
} bench;

static inline void bench_open(bench *b) {
  dm_ctx_options o = {.threads = 1};
  *b = (bench){0};
  assert_int_equal(dm_ctx_new(&o, &b->ctx, NULL), DM_OK);
  assert_int_equal(dm_store_open(b->ctx, ":memory:", DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE, &b->store, &b->err), DM_OK);
  assert_int_equal(dm_arena_new(b->ctx, 0, &b->arena, NULL), DM_OK);
  assert_int_equal(dm_store_begin(b->store, &b->err), DM_OK);
  assert_int_equal(dm_store_ensure_schema(b->store, &b->err), DM_OK);
  assert_int_equal(dm_store_commit(b->store, &b->err), DM_OK);
}

static inline void bench_close(bench *b) {
  dm_arena_free(b->arena);
  dm_store_close(b->store);
  assert_int_equal(dm_ctx_memory(b->ctx), 0);
  dm_ctx_free(b->ctx);
}

static inline void run_sql(bench *b, const char *sql) {
  if (dm_store_exec(b->store, &b->err, "%s", sql) != DM_OK) fail_msg("%s: %s", sql, b->err.message);
}

/* Loads and applies a recipe; the result is in the bench's arena. */
static inline dm_status apply_text(bench *b, const char *yaml, bool dry, dm_apply_result *out) {
  dm_arena *arena = NULL;
  const dm_yaml *node = NULL;
  dm_recipe *recipe = NULL;
  b->err = (dm_error){0};
  assert_int_equal(dm_arena_new(b->ctx, 0, &arena, NULL), DM_OK);
  dm_status s = dm_yaml_parse(arena, "r.yaml", yaml, strlen(yaml), &node, &b->err);
  if (s == DM_OK) s = dm_recipe_from_yaml(b->ctx, "r.yaml", node, &recipe, &b->err);
  if (s == DM_OK) s = dm_recipe_apply(b->store, recipe, dry, b->arena, out, &b->err);
  dm_recipe_free(recipe);
  dm_arena_free(arena);
  return s;
}

static inline dm_apply_result apply_good(bench *b, const char *yaml) {
  dm_apply_result r = {0};
  if (apply_text(b, yaml, false, &r) != DM_OK) fail_msg("%s: %zu:%zu: %s", yaml, b->err.line, b->err.column, b->err.message);
  return r;
}

/* First column of the first row as text ("NULL" for NULL), in the arena. */
static inline const char *sql_text(bench *b, const char *sql) {
  dm_stmt *q = NULL;
  bool row = false;
  if (dm_stmt_prepare(b->store, sql, &q, &b->err) != DM_OK) fail_msg("%s: %s", sql, b->err.message);
  assert_int_equal(dm_stmt_step(q, &row, &b->err), DM_OK);
  dm_value v = row ? dm_stmt_value(q, 0) : (dm_value){DM_NULL};
  char number[DM_NUMBER_MAX];
  const char *out = "NULL";
  if (v.type == DM_TEXT) out = dm_arena_strdup(b->arena, v.text.p, v.text.n, NULL);
  if (v.type == DM_INTEGER) out = dm_arena_strdup(b->arena, number, dm_text_of_int(v.integer, number), NULL);
  if (v.type == DM_REAL) out = dm_arena_strdup(b->arena, number, dm_text_of_double(v.real, true, number), NULL);
  dm_stmt_free(q);
  return out;
}

/* All of a column as quote() gives it, with commas between: types show. */
static inline const char *column_text(bench *b, const char *table, const char *column) {
  return sql_text(b, dm_arena_printf(b->arena, NULL, "SELECT group_concat(quote(%s), ',') FROM (SELECT * FROM \"%s\" ORDER BY dm_id)", column, table));
}

/* Schema, indexes, rows with their types, and what dm_column says of one table. */
static inline const char *dump_table(bench *b, const char *table) {
  static const char *const parts[] = {
      "SELECT sql FROM sqlite_schema WHERE tbl_name = %s AND sql IS NOT NULL ORDER BY type DESC, name",
      "SELECT quote(table_name) || quote(name) || quote(type) || quote(role) || quote(unit) || quote(format) || quote(missing_markers)"
      " || quote(levels) FROM dm_column WHERE table_name = %s ORDER BY name",
  };
  dm_buf out;
  bool row = true;
  dm_stmt *q = NULL;
  dm_buf_init(&out, b->ctx, NULL);
  for (size_t i = 0; i < 2; i++) {
    dm_buf sql;
    dm_buf_init(&sql, b->ctx, NULL);
    const char *at = strstr(parts[i], "%s");
    dm_buf_add(&sql, parts[i], (size_t)(at - parts[i]));
    assert_int_equal(dm_sql_append(&sql, NULL, "%Q", table), DM_OK);
    dm_buf_adds(&sql, at + 2);
    assert_int_equal(dm_stmt_prepare(b->store, sql.p, &q, &b->err), DM_OK);
    while (dm_stmt_step(q, &row, &b->err) == DM_OK && row) dm_buf_printf(&out, "%s\n", dm_stmt_value(q, 0).text.p);
    dm_stmt_free(q);
    dm_buf_clear(&sql);
  }
  dm_buf sql;
  dm_buf_init(&sql, b->ctx, NULL);
  assert_int_equal(dm_sql_append(&sql, NULL, "SELECT * FROM \"%w\" ORDER BY dm_id", table), DM_OK);
  assert_int_equal(dm_stmt_prepare(b->store, sql.p, &q, &b->err), DM_OK);
  while (dm_stmt_step(q, &row, &b->err) == DM_OK && row)
    for (int i = 0; i < dm_stmt_n_columns(q); i++) {
      dm_value v = dm_stmt_value(q, i);
      char number[DM_NUMBER_MAX] = "";
      if (v.type == DM_INTEGER) (void)dm_text_of_int(v.integer, number);
      if (v.type == DM_REAL) (void)dm_text_of_double(v.real, true, number);
      dm_buf_printf(&out, "%d:%s%.*s%c", (int)v.type, number, (int)v.text.n, v.text.n ? v.text.p : "", i + 1 < dm_stmt_n_columns(q) ? '|' : '\n');
    }
  dm_stmt_free(q);
  dm_buf_clear(&sql);
  const char *copy = dm_arena_strdup(b->arena, out.p, out.n, NULL);
  dm_buf_clear(&out);
  return copy;
}

#endif
