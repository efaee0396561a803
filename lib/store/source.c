/* Rows of dm_source and their options; see source.h. */
#define _GNU_SOURCE
#include "store/source.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PREAMBLE_MAX = 1 << 20 };

static const char *const extra_names[] = {"reject", "merge", "drop"};

/* ---- writing ---------------------------------------------------------------- */

static void write_char(dm_json_out *json, const char *key, char c) {
  dm_json_key(json, key);
  dm_json_string_n(json, &c, 1);
}

static void write_bool(dm_json_out *json, const char *key, bool v) {
  dm_json_key(json, key);
  dm_json_bool(json, v);
}

static void write_texts(dm_json_out *json, const char *key, const char *const *texts, size_t n) {
  dm_json_key(json, key);
  dm_json_array(json);
  for (size_t i = 0; i < n; i++) dm_json_string(json, texts[i]);
  dm_json_end_array(json);
}

static const char *header_text(const dm_typed *t, size_t column) {
  const dm_csv_column *c = dm_csv_get_column(t->csv, column);
  return c->header ? c->header : c->name;
}

/* Only when they are not the columns' names. */
static void write_headers(dm_json_out *json, const dm_typed *t, const char *const *columns) {
  bool renamed = false;
  for (size_t i = 0; i < t->d; i++) renamed |= strcmp(header_text(t, i), columns[i]) != 0;
  if (!renamed) return;
  dm_json_key(json, "headers");
  dm_json_array(json);
  for (size_t i = 0; i < t->d; i++) dm_json_string(json, header_text(t, i));
  dm_json_end_array(json);
}

/*
 * What stands before the first record, as it is: export gives a header back
 * with its own quotes and blanks. Kept of UTF-8 files that can be read again.
 */
static dm_status write_preamble(dm_json_out *json, const dm_typed *t, uint64_t n, dm_error *err) {
  struct stat st;
  if (t->options.n_columns && dm_csv_get_dialect(t->csv)->header) return DM_OK; /* the user's names count */
  if (n == 0 || n > PREAMBLE_MAX || strcmp(dm_csv_get_dialect(t->csv)->encoding, "UTF-8") != 0) return DM_OK;
  int fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return DM_OK;
  char *text = dm_alloc(t->ctx, (size_t)n, 1, "header", err);
  bool whole = text && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && pread(fd, text, (size_t)n, 0) == (ssize_t)n;
  if (whole && dm_utf8_valid(text, (size_t)n) == n && !memchr(text, 0, (size_t)n)) {
    dm_json_key(json, "preamble");
    dm_json_string_n(json, text, (size_t)n);
  }
  dm_status s = text ? DM_OK : DM_EBUDGET;
  dm_free(t->ctx, text);
  (void)close(fd);
  return s;
}

dm_status dm_source_options_json(const dm_typed *t, const char *const *columns, uint64_t first_offset, dm_buf *out, dm_error *err) {
  const dm_csv_dialect *dialect = dm_csv_get_dialect(t->csv);
  dm_json_out json;
  dm_json_out_init(&json, out, false);
  dm_json_object(&json);
  write_char(&json, "delimiter", dialect->delimiter);
  write_char(&json, "quote", dialect->quote);
  if (dialect->escape) write_char(&json, "escape", dialect->escape);
  dm_json_put_string(&json, "encoding", dialect->encoding);
  write_bool(&json, "bom", dialect->bom);
  write_bool(&json, "header", dialect->header);
  write_bool(&json, "header_quoted", dialect->header_quoted);
  write_bool(&json, "trim", dialect->trim);
  if (dialect->trim) write_bool(&json, "spaced", dialect->spaced);
  write_bool(&json, "trailing", dialect->trailing);
  dm_json_put_string(&json, "line_ending", dialect->line_ending);
  write_bool(&json, "mixed_endings", dialect->mixed_endings);
  write_bool(&json, "final_newline", dialect->final_newline);
  dm_json_put_string(&json, "types", t->options.all_text ? "text" : "auto");
  dm_json_put_string(&json, "on_extra", extra_names[t->options.on_extra]);
  if (t->options.max_cell) {
    dm_json_put_int(&json, "max_cell", (int64_t)t->options.max_cell);
  }
  write_texts(&json, "nulls", t->options.nulls, t->options.n_nulls);
  write_texts(&json, "columns", columns, t->d);
  if (dialect->header) write_headers(&json, t, columns);
  dm_status s = write_preamble(&json, t, first_offset, err);
  dm_json_end_object(&json);
  return s == DM_OK ? dm_buf_status(out) : s;
}

/* ---- reading ----------------------------------------------------------------- */

static dm_status read_texts(const dm_json *array, dm_arena *arena, const char *const **out, size_t *n, dm_error *err) {
  *n = 0;
  if (!array || array->type != DM_JSON_ARRAY) return DM_OK;
  const char **texts = dm_arena_alloc(arena, array->n + 1, sizeof *texts, err);
  if (!texts) return DM_EBUDGET;
  for (const dm_json *e = array->first; e; e = e->next) {
    if (e->type != DM_JSON_STRING) return dm_fail(err, DM_EINPUT, "dm_source.options: texts were expected in '%s'", array->key);
    texts[(*n)++] = e->string.p;
  }
  *out = texts;
  return DM_OK;
}

