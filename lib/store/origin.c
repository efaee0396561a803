/*
 * Origins: from a row back to the bytes it came from. dm_origin has a row for
 * each run of records without a reject between, so that within it
 *
 *   record = first_record + (dm_id - first_id)
 *
 * and reading on from the run's byte_offset, at most 1,024 records, gives the
 * one. The file is hashed first: bytes are shown only when they are those that
 * were imported (about half a second for each GB).
 */
#include "store/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 256 << 10 };

typedef struct place {
  dm_source_info source;
  uint64_t record;                        /* of the row */
  uint64_t first_record, line, byte_offset; /* where its run begins */
} place;

/* ---- the run ------------------------------------------------------------------------ */

static dm_status no_origin(const char *table, int64_t row, dm_error *err) {
  (void)dm_fail(err, DM_EUSAGE, "table '%s': row %lld did not come from a file", table, (long long)row);
  dm_error_hint(err, "origins are kept for the rows of imported tables");
  return DM_EUSAGE;
}

/* A row that was added later has a number past the last record of the run. */
static dm_status check_record(dm_store *store, const place *at, bool *is_there, dm_error *err) {
  *is_there = at->record >= 1 && at->record <= at->source.records;
  if (!*is_there) return DM_OK;
  dm_stmt *q = NULL;
  bool row = false;
  dm_status s = dm_stmt_prepare(store, "SELECT 1 FROM main.dm_reject WHERE source_id = ?1 AND record BETWEEN ?2 AND ?3 LIMIT 1", &q, err);
  if (s == DM_OK) s = dm_stmt_bind_int(q, 1, at->source.id, err);
  if (s == DM_OK) s = dm_stmt_bind_int(q, 2, (int64_t)at->first_record, err);
  if (s == DM_OK) s = dm_stmt_bind_int(q, 3, (int64_t)at->record, err);
  if (s == DM_OK) s = dm_stmt_step(q, &row, err);
  *is_there = !row;
  dm_stmt_free(q);
  return s;
}

static dm_status find_place(dm_store *store, const char *table, int64_t id, dm_arena *arena, place *at, dm_error *err) {
  dm_table known;
  dm_status s = dm_store_table(store, table, arena, &known, err);
  if (s != DM_OK) return s;
  bool recorded = false;
  s = dm_store_has_schema(store, &recorded, err);
  if (s != DM_OK) return s;
  if (!recorded) return no_origin(table, id, err);
  dm_stmt *q = NULL;
  bool row = false, is_there = false;
  int64_t source = 0;
  *at = (place){.record = 0};
  s = dm_stmt_prepare(store,
                      "SELECT source_id, first_id, first_record, line, byte_offset FROM main.dm_origin"
                      " WHERE table_name = ?1 AND first_id <= ?2 ORDER BY first_id DESC LIMIT 1",
                      &q, err);
  if (s == DM_OK) s = dm_stmt_bind_text(q, 1, known.name, err);
  if (s == DM_OK) s = dm_stmt_bind_int(q, 2, id, err);
  if (s == DM_OK) s = dm_stmt_step(q, &row, err);
  if (s == DM_OK && row) {
    source = dm_stmt_int(q, 0);
    at->first_record = (uint64_t)dm_stmt_int(q, 2);
    at->record = at->first_record + (uint64_t)(id - dm_stmt_int(q, 1));
    at->line = (uint64_t)dm_stmt_int(q, 3);
    at->byte_offset = (uint64_t)dm_stmt_int(q, 4);
  }
  dm_stmt_free(q);
  if (s == DM_OK && row) s = dm_source_load(store, source, arena, &at->source, err);
  if (s == DM_OK && row) s = check_record(store, at, &is_there, err);
  return s == DM_OK && !is_there ? no_origin(table, id, err) : s;
}

/* ---- the file --------------------------------------------------------------------------- */

static dm_status hash_file(dm_ctx *ctx, int fd, char out[DM_SHA256_HEX], bool *readable, dm_error *err) {
  dm_sha256 *hash;
  dm_status s = dm_sha256_new(ctx, &hash, err);
  if (s != DM_OK) return s;
  char *block = dm_alloc(ctx, READ_BYTES, 1, "source file", err);
  if (!block) s = DM_EBUDGET;
  *readable = true;
  while (s == DM_OK) {
    ssize_t n = read(fd, block, READ_BYTES);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) *readable = false;
    if (n <= 0) break;
    dm_sha256_add(hash, block, (size_t)n);
    s = dm_ctx_check(ctx, err);
  }
  dm_sha256_hex(hash, out);
  dm_free(ctx, block);
  dm_sha256_free(hash);
  return s;
}

/* problem: empty when the file has the bytes of the import. */
static dm_status verify(dm_ctx *ctx, const dm_source_info *source, char *problem, size_t room, dm_error *err) {
  struct stat st;
  problem[0] = 0;
  int fd = open(source->uri, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    (void)snprintf(problem, room, errno == ENOENT ? "file is gone" : "file cannot be opened: %s", strerror(errno));
    return DM_OK;
  }
  dm_status s = DM_OK;
  char now[DM_SHA256_HEX];
  bool readable;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
    (void)snprintf(problem, room, "not a regular file");
  else if ((uint64_t)st.st_size != source->bytes)
    (void)snprintf(problem, room, "file has changed since import");
  else if ((s = hash_file(ctx, fd, now, &readable, err)) == DM_OK && !readable)
    (void)snprintf(problem, room, "file cannot be read");
  else if (s == DM_OK && strcmp(now, source->sha256) != 0)
    (void)snprintf(problem, room, "file has changed since import");
  (void)close(fd);
  return s;
}

