/* What an import writes beside the rows: dm_source, dm_column, dm_origin, dm_reject. */
#define _GNU_SOURCE
#include "store/import_job.h"
#include "store/source.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- origins and rejects ---------------------------------------------------------- */

struct dm_import_records {
  dm_store *store;
  int64_t source_id;
  dm_stmt *origin, *reject;
};

dm_status dm_import_records_open(dm_store *store, int64_t source_id, const char *table, dm_import_records **out, dm_error *err) {
  dm_import_records *r = dm_alloc(store->ctx, 1, sizeof *r, "import", err);
  if (!r) return DM_EBUDGET;
  r->store = store;
  r->source_id = source_id;
  dm_status s = dm_stmt_prepare(store,
                                "INSERT INTO main.dm_origin(source_id, table_name, first_id, first_record, line, byte_offset)"
                                " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                                &r->origin, err);
  if (s == DM_OK)
    s = dm_stmt_prepare(store,
                        "INSERT INTO main.dm_reject(source_id, record, line, column, byte_offset, raw, reason)"
                        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        &r->reject, err);
  if (s == DM_OK) s = dm_stmt_bind_int(r->origin, 1, source_id, err);
  if (s == DM_OK) s = dm_stmt_bind_text(r->origin, 2, table, err);
  if (s == DM_OK) s = dm_stmt_bind_int(r->reject, 1, source_id, err);
  if (s != DM_OK) {
    dm_import_records_close(r);
    return s;
  }
  *out = r;
  return DM_OK;
}

void dm_import_records_close(dm_import_records *r) {
  if (!r) return;
  dm_stmt_free(r->origin);
  dm_stmt_free(r->reject);
  dm_free(r->store->ctx, r);
}

static dm_status run_once(dm_stmt *q, dm_error *err) {
  bool row;
  dm_status s = dm_stmt_step(q, &row, err);
  return s == DM_OK ? dm_stmt_reset(q, err) : s;
}

static dm_status bind_ints(dm_stmt *q, int from, const uint64_t *v, int n, dm_error *err) {
  dm_status s = DM_OK;
  for (int i = 0; s == DM_OK && i < n; i++) s = dm_stmt_bind_int(q, from + i, (int64_t)v[i], err);
  return s;
}

static dm_status add_reject(dm_import_records *r, const dm_rows *batch, const dm_rows_reject *reject, dm_error *err) {
  dm_value raw = {.type = DM_BLOB, .text = {batch->text.p + reject->raw_at, reject->raw_n}};
  dm_value reason = {.type = DM_TEXT, .text = {batch->text.p + reject->message_at, reject->message_n}};
  dm_value column = {.type = reject->column ? DM_INTEGER : DM_NULL, .integer = (int64_t)reject->column};
  dm_status s = bind_ints(r->reject, 2, (uint64_t[]){reject->record, reject->line}, 2, err);
  if (s == DM_OK) s = dm_stmt_bind(r->reject, 4, column, err);
  if (s == DM_OK) s = dm_stmt_bind_int(r->reject, 5, (int64_t)reject->byte_offset, err);
  if (s == DM_OK) s = dm_stmt_bind(r->reject, 6, raw, err);
  if (s == DM_OK) s = dm_stmt_bind(r->reject, 7, reason, err);
  return s == DM_OK ? run_once(r->reject, err) : s;
}

dm_status dm_import_records_add(dm_import_records *r, const dm_rows *batch, int64_t first_id, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < batch->n_runs; i++) {
    const dm_rows_run *run = &batch->runs[i];
    uint64_t id = (uint64_t)first_id + run->row;
    s = bind_ints(r->origin, 3, (uint64_t[]){id, run->record, run->line, run->byte_offset}, 4, err);
    if (s == DM_OK) s = run_once(r->origin, err);
  }
  for (size_t i = 0; s == DM_OK && i < batch->n_rejects; i++) s = add_reject(r, batch, &batch->rejects[i], err);
  return s;
}

/* ---- the source --------------------------------------------------------------------- */

dm_status dm_import_source_begin(dm_import_job *job, dm_error *err) {
  char absolute[PATH_MAX], now[32];
  bool has_path = realpath(job->path, absolute) != NULL; /* a pipe has none, for instance */
  dm_time_utc(now);
  dm_status s = dm_store_exec(job->store, err,
                              "INSERT INTO main.dm_source(uri, format, options, sha256, bytes, records, accepted, rejected,"
                              " table_name, imported_at, run_id) VALUES(%Q, 'csv', '{}', '', 0, 0, 0, 0, %Q, %Q, %lld)",
                              has_path ? absolute : job->path, job->table, now, (long long)job->run_id);
  if (s == DM_OK) job->source_id = sqlite3_last_insert_rowid(job->store->db);
  return s;
}

