/*
 * Import of a delimited file: one transaction around
 *
 *   pass over the file: batches -> table, dm_origin, dm_reject      (a savepoint)
 *   a cell that does not fit: undo the savepoint, read the types of all cells, pass again
 *   dm_source, dm_column, dm_run
 */
#include "data/typed_pipe.h"
#include "store/import_job.h"
#include "store/import_rows.h"

#include <stdio.h>
#include <string.h>

/* ---- notes ---------------------------------------------------------------------- */

dm_status dm_import_note(dm_import_job *job, dm_error *err, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (job->n_notes == job->notes_capacity) {
    size_t capacity = job->notes_capacity ? job->notes_capacity * 2 : 8;
    const char **notes = dm_arena_alloc(job->arena, capacity, sizeof *notes, err);
    if (!notes) return DM_EBUDGET;
    if (job->n_notes) memcpy(notes, job->notes, job->n_notes * sizeof *notes);
    job->notes = notes;
    job->notes_capacity = capacity;
  }
  if (!(job->notes[job->n_notes] = dm_arena_strdup(job->arena, text, strlen(text), err))) return DM_EBUDGET;
  job->n_notes++;
  return DM_OK;
}

/* ---- the table ------------------------------------------------------------------- */

static dm_status table_exists(dm_import_job *job, bool *exists, dm_error *err) {
  dm_stmt *q = NULL;
  bool row = false;
  *exists = false;
  dm_status s = dm_stmt_prepare(job->store, "SELECT type FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE", &q, err);
  if (s == DM_OK) s = dm_stmt_bind_text(q, 1, job->table, err);
  if (s == DM_OK) s = dm_stmt_step(q, &row, err);
  if (s == DM_OK && row) {
    dm_str type = dm_stmt_value(q, 0).text;
    *exists = dm_str_equal(type, dm_str_of("table"));
    if (!*exists) {
      s = dm_fail(err, DM_EUSAGE, "'%s' is the name of %s %.*s", job->table, type.p[0] == 'i' ? "an" : "a", (int)type.n, type.p);
      dm_error_hint(err, "choose another name with --table NAME");
    }
  }
  dm_stmt_free(q);
  return s;
}

static dm_status name_columns(dm_import_job *job, dm_error *err) {
  for (size_t i = 0; i < job->t->d; i++) {
    const char *name = job->t->columns[i].name;
    if (!(job->names[i] = dm_arena_strdup(job->arena, name, strlen(name), err))) return DM_EBUDGET;
  }
  return DM_OK;
}

static dm_status create_table(dm_import_job *job, dm_error *err) {
  dm_buf sql;
  dm_buf_init(&sql, job->store->ctx, err);
  dm_status s = dm_sql_append(&sql, err, "CREATE TABLE main.\"%w\"(dm_id INTEGER PRIMARY KEY", job->table);
  for (size_t i = 0; s == DM_OK && i < job->t->d; i++)
    s = dm_sql_append(&sql, err, ",\"%w\" %s", job->names[i], dm_type_name(job->t->columns[i].type));
  if (s == DM_OK) s = dm_sql_append(&sql, err, ") STRICT");
  if (s == DM_OK) s = dm_store_script(job->store, sql.p, err);
  dm_buf_clear(&sql);
  return s;
}

static dm_status next_id(dm_import_job *job, dm_error *err) {
  dm_stmt *q = NULL;
  bool row;
  char sql[2 * DM_IMPORT_NAME_MAX + 64];
  sqlite3_snprintf(sizeof sql, sql, "SELECT coalesce(max(dm_id), 0) + 1 FROM main.\"%w\"", job->table);
  dm_status s = dm_stmt_prepare(job->store, sql, &q, err);
  if (s == DM_OK) s = dm_stmt_step(q, &row, err);
  if (s == DM_OK) job->first_id = dm_stmt_int(q, 0);
  dm_stmt_free(q);
  return s;
}

