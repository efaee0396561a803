/* Small statements with bound values, and values as texts. */
#include "clean/run.h"

#include <stdio.h>
#include <string.h>

dm_value dm_clean_int(int64_t v) { return (dm_value){.type = DM_INTEGER, .integer = v}; }
dm_value dm_clean_text(const char *s) { return s ? (dm_value){.type = DM_TEXT, .text = dm_str_of(s)} : (dm_value){DM_NULL}; }

bool dm_clean_same(dm_value a, dm_value b) {
  if (a.type != b.type) return false;
  switch (a.type) {
  case DM_INTEGER: return a.integer == b.integer;
  case DM_REAL: return a.real == b.real;
  case DM_TEXT:
  case DM_BLOB: return dm_str_equal(a.text, b.text);
  case DM_NULL: break;
  }
  return true;
}

void dm_clean_print(dm_value v, char *out, size_t capacity) {
  char number[DM_NUMBER_MAX];
  size_t n = v.text.n;
  switch (v.type) {
  case DM_NULL: (void)snprintf(out, capacity, "NULL"); return;
  case DM_INTEGER:
    (void)dm_text_of_int(v.integer, number);
    (void)snprintf(out, capacity, "%s", number);
    return;
  case DM_REAL:
    (void)dm_text_of_double(v.real, false, number);
    (void)snprintf(out, capacity, "%s", number);
    return;
  case DM_BLOB: (void)snprintf(out, capacity, "a BLOB of %zu bytes", n); return;
  case DM_TEXT: break;
  }
  bool cut = n > 60;
  if (cut) /* not inside a letter */
    for (n = 60; n > 0 && ((unsigned char)v.text.p[n] & 0xC0) == 0x80;) n--;
  (void)snprintf(out, capacity, "'%.*s%s'", (int)n, v.text.p, cut ? "…" : "");
}

static dm_status bind_all(dm_stmt *s, const dm_value *values, int n, dm_error *err) {
  dm_status status = DM_OK;
  for (int i = 0; i < n && status == DM_OK; i++) status = dm_stmt_bind(s, i + 1, values[i], err);
  return status;
}

dm_status dm_clean_exec(dm_store *store, const char *sql, const dm_value *values, int n, dm_error *err) {
  dm_stmt *s = NULL;
  dm_status status = dm_stmt_prepare(store, sql, &s, err);
  if (status == DM_OK) status = bind_all(s, values, n, err);
  for (bool row = true; status == DM_OK && row;) status = dm_stmt_step(s, &row, err);
  dm_stmt_free(s);
  return status;
}

dm_status dm_clean_query_int(dm_store *store, const char *sql, const dm_value *values, int n, int64_t otherwise, int64_t *out,
                             dm_error *err) {
  dm_stmt *s = NULL;
  bool row = false;
  dm_status status = dm_stmt_prepare(store, sql, &s, err);
  if (status == DM_OK) status = bind_all(s, values, n, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK) *out = row && dm_stmt_value(s, 0).type != DM_NULL ? dm_stmt_int(s, 0) : otherwise;
  dm_stmt_free(s);
  return status;
}

dm_status dm_clean_query_text(dm_store *store, dm_arena *arena, const char *sql, const dm_value *values, int n, const char **out,
                              dm_error *err) {
  dm_stmt *s = NULL;
  bool row = false;
  dm_status status = dm_stmt_prepare(store, sql, &s, err);
  if (status == DM_OK) status = bind_all(s, values, n, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK) {
    dm_value v = row ? dm_stmt_value(s, 0) : (dm_value){DM_NULL};
    *out = NULL;
    if (v.type == DM_TEXT) {
      *out = dm_arena_strdup(arena, v.text.p, v.text.n, err);
      if (!*out) status = DM_EBUDGET;
    }
  }
  dm_stmt_free(s);
  return status;
}
