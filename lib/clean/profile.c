/*
 * Profile of a table. Columns are gathered together in one scan as far as
 * memory allows; those that need more are scanned again, fewer at a time; what
 * does not fit alone, or mixes types, is grouped by SQLite, which sorts on
 * disk. All three ways give values with counts in the same order to the same
 * figures, so the result has the same bits.
 */
#include "clean/profile_figures.h"
#include "clean/profile_gather.h"
#include "clean/run.h"
#include "clean/sql_text.h"

#include <math.h>
#include <string.h>

enum { AT_ONCE = 64, CHECK_EVERY = 4096 };
static const size_t unlimited = (size_t)256 << 20; /* what is used when the context has no budget */

typedef struct profiler {
  dm_store *store;
  dm_ctx *ctx;
  dm_arena *arena;  /* of the caller */
  dm_table table;
  const char **names; /* quoted */
  const char *sql_table;
  dm_profile out;
  size_t *pending;    /* columns still to do */
  size_t n_pending;
} profiler;

/* Bytes that gathering may hold; sorting needs as much again as the longest array. */
static size_t room(const profiler *p) {
  size_t budget = dm_ctx_budget(p->ctx), held = dm_ctx_memory(p->ctx);
  if (!budget) return unlimited;
  return budget > held ? (budget - held) / 2 : 0;
}

/* ---- scanning ---- */

static dm_status prepare_scan(const profiler *p, const size_t *columns, size_t n, dm_stmt **out, dm_error *err) {
  dm_buf sql;
  dm_buf_init(&sql, p->ctx, err);
  dm_buf_adds(&sql, "SELECT ");
  for (size_t i = 0; i < n; i++) dm_buf_printf(&sql, "%s%s", i ? ", " : "", p->names[columns[i]]);
  dm_buf_printf(&sql, " FROM %s", p->sql_table);
  dm_status s = dm_buf_status(&sql);
  if (s == DM_OK) s = dm_stmt_prepare(p->store, sql.p, out, err);
  dm_buf_clear(&sql);
  return s;
}

static dm_status scan(profiler *p, const size_t *columns, size_t n, dm_gather *gathers, dm_error *err) {
  dm_stmt *q = NULL;
  uint64_t rows = 0;
  dm_status s = prepare_scan(p, columns, n, &q, err);
  for (bool row = true; s == DM_OK;) {
    s = dm_stmt_step(q, &row, err);
    if (s != DM_OK || !row) break;
    for (size_t i = 0; i < n && s == DM_OK; i++) {
      if (gathers[i].over) continue;
      dm_value v = dm_stmt_value(q, (int)i);
      s = dm_gather_add(&gathers[i], &v, err);
    }
    if (++rows % CHECK_EVERY == 0 && s == DM_OK) {
      s = dm_ctx_check(p->ctx, err);
      dm_progress(p->ctx, "profile", (double)rows, (double)p->out.rows, "rows");
    }
  }
  dm_stmt_free(q);
  p->out.rows = rows;
  return s;
}

/* ---- by SQLite ---- */

static dm_status sql_groups(profiler *p, size_t column, dm_figures *f, dm_error *err) {
  dm_stmt *q = NULL;
  const char *name = p->names[column];
  char *sql = dm_arena_printf(p->arena, err,
                              "SELECT %s, count(*) FROM %s WHERE %s IS NOT NULL GROUP BY %s COLLATE BINARY ORDER BY %s COLLATE BINARY", name,
                              p->sql_table, name, name, name);
  dm_status s = sql ? dm_stmt_prepare(p->store, sql, &q, err) : DM_EBUDGET;
  uint64_t groups = 0;
  for (bool row = true; s == DM_OK;) {
    s = dm_stmt_step(q, &row, err);
    if (s != DM_OK || !row) break;
    s = dm_figures_add(f, dm_stmt_value(q, 0), (uint64_t)dm_stmt_int(q, 1), err);
    if (++groups % CHECK_EVERY == 0 && s == DM_OK) s = dm_ctx_check(p->ctx, err);
  }
  dm_stmt_free(q);
  return s;
}

static double number_of(dm_value v) { return v.type == DM_INTEGER ? (double)v.integer : v.type == DM_REAL ? v.real : (double)NAN; }

static dm_status column_by_sql(profiler *p, size_t column, dm_profile_column *out, dm_error *err) {
  dm_stmt *q = NULL;
  bool row = false;
  dm_figures f;
  const char *name = p->names[column];
  char *sql = dm_arena_printf(p->arena, err,
                              "SELECT count(*), count(v), count(x), min(x), max(x) FROM (SELECT %s AS v,"
                              " CASE WHEN typeof(%s) IN ('integer', 'real') THEN %s END AS x FROM %s)", name, name, name, p->sql_table);
  dm_status s = sql ? dm_stmt_prepare(p->store, sql, &q, err) : DM_EBUDGET;
  if (s == DM_OK) s = dm_stmt_step(q, &row, err);
  if (s != DM_OK) {
    dm_stmt_free(q);
    return s;
  }
  out->rows = (uint64_t)dm_stmt_int(q, 0);
  out->missing = out->rows - (uint64_t)dm_stmt_int(q, 1);
  dm_figures_begin(&f, p->ctx, &p->table.columns[column], (uint64_t)dm_stmt_int(q, 2), number_of(dm_stmt_value(q, 3)),
                   number_of(dm_stmt_value(q, 4)), out);
  dm_stmt_free(q);
  s = sql_groups(p, column, &f, err);
  if (s == DM_OK) return dm_figures_end(&f, p->arena, err);
  dm_figures_clear(&f);
  return s;
}