/* Makes room for the table, or finds out how the file goes into it. */
static dm_status prepare_table(dm_import_job *job, dm_error *err) {
  bool exists;
  dm_status s = table_exists(job, &exists, err);
  if (s != DM_OK) return s;
  if (exists && !job->options->append && !job->options->replace) {
    (void)dm_fail(err, DM_EUSAGE, "table '%s' exists", job->table);
    dm_error_hint(err, "--append adds to it, --replace makes it anew, --table NAME makes another one");
    return DM_EUSAGE;
  }
  if (exists && job->options->replace) s = dm_import_drop(job, err);
  job->append = exists && job->options->append;
  if (s == DM_OK && !job->append) {
    job->first_id = 1;
    return name_columns(job, err);
  }
  if (s == DM_OK) s = dm_store_table(job->store, job->table, job->arena, &job->target, err);
  if (s == DM_OK) job->table = job->target.name;
  if (s == DM_OK) s = dm_import_match(job, err);
  return s == DM_OK ? next_id(job, err) : s;
}

/* ---- one pass over the file --------------------------------------------------------- */

static dm_status fail_strict(const dm_import_job *job, const dm_rows *batch, dm_error *err) {
  const dm_rows_reject *r = &batch->rejects[0];
  const char *raw = batch->text.p + r->raw_at;
  size_t n = 0;
  while (n < r->raw_n && raw[n] != '\n' && raw[n] != '\r') n++;
  (void)dm_fail(err, DM_EINPUT, "%.*s", (int)r->message_n, batch->text.p + r->message_at);
  dm_error_at(err, job->path, r->line, r->column);
  dm_error_excerpt(err, raw, n, r->column ? r->column - 1 : 0);
  dm_error_hint(err, "nothing was imported; without --strict the other records are, and this one is kept in dm_reject");
  return DM_EINPUT;
}

typedef struct import_pass {
  dm_import_rows *rows;
  dm_import_records *records;
  dm_typed_pipe *pipe;
} import_pass;

static void close_pass(import_pass *p) {
  dm_typed_pipe_close(p->pipe);
  dm_import_rows_close(p->rows);
  dm_import_records_close(p->records);
}

static dm_status open_pass(dm_import_job *job, import_pass *p, dm_error *err) {
  *p = (import_pass){0};
  dm_status s = dm_import_rows_open(job->store, job->table, job->names, job->t->d, &p->rows, err);
  if (s == DM_OK) s = dm_import_records_open(job->store, job->source_id, job->table, &p->records, err);
  if (s == DM_OK) s = dm_typed_pipe_open(job->t, &p->pipe, err);
  return s;
}

static void note_first_offset(dm_import_job *job, const dm_rows *batch) {
  if (batch->n_runs && batch->runs[0].byte_offset < job->first_offset) job->first_offset = batch->runs[0].byte_offset;
  if (batch->n_rejects && batch->rejects[0].byte_offset < job->first_offset) job->first_offset = batch->rejects[0].byte_offset;
  if (batch->end && job->first_offset == UINT64_MAX) job->first_offset = batch->bytes_done;
}

static dm_status copy_records(dm_import_job *job, bool *misfit, dm_error *err) {
  import_pass p;
  dm_ctx *ctx = job->store->ctx;
  double total = (double)dm_csv_bytes(job->t->csv) / 1e6;
  int64_t id = job->first_id;
  job->first_offset = UINT64_MAX;
  dm_status s = open_pass(job, &p, err);
  for (bool more = true; s == DM_OK && more;) {
    const dm_rows *batch;
    if ((s = dm_typed_pipe_next(p.pipe, &batch, err)) != DM_OK) break;
    more = !batch->end && !batch->misfit;
    *misfit = batch->misfit;
    if (job->options->strict && batch->n_rejects) s = fail_strict(job, batch, err);
    if (s == DM_OK) s = dm_import_rows_add(p.rows, batch, id, err);
    if (s == DM_OK) s = dm_import_records_add(p.records, batch, id, err);
    id += (int64_t)batch->n;
    note_first_offset(job, batch);
    dm_progress(ctx, "importing", (double)batch->bytes_done / 1e6, total, "MB");
  }
  close_pass(&p);
  return s;
}