static dm_status read_options(const char *text, size_t length, dm_arena *arena, dm_source_info *out, dm_error *err) {
  const dm_json *json;
  dm_status s = dm_json_parse(arena, text, length, &json, err);
  if (s != DM_OK) return s;
  const char *delimiter = dm_json_get_string(json, "delimiter", ""), *quote = dm_json_get_string(json, "quote", "");
  const char *extra = dm_json_get_string(json, "on_extra", "reject");
  if (strlen(delimiter) != 1 || strlen(quote) != 1) return dm_fail(err, DM_EINPUT, "dm_source.options: no delimiter or quote");
  out->dialect = (dm_csv_dialect){
      .delimiter = *delimiter,
      .quote = *quote,
      .escape = *dm_json_get_string(json, "escape", ""),
      .header = dm_json_get_bool(json, "header", true),
      .header_quoted = dm_json_get_bool(json, "header_quoted", false),
      .trim = dm_json_get_bool(json, "trim", false),
      .spaced = dm_json_get_bool(json, "spaced", false),
      .bom = dm_json_get_bool(json, "bom", false),
      .trailing = dm_json_get_bool(json, "trailing", false),
      .line_ending = dm_json_get_string(json, "line_ending", "\n"),
      .final_newline = dm_json_get_bool(json, "final_newline", true),
      .encoding = dm_json_get_string(json, "encoding", "UTF-8"),
  };
  for (size_t i = 0; i < sizeof extra_names / sizeof *extra_names; i++)
    if (strcmp(extra, extra_names[i]) == 0) out->on_extra = (dm_on_extra)i;
  out->preamble = dm_json_get_string(json, "preamble", NULL);
  size_t n_headers = 0;
  s = read_texts(dm_json_get(json, "columns"), arena, &out->columns, &out->n_columns, err);
  if (s == DM_OK) s = read_texts(dm_json_get(json, "headers"), arena, &out->headers, &n_headers, err);
  if (s == DM_OK && n_headers != out->n_columns) out->headers = out->columns;
  return s;
}

static const char *copy_text(const dm_stmt *s, int column, dm_arena *arena, dm_error *err) {
  dm_value v = dm_stmt_value(s, column);
  return dm_arena_strdup(arena, v.type == DM_TEXT ? v.text.p : "", v.type == DM_TEXT ? v.text.n : 0, err);
}

static dm_status read_row(const dm_stmt *s, dm_arena *arena, dm_source_info *out, dm_error *err) {
  *out = (dm_source_info){.id = dm_stmt_int(s, 0), .bytes = (uint64_t)dm_stmt_int(s, 3), .records = (uint64_t)dm_stmt_int(s, 4)};
  const char *options;
  if (!(out->uri = copy_text(s, 1, arena, err)) || !(out->sha256 = copy_text(s, 2, arena, err)) ||
      !(options = copy_text(s, 5, arena, err)) || !(out->table = copy_text(s, 6, arena, err)))
    return DM_EBUDGET;
  return read_options(options, strlen(options), arena, out, err);
}

dm_status dm_source_load(dm_store *store, int64_t id, dm_arena *arena, dm_source_info *out, dm_error *err) {
  dm_stmt *q = NULL;
  bool row = false;
  dm_status s = dm_stmt_prepare(
      store, "SELECT id, uri, sha256, bytes, records, options, table_name FROM main.dm_source WHERE id = ?1", &q, err);
  if (s == DM_OK) s = dm_stmt_bind_int(q, 1, id, err);
  if (s == DM_OK) s = dm_stmt_step(q, &row, err);
  if (s == DM_OK && !row) s = dm_fail(err, DM_EINPUT, "source %lld is not in dm_source", (long long)id);
  if (s == DM_OK) s = read_row(q, arena, out, err);
  dm_stmt_free(q);
  return s;
}

dm_status dm_source_of_table(dm_store *store, const char *table, dm_arena *arena, dm_source_info *out, bool *found, dm_error *err) {
  bool recorded = false;
  *found = false;
  dm_status s = dm_store_has_schema(store, &recorded, err);
  if (!recorded) return s;
  dm_stmt *q = NULL;
  bool row = false, more = false;
  int64_t id = 0;
  s = dm_stmt_prepare(store, "SELECT id FROM main.dm_source WHERE table_name = ?1 COLLATE NOCASE LIMIT 2", &q, err);
  if (s == DM_OK) s = dm_stmt_bind_text(q, 1, table, err);
  if (s == DM_OK) s = dm_stmt_step(q, &row, err);
  if (s == DM_OK && row) {
    id = dm_stmt_int(q, 0);
    s = dm_stmt_step(q, &more, err);
  }
  dm_stmt_free(q);
  if (s != DM_OK || !row || more) return s;
  s = dm_source_load(store, id, arena, out, err);
  *found = s == DM_OK;
  return s;
}
