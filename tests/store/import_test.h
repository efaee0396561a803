/* What tests of import, export and origins share: files from text, imports that must succeed, exported bytes. */
#ifndef DM_TESTS_IMPORT_TEST_H
#define DM_TESTS_IMPORT_TEST_H

#include "store_test.h"

typedef struct imported {
  dm_store *store;
  dm_arena *arena;
  dm_import_result result;
  char path[128];
} imported;

/* A new database in memory beside the file `name` with these bytes. */
static inline imported import_begin(dm_ctx *ctx, const char *name, const char *p, size_t n) {
  imported t = {.store = test_open(ctx, ":memory:", DM_STORE_CREATE)};
  assert_int_equal(dm_arena_new(ctx, 0, &t.arena, NULL), DM_OK);
  test_path(t.path, name);
  test_write(t.path, p, n);
  return t;
}

static inline dm_status import_try(imported *t, const dm_import_options *options, dm_error *err) {
  return dm_store_import(t->store, t->path, options, t->arena, &t->result, err);
}

static inline void import_run(imported *t, const dm_import_options *options) {
  dm_error err = {0};
  if (import_try(t, options, &err) != DM_OK) fail_msg("%s: %s", t->path, err.message);
}

static inline imported import_bytes(dm_ctx *ctx, const char *p, size_t n, const dm_import_options *options) {
  imported t = import_begin(ctx, "people.csv", p, n);
  import_run(&t, options);
  return t;
}

static inline imported import_text(dm_ctx *ctx, const char *text, const dm_import_options *options) {
  return import_bytes(ctx, text, strlen(text), options);
}

static inline void import_end(imported *t) {
  dm_arena_free(t->arena);
  dm_store_close(t->store);
}

/* First column of the first row as text, "NULL" for NULL; in the arena. */
static inline const char *import_query(imported *t, const char *sql) {
  dm_stmt *s = NULL;
  dm_error err = {0};
  bool row = false;
  if (dm_stmt_prepare(t->store, sql, &s, &err) != DM_OK || dm_stmt_step(s, &row, &err) != DM_OK) fail_msg("%s: %s", sql, err.message);
  if (!row) fail_msg("%s: no row", sql);
  dm_value v = dm_stmt_value(s, 0);
  char number[400] = "";
  const char *out = "NULL";
  if (v.type == DM_INTEGER || v.type == DM_REAL) {
    (void)dm_format_print((dm_format){v.type == DM_INTEGER ? DM_FORMAT_INTEGER : DM_FORMAT_SHORTEST}, v, number, sizeof number);
    out = dm_arena_strdup(t->arena, number, strlen(number), NULL);
  } else if (v.type != DM_NULL) {
    out = dm_arena_strdup(t->arena, v.text.p, v.text.n, NULL);
  }
  dm_stmt_free(s);
  return out;
}

#define assert_query(t, sql, want) assert_string_equal(import_query(t, sql), want)

static inline bool import_has_note(const imported *t, const char *part) {
  for (size_t i = 0; i < t->result.n_notes; i++)
    if (strstr(t->result.notes[i], part)) return true;
  return false;
}

/* Bytes that an export of src gives; free() them. */
static inline char *export_bytes(dm_store *store, const char *src, const dm_export_options *options, size_t *n) {
  char path[128];
  uint64_t rows;
  dm_error err = {0};
  test_path(path, "out.txt");
  if (dm_store_export(store, src, path, options, &rows, &err) != DM_OK) fail_msg("export %s: %s", src, err.message);
  return test_read(path, n);
}

static inline void assert_export(dm_store *store, const char *src, const dm_export_options *options, const char *want, size_t n_want) {
  size_t n;
  char *got = export_bytes(store, src, options, &n);
  if (n != n_want || memcmp(got, want, n) != 0) {
    size_t at = 0;
    while (at < n && at < n_want && got[at] == want[at]) at++;
    got[n] = 0;
    fail_msg("%s: %zu bytes, want %zu; differ at %zu: '%.60s', want '%.60s'", src, n, n_want, at, got + at, at < n_want ? want + at : "");
  }
  free(got);
}

#endif