/* *again when the rows must come once more with other types; nothing of them is left then. */
static dm_status pass(dm_import_job *job, bool *again, dm_error *err) {
  *again = false;
  dm_status s = dm_store_script(job->store, "SAVEPOINT dm_import", err);
  if (s == DM_OK && !job->append) s = create_table(job, err);
  if (s == DM_OK) s = copy_records(job, again, err);
  if (s != DM_OK) return s;
  bool misfit = *again;
  if (!misfit) *again = !dm_typed_is_settled(job->t);
  if (!*again && job->append) s = dm_import_join_types(job, true, again, err);
  if (s == DM_OK) s = dm_store_script(job->store, *again ? "ROLLBACK TO dm_import; RELEASE dm_import" : "RELEASE dm_import", err);
  if (s == DM_OK && misfit)
    s = dm_typed_settle(job->t, err);
  else if (s == DM_OK && *again)
    dm_typed_adopt(job->t);
  return s;
}

static dm_status all_passes(dm_import_job *job, dm_error *err) {
  bool again, rebuilt;
  dm_status s = pass(job, &again, err);
  if (s != DM_OK || !again) return s;
  if (job->append) s = dm_import_join_types(job, false, &rebuilt, err);
  if (s == DM_OK) s = dm_typed_rewind(job->t, err);
  if (s == DM_OK) s = pass(job, &again, err);
  if (s == DM_OK && again) {
    s = dm_fail(err, DM_EIO, "the file changes while it is read");
    dm_error_at(err, job->path, 0, 0);
  }
  return s;
}

/* ---- the whole ------------------------------------------------------------------------ */

static dm_status arguments_json(const dm_import_job *job, dm_buf *out) {
  dm_json_out json;
  dm_json_out_init(&json, out, false);
  dm_json_object(&json);
  dm_json_put_string(&json, "file", job->path);
  dm_json_put_string(&json, "table", job->table);
  if (job->options->append || job->options->replace) {
    dm_json_put_string(&json, "mode", job->options->append ? "append" : "replace");
  }
  if (job->options->strict) {
    dm_json_put_bool(&json, "strict", true);
  }
  dm_json_end_object(&json);
  return dm_buf_status(out);
}

static dm_status start_run(dm_import_job *job, dm_error *err) {
  dm_buf json;
  dm_buf_init(&json, job->store->ctx, err);
  dm_status s = arguments_json(job, &json);
  if (s == DM_OK) s = dm_run_start(job->store, "import", json.p, NULL, &job->run_id, err);
  dm_buf_clear(&json);
  return s;
}

static dm_status import_all(dm_import_job *job, dm_error *err) {
  dm_typed *t = job->t;
  dm_status s = dm_store_ensure_schema(job->store, err);
  if (s == DM_OK) s = start_run(job, err);
  if (s == DM_OK) s = prepare_table(job, err);
  if (s == DM_OK) s = dm_import_source_begin(job, err);
  if (s == DM_OK) s = all_passes(job, err);
  for (size_t i = 0; s == DM_OK && !job->append && i < t->d; i++) job->formats[i] = dm_typed_format(t, i);
  if (s == DM_OK) s = dm_import_source_end(job, err);
  return s == DM_OK ? dm_run_end(job->store, job->run_id, "done", err) : s;
}

static dm_status check_width(const dm_import_job *job, dm_error *err) {
  size_t most = (size_t)sqlite3_limit(job->store->db, SQLITE_LIMIT_COLUMN, -1);
  if (most > DM_IMPORT_COLUMNS_MAX) most = DM_IMPORT_COLUMNS_MAX;
  if (job->t->d <= most) return DM_OK;
  (void)dm_fail(err, DM_EINPUT, "%zu columns, a table holds %zu beside dm_id", job->t->d, most);
  dm_error_at(err, job->path, 0, 0);
  dm_error_hint(err, "split the file by columns, or check the delimiter ('%c')", dm_csv_get_dialect(job->t->csv)->delimiter);
  return DM_EINPUT;
}