/* Markers that a column of an appended table had stay first. */
static dm_status merge_markers(dm_import_job *job, size_t i, const char *old, dm_buf *json, dm_error *err) {
  dm_buf fresh;
  dm_buf_init(&fresh, job->store->ctx, err);
  const dm_json *before, *now;
  dm_status s = dm_typed_markers_json(job->t, i, &fresh, err);
  if (s == DM_OK) s = dm_json_parse(job->arena, old, strlen(old), &before, err);
  if (s == DM_OK) s = dm_json_parse(job->arena, fresh.p, fresh.n, &now, err);
  dm_json_out out;
  dm_json_out_init(&out, json, false);
  if (s == DM_OK) {
    dm_json_array(&out);
    for (const dm_json *e = before->first; e; e = e->next) dm_json_string_n(&out, e->string.p, e->string.n);
    for (const dm_json *e = now->first; e; e = e->next) {
      bool known = false;
      for (const dm_json *b = before->first; b; b = b->next) known |= dm_str_equal(b->string, e->string);
      if (!known) dm_json_string_n(&out, e->string.p, e->string.n);
    }
    dm_json_end_array(&out);
    s = dm_buf_status(json);
  }
  dm_buf_clear(&fresh);
  return s;
}

static dm_status markers_before(dm_import_job *job, size_t i, const char **out, dm_error *err) {
  dm_stmt *q = NULL;
  bool row = false;
  *out = "[]";
  dm_status s = dm_stmt_prepare(job->store, "SELECT missing_markers FROM main.dm_column WHERE table_name = ?1 AND name = ?2", &q, err);
  if (s == DM_OK) s = dm_stmt_bind_text(q, 1, job->table, err);
  if (s == DM_OK) s = dm_stmt_bind_text(q, 2, job->names[i], err);
  if (s == DM_OK) s = dm_stmt_step(q, &row, err);
  if (s == DM_OK && row) {
    dm_value v = dm_stmt_value(q, 0);
    if (v.type == DM_TEXT && !(*out = dm_arena_strdup(job->arena, v.text.p, v.text.n, err))) s = DM_EBUDGET;
  }
  dm_stmt_free(q);
  return s;
}

/* Role, unit and levels, which the user may have set, stay. */
static dm_status write_column(dm_import_job *job, size_t i, dm_error *err) {
  char format[32];
  const char *before = "[]";
  dm_buf markers;
  dm_buf_init(&markers, job->store->ctx, err);
  dm_format_name(job->formats[i], format);
  dm_status s = job->append ? markers_before(job, i, &before, err) : DM_OK;
  if (s == DM_OK) s = merge_markers(job, i, before, &markers, err);
  if (s == DM_OK)
    s = dm_store_exec(job->store, err,
                      "INSERT INTO main.dm_column(table_name, name, type, format, missing_markers) VALUES(%Q, %Q, %Q, %Q, %Q)"
                      " ON CONFLICT DO UPDATE SET type = excluded.type, format = excluded.format,"
                      " missing_markers = excluded.missing_markers",
                      job->table, job->names[i], dm_type_name(job->t->columns[i].type), format, markers.p);
  dm_buf_clear(&markers);
  return s;
}

dm_status dm_import_source_end(dm_import_job *job, dm_error *err) {
  const dm_typed *t = job->t;
  dm_buf json;
  dm_buf_init(&json, job->store->ctx, err);
  dm_status s = dm_source_options_json(t, job->names, job->first_offset, &json, err);
  if (s == DM_OK)
    s = dm_store_exec(job->store, err,
                      "UPDATE main.dm_source SET options = %Q, sha256 = %Q, bytes = %lld, records = %lld, accepted = %lld,"
                      " rejected = %lld WHERE id = %lld",
                      json.p, dm_csv_sha256(t->csv), (long long)dm_csv_bytes_done(t->csv), (long long)t->records,
                      (long long)t->accepted, (long long)t->rejected, (long long)job->source_id);
  dm_buf_clear(&json);
  for (size_t i = 0; s == DM_OK && i < t->d; i++) s = write_column(job, i, err);
  return s;
}

/* ---- replacing ------------------------------------------------------------------------ */

/*
 * The history of the rows goes with them: an undo that wrote old values into
 * rows of another file would be worse than none. dm_run keeps what was done;
 * a run whose every change was in this table is marked 'replaced'.
 */
dm_status dm_import_drop(dm_import_job *job, dm_error *err) {
  static const char *const steps[] = {
      "DROP TABLE main.\"%w\"",
      ("UPDATE main.dm_run SET status = 'replaced' WHERE id IN (SELECT run_id FROM main.dm_change WHERE table_name = %Q)"
       " AND NOT EXISTS (SELECT 1 FROM main.dm_change c WHERE c.run_id = dm_run.id AND c.table_name <> %Q)"),
      "DELETE FROM main.dm_change WHERE table_name = %Q",
      "DELETE FROM main.dm_reject WHERE source_id IN (SELECT id FROM main.dm_source WHERE table_name = %Q COLLATE NOCASE)",
      "DELETE FROM main.dm_origin WHERE table_name = %Q",
      "DELETE FROM main.dm_source WHERE table_name = %Q COLLATE NOCASE",
      "DELETE FROM main.dm_column WHERE table_name = %Q",
  };
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < sizeof steps / sizeof *steps; i++)
    s = dm_store_exec(job->store, err, steps[i], job->table, job->table);
  return s;
}
