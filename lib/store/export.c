/*
 * Export: a table or SELECT to a file, in one snapshot.
 *
 * A table that came from one file is written as that file was: its delimiter,
 * quotes, header, line ending, last newline and BOM; with number formats and
 * missing markers from dm_column, a clean file comes back with its own bytes.
 * Text is always UTF-8. Anything else is RFC 4180 with a header and "\n".
 */
#include "store/export_row.h"
#include "store/source.h"

#include <string.h>
#include <strings.h>

enum { FLUSH_BYTES = 64 << 10, CHECK_ROWS = 4096 };

typedef struct export_job {
  dm_store *store;
  const dm_export_options *options;
  dm_arena *arena;
  dm_stmt *select;
  dm_export_layout layout;
  uint64_t rows;
} export_job;

/* ---- how columns are written ------------------------------------------------------- */

/* The table's column that a result column comes from, or NULL. Tables are looked up once. */
static dm_status known_column(export_job *job, int place, const dm_table *table, dm_table *other, const dm_table_column **out, dm_error *err) {
  const char *table_name, *column_name = dm_stmt_column_name(job->select, place);
  dm_error lookup = {0};
  *out = NULL;
  if (!table) {
    if (!dm_stmt_column_origin(job->select, place, &table_name, &column_name)) return DM_OK;
    bool looked_up = other->name && strcasecmp(other->name, table_name) == 0;
    dm_status s = looked_up ? DM_OK : dm_store_table(job->store, table_name, job->arena, other, &lookup);
    if (s == DM_EUSAGE) return DM_OK; /* one of ours, or of another database: no formats are known */
    if (s != DM_OK) {
      if (err) *err = lookup;
      return s;
    }
    table = other;
  }
  size_t k = dm_table_find(table, column_name);
  if (k != SIZE_MAX) *out = &table->columns[k];
  return DM_OK;
}

static dm_status choose_columns(export_job *job, const dm_table *table, dm_error *err) {
  int n = dm_stmt_n_columns(job->select);
  dm_table other = {0};
  dm_export_layout *l = &job->layout;
  l->columns = dm_arena_alloc(job->arena, (size_t)n, sizeof *l->columns, err);
  if (!l->columns) return DM_EBUDGET;
  for (int i = 0; i < n; i++) {
    const char *name = dm_stmt_column_name(job->select, i);
    if (strcasecmp(name, "dm_id") == 0 && !job->options->with_dm_id) continue;
    const dm_table_column *known;
    dm_status s = known_column(job, i, table, &other, &known, err);
    if (s != DM_OK) return s;
    dm_export_column *c = &l->columns[l->d++];
    *c = (dm_export_column){.place = i, .null_text = ""};
    if (!(c->name = dm_arena_strdup(job->arena, name, strlen(name), err))) return DM_EBUDGET;
    if (known) c->format = known->format;
    if (known && table) c->null_text = known->null_text;
  }
  if (l->d > 0) return DM_OK;
  (void)dm_fail(err, DM_EUSAGE, "no column but dm_id to export");
  return DM_EUSAGE;
}

/* A header text in place of the column's name, where the source had another. */
static void restore_headers(export_job *job, const dm_source_info *source) {
  for (size_t i = 0; i < job->layout.d; i++)
    for (size_t k = 0; k < source->n_columns; k++)
      if (strcasecmp(job->layout.columns[i].name, source->columns[k]) == 0) {
        job->layout.columns[i].name = source->headers[k];
        break;
      }
}

/* The file's own header can be written as it stood when the columns are the file's, and its delimiter is used. */
static bool same_columns(const export_job *job, const dm_source_info *source) {
  if (job->layout.d != source->n_columns || job->layout.delimiter != source->dialect.delimiter) return false;
  for (size_t i = 0; i < job->layout.d; i++)
    if (strcasecmp(job->layout.columns[i].name, source->columns[i]) != 0) return false;
  return true;
}

static void use_source(export_job *job, const dm_source_info *source) {
  dm_export_layout *l = &job->layout;
  const dm_csv_dialect *dialect = &source->dialect;
  if (job->options->format == DM_EXPORT_CSV) l->delimiter = dialect->delimiter;
  l->quote = dialect->quote;
  l->line_ending = dialect->line_ending;
  l->header = dialect->header;
  l->header_quoted = dialect->header_quoted;
  l->header_exact = true;
  l->final_newline = dialect->final_newline;
  l->quote_blanks = dialect->trim;
  l->spaced = dialect->spaced && l->delimiter == dialect->delimiter;
  bool utf8 = strcmp(dialect->encoding, "UTF-8") == 0;
  l->bom = dialect->bom && utf8;
  if (!utf8) dm_log(job->store->ctx, DM_LOG_NOTICE, "the source was %s; the export is UTF-8", dialect->encoding);
  if (same_columns(job, source)) l->preamble = source->preamble;
  if (l->header) restore_headers(job, source);
}

