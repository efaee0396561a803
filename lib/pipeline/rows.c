#include "pipeline/rows.h"

#include <string.h>
#include <strings.h>

enum { NAMED = 8 }; /* columns that a message names, the others are counted */

struct dm_rows {
  dm_ctx *ctx;
  dm_store *store;
  const dm_scorer *scorer;
  dm_stmt *stmt;     /* a table or SELECT … */
  dm_frame *frame;   /* … or a file */
  int *places;       /* [d] column of each input */
  int id_column;     /* -1 = none */
  size_t at;         /* rows given so far */
  bool done;         /* stepping a statement behind its end would start it again */
  double *raw;
  int64_t *ids;
  bool snapshot;
};

void dm_rows_close(dm_rows *rows) {
  if (!rows) return;
  dm_ctx *ctx = rows->ctx;
  dm_stmt_free(rows->stmt);
  if (rows->snapshot) dm_store_snapshot_end(rows->store);
  dm_frame_free(rows->frame);
  dm_free(ctx, rows->places);
  dm_free(ctx, rows->raw);
  dm_free(ctx, rows->ids);
  dm_free(ctx, rows);
}

/* Exact name first, then ASCII case-insensitively. */
static int find_name(const dm_rows *r, const char *name) {
  int n = r->stmt ? dm_stmt_n_columns(r->stmt) : (int)r->frame->d;
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < n; i++) {
      const char *have = r->stmt ? dm_stmt_column_name(r->stmt, i) : r->frame->columns[i].name;
      if ((pass ? strcasecmp(have, name) : strcmp(have, name)) == 0) return i;
    }
  return -1;
}

static dm_status match_inputs(dm_rows *r, dm_error *err) {
  const dm_scorer *s = r->scorer;
  size_t absent = 0;
  dm_buf missing;
  dm_buf_init(&missing, r->ctx, err);
  for (size_t i = 0; i < s->d; i++)
    if ((r->places[i] = find_name(r, s->inputs[i].name)) < 0 && absent++ < NAMED)
      dm_buf_printf(&missing, "%s'%s'", missing.n ? ", " : "", s->inputs[i].name);
  if (absent > NAMED) dm_buf_printf(&missing, " and %zu more", absent - NAMED);
  dm_status status = dm_buf_status(&missing);
  if (status == DM_OK && missing.n) {
    status = dm_fail(err, DM_EINPUT, "the source lacks these inputs of the model: %s", missing.p);
    dm_error_hint(err, "columns are matched by name; rename them in a SELECT, as in SELECT a AS b FROM t");
  }
  dm_buf_clear(&missing);
  return status;
}

static dm_status open_source(dm_rows *r, const dm_src *src, dm_error *err) {
  if (dm_src_is_file(r->store, src->text)) return dm_src_frame(r->store, src, NULL, 0, &r->frame, NULL, err);
  dm_arena *arena = NULL;
  const char *sql;
  dm_status s = dm_store_snapshot(r->store, err);
  if (s != DM_OK) return s;
  r->snapshot = true;
  s = dm_arena_new(r->ctx, 0, &arena, err);
  if (s == DM_OK) s = dm_source_sql(r->store, src->text, arena, &sql, err);
  if (s == DM_OK) s = dm_stmt_prepare(r->store, sql, &r->stmt, err);
  dm_arena_free(arena);
  return s;
}

dm_status dm_rows_open(dm_store *store, const dm_scorer *scorer, const dm_src *src, dm_rows **out, dm_error *err) {
  dm_ctx *ctx = dm_store_ctx(store);
  dm_rows *r = dm_alloc(ctx, 1, sizeof *r, "rows", err);
  if (!r) return DM_EBUDGET;
  *r = (dm_rows){.ctx = ctx, .store = store, .scorer = scorer};
  dm_status s = open_source(r, src, err);
  if (s == DM_OK) {
    r->places = dm_alloc(ctx, scorer->d, sizeof *r->places, "rows", err);
    r->raw = dm_alloc(ctx, (size_t)DM_ROWS_BATCH * scorer->d, sizeof *r->raw, "rows", err);
    r->ids = dm_alloc(ctx, DM_ROWS_BATCH, sizeof *r->ids, "rows", err);
    s = r->places && r->raw && r->ids ? match_inputs(r, err) : DM_EBUDGET;
  }
  if (s == DM_OK) {
    r->id_column = r->stmt ? find_name(r, "dm_id") : -1;
    *out = r;
  } else {
    dm_rows_close(r);
  }
  return s;
}

uint64_t dm_rows_rejects(const dm_rows *rows) { return rows->frame ? rows->frame->rejects : 0; }

/* Cell of a frame as a typed value. */
static dm_value frame_value(const dm_frame_column *c, size_t row) {
  double v = c->values[row];
  if (v != v) return (dm_value){.type = DM_NULL};
  if (c->kind == DM_CATEGORY) return (dm_value){.type = DM_TEXT, .text = c->levels.names[(size_t)v]};
  return (dm_value){.type = DM_REAL, .real = v};
}

static dm_status bind_row(dm_rows *r, double *raw, size_t ordinal, dm_error *err) {
  for (size_t i = 0; i < r->scorer->d; i++) {
    dm_value v = r->stmt ? dm_stmt_value(r->stmt, r->places[i]) : frame_value(&r->frame->columns[r->places[i]], ordinal);
    dm_status s = dm_scorer_bind(r->scorer, i, v, &raw[i], err);
    if (s != DM_OK) {
      dm_error_prefix(err, "row %zu", ordinal + 1);
      return s;
    }
  }
  return DM_OK;
}

dm_status dm_rows_next(dm_rows *rows, size_t *n, const double **raw, const int64_t **ids, dm_error *err) {
  dm_status s = dm_ctx_check(rows->ctx, err);
  size_t k = 0;
  for (bool more = true; s == DM_OK && k < DM_ROWS_BATCH && !rows->done; k++, rows->at++) {
    if (rows->stmt)
      s = dm_stmt_step(rows->stmt, &more, err);
    else
      more = rows->at < rows->frame->n;
    rows->done = s != DM_OK || !more;
    if (rows->done) break;
    if ((s = bind_row(rows, rows->raw + k * rows->scorer->d, rows->at, err)) != DM_OK) break;
    bool has_id = rows->id_column >= 0 && dm_stmt_value(rows->stmt, rows->id_column).type == DM_INTEGER;
    rows->ids[k] = has_id ? dm_stmt_int(rows->stmt, rows->id_column) : (int64_t)rows->at + 1;
  }
  if (s != DM_OK) return s;
  *n = k;
  *raw = rows->raw;
  *ids = rows->ids;
  return DM_OK;
}