static dm_status result_columns(const dm_import_job *job, dm_import_result *out, dm_error *err) {
  dm_table_column *columns = dm_arena_alloc(job->arena, job->t->d, sizeof *columns, err);
  if (!columns) return DM_EBUDGET;
  for (size_t i = 0; i < job->t->d; i++) {
    columns[i] = (dm_table_column){.name = job->names[i], .type = job->t->columns[i].type, .format = job->formats[i], .null_text = ""};
    uint64_t most = 0;
    for (size_t m = 0; m < dm_typed_n_markers(job->t); m++) {
      const char *spelling;
      if (job->t->columns[i].markers[m] <= most) continue;
      if (dm_typed_marker(job->t, m, &spelling, err) != DM_OK) return DM_EBUDGET;
      most = job->t->columns[i].markers[m];
      if (!(columns[i].null_text = dm_arena_strdup(job->arena, spelling, strlen(spelling), err))) return DM_EBUDGET;
    }
  }
  out->columns = columns;
  return DM_OK;
}

static dm_status result_notes(const dm_import_job *job, dm_import_result *out, dm_error *err) {
  const char **found;
  size_t n;
  dm_status s = dm_typed_notes(job->t, job->arena, &found, &n, err);
  if (s != DM_OK) return s;
  const char **notes = dm_arena_alloc(job->arena, job->n_notes + n + 1, sizeof *notes, err);
  if (!notes) return DM_EBUDGET;
  for (size_t i = 0; i < job->n_notes; i++) notes[i] = job->notes[i];
  for (size_t i = 0; i < n; i++) notes[job->n_notes + i] = found[i];
  out->notes = notes;
  out->n_notes = job->n_notes + n;
  return DM_OK;
}

static dm_status fill_result(const dm_import_job *job, dm_import_result *out, dm_error *err) {
  dm_import_result r = {.rows = job->t->accepted, .rejects = job->t->rejected, .n_columns = job->t->d, .source_id = job->source_id};
  (void)snprintf(r.table, sizeof r.table, "%s", job->table);
  r.dialect = *dm_csv_get_dialect(job->t->csv);
  r.dialect.encoding = dm_arena_strdup(job->arena, r.dialect.encoding, strlen(r.dialect.encoding), err);
  dm_status s = r.dialect.encoding ? result_columns(job, &r, err) : DM_EBUDGET;
  if (s == DM_OK) s = result_notes(job, &r, err);
  if (s == DM_OK) *out = r;
  return s;
}

static dm_status open_job(dm_import_job *job, dm_error *err) {
  const dm_import_options *o = job->options;
  if (o->append && o->replace) return dm_fail(err, DM_EUSAGE, "append and replace exclude each other");
  job->table = o->table;
  dm_status s = o->table ? DM_OK : dm_import_table_name(job->path, job->arena, &job->table, err);
  if (s == DM_OK) s = dm_import_check_name(job->table, err);
  if (s == DM_OK) s = dm_typed_open(job->store->ctx, job->path, &o->csv, &job->t, err);
  if (s == DM_OK) s = check_width(job, err);
  if (s != DM_OK) return s;
  job->names = dm_arena_alloc(job->arena, job->t->d, sizeof *job->names, err);
  job->formats = dm_arena_alloc(job->arena, job->t->d, sizeof *job->formats, err);
  return job->names && job->formats ? DM_OK : DM_EBUDGET;
}

dm_status dm_store_import(dm_store *store, const char *path, const dm_import_options *options, dm_arena *arena, dm_import_result *out,
                          dm_error *err) {
  static const dm_import_options none = {0};
  dm_import_job job = {.store = store, .path = path, .options = options ? options : &none, .arena = arena};
  bool mine = false;
  dm_import_result result;
  dm_status s = open_job(&job, err);
  if (s == DM_OK) s = dm_store_enter(store, &mine, err);
  if (s == DM_OK) s = import_all(&job, err);
  if (s == DM_OK) s = fill_result(&job, &result, err);
  s = dm_store_leave(store, mine, s, err);
  dm_typed_close(job.t);
  if (s == DM_OK) *out = result;
  return s;
}