/* ---- columns ---- */

static dm_status finish_column(profiler *p, size_t column, dm_gather *g, bool last, bool *again, dm_error *err) {
  dm_profile_column *out = &p->out.columns[column];
  dm_figures f;
  double min = 0, max = 0;
  dm_status s = dm_gather_sort(g, err);
  if (s != DM_OK) return s;
  if (g->over) {
    *again = !last;
    return last ? column_by_sql(p, column, out, err) : DM_OK;
  }
  out->rows = p->out.rows;
  out->missing = g->missing;
  bool numbers = dm_gather_range(g, &min, &max);
  dm_figures_begin(&f, p->ctx, &p->table.columns[column], numbers ? g->n : 0, min, max, out);
  s = dm_gather_each(g, dm_figures_add, &f, err);
  if (s == DM_OK) return dm_figures_end(&f, p->arena, err);
  dm_figures_clear(&f);
  return s;
}

/* One scan over the first n pending columns; those that need more room go to the end of the list. */
static dm_status one_round(profiler *p, size_t n, dm_error *err) {
  dm_gather gathers[AT_ONCE];
  size_t columns[AT_ONCE], left = 0;
  for (size_t i = 0; i < n; i++) {
    columns[i] = p->pending[i];
    dm_gather_init(&gathers[i], p->ctx, room(p) / n);
  }
  for (size_t i = n; i < p->n_pending; i++) p->pending[left++] = p->pending[i];
  dm_status s = scan(p, columns, n, gathers, err);
  for (size_t i = 0; i < n; i++) {
    bool again = false;
    if (s == DM_OK) s = finish_column(p, columns[i], &gathers[i], n == 1, &again, err);
    if (again) p->pending[left++] = columns[i];
    dm_gather_clear(&gathers[i]);
  }
  p->n_pending = left;
  return s;
}

static dm_status profile_columns(profiler *p, dm_error *err) {
  dm_status s = DM_OK;
  size_t fresh = p->table.n_columns, at_once = AT_ONCE;
  p->n_pending = fresh;
  for (size_t i = 0; i < fresh; i++) p->pending[i] = i;
  if (fresh == 0) {
    char *sql = dm_arena_printf(p->arena, err, "SELECT count(*) FROM %s", p->sql_table);
    int64_t rows = 0;
    s = sql ? dm_clean_query_int(p->store, sql, NULL, 0, 0, &rows, err) : DM_EBUDGET;
    p->out.rows = (uint64_t)rows;
  }
  while (p->n_pending && s == DM_OK) {
    if (fresh == 0) at_once = at_once > 4 ? at_once / 4 : 1; /* all were tried: fewer at a time */
    size_t n = fresh ? fresh : p->n_pending;
    if (n > at_once) n = at_once;
    if (fresh && n > fresh) n = fresh;
    s = one_round(p, n, err);
    fresh -= fresh ? n : 0;
  }
  return s;
}

static dm_status find_target(profiler *p, const char *target, dm_error *err) {
  p->out.target = SIZE_MAX;
  if (!target) return DM_OK;
  p->out.target = dm_table_find(&p->table, target);
  if (p->out.target != SIZE_MAX) return DM_OK;
  (void)dm_fail(err, DM_EUSAGE, "table '%s' has no column '%s'", p->table.name, target);
  const char **names = dm_arena_alloc(p->arena, p->table.n_columns, sizeof *names, NULL);
  for (size_t i = 0; names && i < p->table.n_columns; i++) names[i] = p->table.columns[i].name;
  const char *near = names ? dm_text_nearest(target, names, p->table.n_columns) : NULL;
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  return DM_EUSAGE;
}

static dm_status prepare(profiler *p, const char *table, const char *target, dm_error *err) {
  dm_status s = dm_store_table(p->store, table, p->arena, &p->table, err);
  if (s == DM_OK) s = find_target(p, target, err);
  if (s != DM_OK) return s;
  size_t n = p->table.n_columns;
  p->out.table = p->table.name;
  p->out.n_columns = n;
  p->out.columns = dm_arena_alloc(p->arena, n, sizeof *p->out.columns, err);
  p->names = dm_arena_alloc(p->arena, n, sizeof *p->names, err);
  p->pending = dm_arena_alloc(p->arena, n, sizeof *p->pending, err);
  char *quoted = dm_clean_quote(p->arena, p->table.name, err);
  p->sql_table = quoted ? dm_arena_printf(p->arena, err, "main.%s", quoted) : NULL;
  if (!p->out.columns || !p->names || !p->pending || !p->sql_table) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) {
    p->out.columns[i].name = p->table.columns[i].name;
    p->out.columns[i].type = p->table.columns[i].type;
    p->names[i] = dm_clean_quote(p->arena, p->table.columns[i].name, err);
    if (!p->names[i]) return DM_EBUDGET;
  }
  return DM_OK;
}

dm_status dm_profile_table(dm_store *store, const char *table, const char *target, dm_arena *arena, dm_profile *out, dm_error *err) {
  profiler p = {.store = store, .ctx = dm_store_ctx(store), .arena = arena};
  dm_status s = dm_store_snapshot(store, err);
  if (s != DM_OK) return s;
  s = prepare(&p, table, target, err);
  if (s == DM_OK) s = profile_columns(&p, err);
  dm_store_snapshot_end(store);
  if (s == DM_OK) *out = p.out;
  return s;
}