static dm_status choose_layout(export_job *job, const dm_table *table, dm_error *err) {
  job->layout = (dm_export_layout){.delimiter = job->options->format == DM_EXPORT_TSV ? '\t' : ',', .quote = '"', .line_ending = "\n", .header = true,
                                   .final_newline = true, .quote_blanks = true};
  dm_status s = choose_columns(job, table, err);
  if (s != DM_OK) return s;
  if (table && job->options->format != DM_EXPORT_JSONL) {
    dm_source_info source;
    bool found;
    s = dm_source_of_table(job->store, table->name, job->arena, &source, &found, err);
    if (s != DM_OK) return s;
    if (found) use_source(job, &source);
  }
  return dm_export_layout_finish(&job->layout, job->store->ctx, job->arena, err);
}

/* ---- rows ------------------------------------------------------------------------------ */

/* Writes all but `keep` bytes, the line end at the very end, which may not be wanted. */
static dm_status flush(dm_outfile *file, dm_buf *text, size_t keep, dm_error *err) {
  if (text->n <= keep) return DM_OK;
  dm_status s = dm_outfile_write(file, text->p, text->n - keep, err);
  memmove(text->p, text->p + text->n - keep, keep);
  text->n = keep;
  return s;
}

/* A file that ended without a newline does again, unless its last record is an empty line now, which would be lost. */
static bool drops_last_newline(const export_job *job, uint64_t last_row_bytes) {
  if (job->options->format == DM_EXPORT_JSONL || job->layout.final_newline || job->rows == 0) return false;
  return last_row_bytes > strlen(job->layout.line_ending);
}

static dm_status write_rows(export_job *job, dm_outfile *file, dm_buf *text, dm_error *err) {
  bool json = job->options->format == DM_EXPORT_JSONL, row = true;
  size_t end = json ? 1 : strlen(job->layout.line_ending), begin, last = 0;
  dm_status s = DM_OK;
  if (!json) dm_export_csv_header(&job->layout, text);
  while (s == DM_OK && (s = dm_stmt_step(job->select, &row, err)) == DM_OK && row) {
    bool open_line = job->rows == 0 && text->n && !strchr("\r\n", text->p[text->n - 1]);
    if (open_line) dm_buf_adds(text, job->layout.line_ending); /* the source ended behind its header */
    begin = text->n;
    if (json)
      dm_export_json_row(&job->layout, job->select->s, text);
    else
      dm_export_csv_row(&job->layout, job->select->s, text);
    last = text->n - begin;
    if (text->n >= FLUSH_BYTES) s = flush(file, text, end, err);
    if (s == DM_OK && ++job->rows % CHECK_ROWS == 0) {
      dm_progress(job->store->ctx, "exporting", (double)job->rows, 0, "rows");
      s = dm_ctx_check(job->store->ctx, err);
    }
  }
  if (s == DM_OK) s = dm_buf_status(text);
  if (s == DM_OK && drops_last_newline(job, last)) text->n -= end;
  return s == DM_OK ? flush(file, text, 0, err) : s;
}

static dm_status write_file(export_job *job, const char *path, dm_error *err) {
  dm_outfile *file;
  dm_status s = dm_outfile_open(job->store->ctx, path, &file, err);
  if (s != DM_OK) return s;
  dm_buf text;
  dm_buf_init(&text, job->store->ctx, err);
  s = write_rows(job, file, &text, err);
  dm_buf_clear(&text);
  if (s == DM_OK) return dm_outfile_commit(file, err);
  dm_outfile_abort(file);
  return s;
}

dm_status dm_store_export(dm_store *store, const char *src, const char *path, const dm_export_options *options, uint64_t *rows,
                          dm_error *err) {
  static const dm_export_options none = {0};
  export_job job = {.store = store, .options = options ? options : &none};
  const char *sql;
  dm_table table;
  dm_error lookup = {0};
  dm_status s = dm_arena_new(store->ctx, 0, &job.arena, err);
  if (s != DM_OK) return s;
  s = dm_store_snapshot(store, err);
  bool snapshot = s == DM_OK;
  if (s == DM_OK) s = dm_source_sql(store, src, job.arena, &sql, err);
  if (s == DM_OK) s = dm_stmt_prepare(store, sql, &job.select, err);
  if (s == DM_OK) {
    s = dm_store_table(store, src, job.arena, &table, &lookup);
    bool is_table = s == DM_OK;
    if (s == DM_OK || s == DM_EUSAGE)
      s = choose_layout(&job, is_table ? &table : NULL, err);
    else if (err)
      *err = lookup;
  }
  if (s == DM_OK) s = write_file(&job, path, err);
  dm_stmt_free(job.select);
  if (snapshot) dm_store_snapshot_end(store);
  dm_arena_free(job.arena);
  if (s == DM_OK && rows) *rows = job.rows;
  return s;
}