/* Opens the source and reads on to the record. */
static dm_status read_record(dm_ctx *ctx, const place *at, dm_csv **out, const dm_csv_record **record, dm_error *err) {
  dm_csv *csv;
  dm_status s = dm_csv_reopen(ctx, at->source.uri, &at->source.dialect, at->source.n_columns, at->source.on_extra, &csv, err);
  if (s != DM_OK) return s;
  s = dm_csv_seek(csv, at->first_record, at->line, at->byte_offset, err);
  *record = NULL;
  while (s == DM_OK && (s = dm_csv_next(csv, record, err)) == DM_OK && *record && (*record)->record < at->record) {
  }
  if (s == DM_OK && (!*record || (*record)->record != at->record || (*record)->reason != DM_REJECT_NONE)) {
    s = dm_fail(err, DM_EINPUT, "record %llu is not where dm_origin says", (unsigned long long)at->record);
    dm_error_at(err, at->source.uri, 0, 0);
  }
  if (s != DM_OK)
    dm_csv_close(csv);
  else
    *out = csv;
  return s;
}

static dm_status decode(dm_ctx *ctx, const char *encoding, dm_arena *arena, dm_origin *out, dm_error *err) {
  dm_buf text;
  dm_buf_init(&text, ctx, err);
  dm_status s = dm_csv_raw_text(encoding, out->raw, &text, err);
  if (s == DM_OK) {
    out->text = (dm_str){dm_arena_strdup(arena, text.n ? text.p : "", text.n, err), text.n};
    if (!out->text.p) s = DM_EBUDGET;
  }
  dm_buf_clear(&text);
  return s;
}

static dm_status fill(dm_ctx *ctx, const place *at, dm_arena *arena, dm_origin *out, dm_error *err) {
  dm_csv *csv;
  const dm_csv_record *record;
  dm_str raw;
  dm_status s = read_record(ctx, at, &csv, &record, err);
  if (s != DM_OK) return s;
  out->line = record->line;
  out->byte_offset = record->byte_offset;
  s = dm_csv_raw(csv, &raw, err);
  if (s == DM_OK) {
    out->raw = (dm_str){dm_arena_strdup(arena, raw.p, raw.n, err), raw.n};
    if (!out->raw.p) s = DM_EBUDGET;
  }
  if (s == DM_OK) s = decode(ctx, dm_csv_get_dialect(csv)->encoding, arena, out, err);
  dm_csv_close(csv);
  out->verified = s == DM_OK;
  return s;
}

dm_status dm_store_origin(dm_store *store, const char *table, int64_t row, dm_arena *arena, dm_origin *out, dm_error *err) {
  place at;
  dm_origin o = {.verified = false};
  dm_status s = find_place(store, table, row, arena, &at, err);
  if (s == DM_OK) s = verify(store->ctx, &at.source, o.problem, sizeof o.problem, err);
  if (s != DM_OK) return s;
  (void)snprintf(o.uri, sizeof o.uri, "%s", at.source.uri);
  o.record = at.record;
  if (at.record == at.first_record) { /* known without the file */
    o.line = at.line;
    o.byte_offset = at.byte_offset;
  }
  if (!o.problem[0]) s = fill(store->ctx, &at, arena, &o, err);
  if (s == DM_OK) *out = o;
  return s;
}

/* ---- cells -------------------------------------------------------------------------------- */

static dm_status order_cells(const place *at, const dm_table *table, const dm_csv_record *record, dm_arena *arena, dm_str **cells,
                             dm_error *err) {
  dm_str *list = dm_arena_alloc(arena, table->n_columns + 1, sizeof *list, err);
  if (!list) return DM_EBUDGET;
  for (size_t i = 0; i < record->n_cells && i < at->source.n_columns; i++) {
    size_t k = dm_table_find(table, at->source.columns[i]);
    if (k == SIZE_MAX) continue; /* the column was taken away since */
    list[k] = (dm_str){dm_arena_strdup(arena, record->cells[i].n ? record->cells[i].p : "", record->cells[i].n, err), record->cells[i].n};
    if (!list[k].p) return DM_EBUDGET;
  }
  *cells = list;
  return DM_OK;
}

dm_status dm_store_origin_cells(dm_store *store, const char *table, int64_t row, dm_arena *arena, dm_str **cells, size_t *n,
                                dm_error *err) {
  place at;
  dm_table columns;
  char problem[256] = "";
  dm_csv *csv = NULL;
  const dm_csv_record *record;
  dm_status s = find_place(store, table, row, arena, &at, err);
  if (s == DM_OK) s = dm_store_table(store, table, arena, &columns, err);
  if (s == DM_OK) s = verify(store->ctx, &at.source, problem, sizeof problem, err);
  if (s == DM_OK && problem[0]) {
    s = dm_fail(err, DM_EIO, "%s", problem);
    dm_error_at(err, at.source.uri, 0, 0);
  }
  if (s == DM_OK) s = read_record(store->ctx, &at, &csv, &record, err);
  if (s == DM_OK) s = order_cells(&at, &columns, record, arena, cells, err);
  if (s == DM_OK) *n = columns.n_columns;
  dm_csv_close(csv);
  return s;
}
