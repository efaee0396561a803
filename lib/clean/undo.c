/*
 * Undo: the entries of a run, from the highest id down, put back what they say
 * was there before (run.h has their meaning). Nobody else may depend on what
 * goes: no later run that stands, which is looked at first, and no hand that
 * wrote into the table since: then what an entry says it wrote is not there when
 * its turn comes, and all is rolled back.
 */
#include "clean/run.h"
#include "clean/sql_text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef enum kind { CELLS, ROWS, DEFINITION } kind;

/* Entries of one rule and column with consecutive ids. */
typedef struct segment {
  kind kind;
  const char *rule, *column;
  int64_t from, to; /* ids, both included */
  uint64_t n;
  bool done;        /* put back together with another segment */
} segment;

typedef struct undo {
  dm_store *store;
  dm_arena *memory;
  int64_t run_id;
  const char *command, *status, *table;
  const char *sql_table;
  size_t n, capacity;
  segment *segments; /* ascending ids */
} undo;

/* ---- the run ---- */

static dm_status read_run(undo *u, dm_error *err) {
  dm_value id = dm_clean_int(u->run_id);
  bool recorded = false;
  dm_status s = dm_store_has_schema(u->store, &recorded, err);
  if (recorded) {
    s = dm_clean_query_text(u->store, u->memory, "SELECT command FROM main.dm_run WHERE id = ?1", &id, 1, &u->command, err);
    if (s == DM_OK) s = dm_clean_query_text(u->store, u->memory, "SELECT status FROM main.dm_run WHERE id = ?1", &id, 1, &u->status, err);
    if (s == DM_OK)
      s = dm_clean_query_text(u->store, u->memory,
                              "SELECT coalesce((SELECT table_name FROM main.dm_change WHERE run_id = ?1 LIMIT 1),"
                              " json_extract(arguments, '$.table')) FROM main.dm_run WHERE id = ?1",
                              &id, 1, &u->table, err);
  }
  if (s == DM_OK && !u->command) {
    s = dm_fail(err, DM_EUSAGE, "there is no run %lld", (long long)u->run_id);
    dm_error_hint(err, "dm-clean history lists the runs");
  }
  return s;
}

static dm_status check_run(undo *u, dm_error *err) {
  long long id = (long long)u->run_id;
  if (strcmp(u->status, "undone") == 0) return dm_fail(err, DM_EUSAGE, "run %lld is undone already", id);
  if (strcmp(u->status, "replaced") == 0)
    return dm_fail(err, DM_EUSAGE, "run %lld cannot be undone: its table was replaced by an import since", id);
  if (strcmp(u->command, "undo") == 0) {
    (void)dm_fail(err, DM_EUSAGE, "run %lld is an undo itself", id);
    dm_error_hint(err, "apply the recipe again to have its changes back");
    return DM_EUSAGE;
  }
  if (strcmp(u->command, "import") == 0) {
    (void)dm_fail(err, DM_EUSAGE, "run %lld is an import: undoing it would lose the table", id);
    dm_error_hint(err, "import again with --replace, or drop the table");
    return DM_EUSAGE;
  }
  if (strcmp(u->command, "apply") != 0 && u->n == 0)
    return dm_fail(err, DM_EUSAGE, "run %lld (%s) changed no cells", id, u->command);
  if (strcmp(u->status, "done") != 0) return dm_fail(err, DM_EUSAGE, "run %lld is '%s', want 'done'", id, u->status);
  return DM_OK;
}

/* ---- its entries ---- */

static dm_status add_segment(undo *u, const segment *s, dm_error *err) {
  if (u->n == u->capacity) {
    size_t capacity = u->capacity ? u->capacity * 2 : 32;
    segment *more = dm_arena_alloc(u->memory, capacity, sizeof *more, err);
    if (!more) return DM_EBUDGET;
    if (u->n) memcpy(more, u->segments, u->n * sizeof *more);
    u->segments = more;
    u->capacity = capacity;
  }
  segment copy = *s;
  copy.rule = dm_arena_strdup(u->memory, s->rule, strlen(s->rule), err);
  copy.column = copy.rule ? dm_arena_strdup(u->memory, s->column, strlen(s->column), err) : NULL;
  if (!copy.column) return DM_EBUDGET;
  u->segments[u->n++] = copy;
  return DM_OK;
}

static dm_status read_segments(undo *u, dm_error *err) {
  dm_stmt *q = NULL;
  dm_status s = dm_stmt_prepare(u->store, "SELECT id, rule, column, row_id FROM main.dm_change WHERE run_id = ?1 ORDER BY id", &q, err);
  if (s == DM_OK) s = dm_stmt_bind_int(q, 1, u->run_id, err);
  for (bool row = true; s == DM_OK;) {
    s = dm_stmt_step(q, &row, err);
    if (s != DM_OK || !row) break;
    dm_value rule = dm_stmt_value(q, 1), column = dm_stmt_value(q, 2); /* NUL-ended, as SQLite gives texts */
    int64_t id = dm_stmt_int(q, 0);
    kind k = dm_stmt_int(q, 3) == 0 ? DEFINITION : column.text.n == 0 ? ROWS : CELLS;
    segment *last = u->n ? &u->segments[u->n - 1] : NULL;
    if (last && last->kind == k && k != DEFINITION && last->to + 1 == id && strcmp(last->rule, rule.text.p) == 0 &&
        strcmp(last->column, column.text.p) == 0) {
      last->to = id;
      last->n++;
      continue;
    }
    segment new = {.kind = k, .rule = rule.text.p, .column = column.text.p, .from = id, .to = id, .n = 1};
    s = add_segment(u, &new, err);
  }
  dm_stmt_free(q);
  return s;
}

/* ---- who depends on them ---- */

/*
 * Standing runs after this one on its table. A '+' keeps SQLite, which knows
 * nothing of how many entries a run has, off the index by run or id: the one
 * by cell finds a row's few entries.
 */
#define LATER                                                                                                                              \
  "FROM main.dm_change AS l JOIN main.dm_run AS r ON r.id = l.run_id AND r.status = 'done'"                                                \
  " WHERE l.run_id > ?1 AND +l.table_name = ?2"

static dm_status check_later(undo *u, dm_error *err) {
  static const char sql[] =
      "SELECT DISTINCT l.run_id " LATER
      " AND EXISTS (SELECT 1 FROM main.dm_change AS n WHERE n.table_name = ?2 AND n.row_id = 0 AND n.column = l.column AND +n.run_id = ?1)"
      " UNION SELECT DISTINCT l.run_id " LATER
      " AND l.row_id = 0 AND EXISTS (SELECT 1 FROM main.dm_change AS n WHERE n.run_id = ?1 AND n.column = l.column)"
      " UNION SELECT DISTINCT l.run_id " LATER
      " AND l.row_id > 0 AND EXISTS (SELECT 1 FROM main.dm_change AS n WHERE n.table_name = ?2 AND n.row_id = l.row_id"
      "  AND +n.run_id = ?1 AND (n.column = l.column OR l.column = ''))"
      " ORDER BY 1";
  dm_stmt *q = NULL;
  char list[256] = "";
  size_t n = 0, at = 0;
  long long last = 0;
  dm_status s = dm_stmt_prepare(u->store, sql, &q, err);
  if (s == DM_OK) s = dm_stmt_bind_int(q, 1, u->run_id, err);
  if (s == DM_OK) s = dm_stmt_bind_text(q, 2, u->table, err);
  for (bool row = true; s == DM_OK;) {
    s = dm_stmt_step(q, &row, err);
    if (s != DM_OK || !row) break;
    last = (long long)dm_stmt_int(q, 0);
    int k = at < sizeof list ? snprintf(list + at, sizeof list - at, "%s%lld", n ? ", " : "", last) : 0;
    at += k > 0 ? (size_t)k : 0;
    n++;
  }
  dm_stmt_free(q);
  if (s != DM_OK || n == 0) return s;
  (void)dm_fail(err, DM_EUSAGE, "run %lld cannot be undone: run%s %s changed cells, rows or columns of it later", (long long)u->run_id,
                n == 1 ? "" : "s", list);
  dm_error_hint(err, "undo run %lld first", last);
  return DM_EUSAGE;
}

/* The first of a segment's rows for which a condition over dm_c (the entry) and dm_t (the row, if any) holds. */
static dm_status refuse_where(undo *u, const segment *g, const char *condition, const char *what, dm_error *err) {
  int64_t row = 0;
  char *sql = dm_arena_printf(u->memory, err,
                              "SELECT dm_c.row_id FROM main.dm_change AS dm_c LEFT JOIN %s AS dm_t ON dm_t.dm_id = dm_c.row_id"
                              " WHERE dm_c.id BETWEEN ?1 AND ?2 AND %s LIMIT 1",
                              u->sql_table, condition);
  if (!sql) return DM_EBUDGET;
  dm_value v[2] = {dm_clean_int(g->from), dm_clean_int(g->to)};
  dm_status s = dm_clean_query_int(u->store, sql, v, 2, 0, &row, err);
  if (s != DM_OK || row == 0) return s;
  (void)dm_fail(err, DM_EUSAGE, "run %lld cannot be undone: row %lld%s%s %s since, not by dm", (long long)u->run_id, (long long)row,
                *g->column ? ", column " : "", g->column, what);
  dm_error_hint(err, "undoing would lose that change; put the cell back by hand first");
  return DM_EUSAGE;
}

/* Is a cell segment part of removed rows? Then the markers of its rule follow. */
static const segment *markers_of(const undo *u, const segment *g) {
  for (const segment *m = g + 1; m < u->segments + u->n && strcmp(m->rule, g->rule) == 0; m++)
    if (m->kind == ROWS) return m;
  return NULL;
}

/* A definition must be what the column is now: an import that appended may have widened it. */
static dm_status check_definition(undo *u, const segment *g, dm_error *err) {
  const char *now = NULL;
  int64_t same = 0;
  dm_status s = dm_clean_definition(u->store, u->table, g->column, u->memory, &now, err);
  dm_value v[2] = {dm_clean_int(g->from), dm_clean_text(now)};
  if (s == DM_OK)
    s = dm_clean_query_int(u->store,
                           "SELECT json_extract(new, '$.declared') = json_extract(?2, '$.declared') FROM main.dm_change WHERE id = ?1", v, 2, 0,
                           &same, err);
  if (s == DM_EINTERNAL || (s == DM_OK && !same)) {
    s = dm_fail(err, DM_EUSAGE, "run %lld cannot be undone: column '%s' got another type since, or is gone", (long long)u->run_id, g->column);
    dm_error_hint(err, "undo the run that changed it, or import the table again");
  }
  return s;
}

/* Cells must hold the new (or old) value of their entry. */
static dm_status check_cells(undo *u, const segment *g, const char *which, dm_error *err) {
  char *name = dm_clean_quote(u->memory, g->column, err);
  char *condition = name ? dm_arena_printf(u->memory, err, "(dm_t.dm_id IS NULL OR dm_t.%s COLLATE BINARY IS NOT dm_c.%s)", name, which) : NULL;
  return condition ? refuse_where(u, g, condition, "was changed", err) : DM_EBUDGET;
}

/* ---- putting back ---- */

/* Only cells that hold what the run wrote are put back; when that were not all, somebody changed the others. */
static dm_status restore_cells(undo *u, const segment *g, dm_error *err) {
  char *name = dm_clean_quote(u->memory, g->column, err);
  if (!name) return DM_EBUDGET;
  dm_status s = dm_store_exec(u->store, err,
                              "UPDATE %s AS dm_t SET %s = dm_c.old FROM main.dm_change AS dm_c WHERE dm_c.id >= %lld AND dm_c.id <= %lld"
                              " AND dm_t.dm_id = dm_c.row_id AND dm_t.%s COLLATE BINARY IS dm_c.new",
                              u->sql_table, name, (long long)g->from, (long long)g->to, name);
  if (s != DM_OK || (uint64_t)dm_store_changes(u->store) == g->n) return s;
  return check_cells(u, g, "old", err);
}

/* Removed rows come back whole: one INSERT whose cells are looked up in the log. */
static dm_status restore_rows(undo *u, segment *markers, dm_error *err) {
  dm_buf names, cells;
  dm_status s = refuse_where(u, markers, "dm_t.dm_id IS NOT NULL", "was inserted", err);
  dm_buf_init(&names, dm_store_ctx(u->store), err);
  dm_buf_init(&cells, dm_store_ctx(u->store), err);
  for (segment *g = markers; g-- > u->segments && strcmp(g->rule, markers->rule) == 0 && s == DM_OK;) {
    if (g->kind != CELLS) continue;
    g->done = true;
    char *name = dm_clean_quote(u->memory, g->column, err);
    if (!name) s = DM_EBUDGET;
    else dm_buf_printf(&names, ", %s", name);
    if (s == DM_OK) s = dm_sql_append(&cells, err,
                                      ", (SELECT dm_c.old FROM main.dm_change AS dm_c WHERE dm_c.table_name = dm_m.table_name"
                                      " AND dm_c.row_id = dm_m.row_id AND dm_c.column = %Q AND +dm_c.id BETWEEN %lld AND %lld)",
                                      g->column, (long long)g->from, (long long)g->to);
  }
  if (s == DM_OK) s = dm_buf_status(&names);
  if (s == DM_OK)
    s = dm_store_exec(u->store, err, "INSERT INTO %s(dm_id%s) SELECT dm_m.row_id%s FROM main.dm_change AS dm_m WHERE dm_m.id BETWEEN %lld AND %lld",
                      u->sql_table, names.p ? names.p : "", cells.p ? cells.p : "", (long long)markers->from, (long long)markers->to);
  dm_buf_clear(&names);
  dm_buf_clear(&cells);
  return s;
}

static dm_status drop_column(undo *u, const segment *g, dm_error *err) {
  char *name = dm_clean_quote(u->memory, g->column, err);
  if (!name) return DM_EBUDGET;
  dm_status s = dm_store_exec(u->store, err, "ALTER TABLE %s DROP COLUMN %s", u->sql_table, name);
  if (s == DM_EINPUT || s == DM_EUSAGE) dm_error_hint(err, "a view or index that uses column '%s' must go first", g->column);
  return s == DM_OK ? dm_clean_restore_meta(u->store, u->table, g->column, NULL, err) : s;
}

static dm_status restore_definition(undo *u, segment *g, dm_error *err) {
  const char *old, *declared, *other;
  int64_t logged = 0;
  dm_value id = dm_clean_int(g->from);
  dm_status s = check_definition(u, g, err);
  if (s == DM_OK) s = dm_clean_query_text(u->store, u->memory, "SELECT old FROM main.dm_change WHERE id = ?1", &id, 1, &old, err);
  if (s != DM_OK) return s;
  if (!old) return drop_column(u, g, err);
  s = dm_clean_query_text(u->store, u->memory, "SELECT json_extract(old, '$.declared') FROM main.dm_change WHERE id = ?1", &id, 1, &declared, err);
  if (s == DM_OK)
    s = dm_clean_query_text(u->store, u->memory, "SELECT json_extract(new, '$.declared') FROM main.dm_change WHERE id = ?1", &id, 1, &other, err);
  if (s == DM_OK)
    s = dm_clean_query_int(u->store, "SELECT json_extract(new, '$.logged') FROM main.dm_change WHERE id = ?1", &id, 1, 0, &logged, err);
  if (s != DM_OK) return s;
  if (!declared || !other) return dm_fail(err, DM_EINPUT, "dm_change entry %lld is not a definition of a column", (long long)g->from);
  dm_clean_source source = {logged ? g->rule : NULL, u->run_id, true};
  if (logged && g > u->segments && g[-1].kind == CELLS && strcmp(g[-1].rule, g->rule) == 0 && strcasecmp(g[-1].column, g->column) == 0) {
    g[-1].done = true;
    s = check_cells(u, &g[-1], "new", err);
  }
  if (s == DM_OK && strcmp(declared, other) != 0) s = dm_clean_retype(u->store, u->table, g->column, declared, &source, err);
  return s == DM_OK ? dm_clean_restore_meta(u->store, u->table, g->column, old, err) : s;
}

/* ---- the whole ---- */

/* The line of the result that a segment counts in: one for each rule, in the order of undoing. */
static dm_step_result *result_of(dm_apply_result *r, const char *rule, dm_arena *arena, dm_error *err) {
  if (r->n_steps && strcmp(r->steps[r->n_steps - 1].rule, rule) == 0) return &r->steps[r->n_steps - 1];
  char *copy = dm_arena_strdup(arena, rule, strlen(rule), err);
  if (!copy) return NULL;
  const char *colon = strchr(copy, ':');
  r->steps[r->n_steps] = (dm_step_result){.rule = copy, .step = colon ? colon + 1 : copy, .detail = "undone"};
  return &r->steps[r->n_steps++];
}

static dm_status put_back(undo *u, dm_arena *arena, dm_apply_result *result, dm_error *err) {
  result->steps = dm_arena_alloc(arena, u->n, sizeof *result->steps, err);
  if (!result->steps) return DM_EBUDGET;
  dm_status s = DM_OK;
  for (size_t i = u->n; i-- > 0 && s == DM_OK;) {
    segment *g = &u->segments[i];
    dm_step_result *step = result_of(result, g->rule, arena, err);
    if (!step) return DM_EBUDGET;
    if (g->kind == ROWS) {
      step->rows_removed += g->n;
      s = restore_rows(u, g, err);
    } else if (g->kind == DEFINITION) {
      s = restore_definition(u, g, err);
    } else if (!markers_of(u, g)) {
      step->cells_changed += g->n;
      if (!g->done) s = restore_cells(u, g, err);
    }
    if (s == DM_OK) s = dm_ctx_check(dm_store_ctx(u->store), err);
  }
  return s;
}

static dm_status count_rows(undo *u, uint64_t *out, dm_error *err) {
  int64_t n = 0;
  char *sql = dm_arena_printf(u->memory, err, "SELECT count(*) FROM %s", u->sql_table);
  if (!sql) return DM_EBUDGET;
  dm_status s = dm_clean_query_int(u->store, sql, NULL, 0, 0, &n, err);
  if (s == DM_OK) *out = (uint64_t)n;
  return s;
}

static dm_status open_table(undo *u, dm_arena *arena, dm_apply_result *result, dm_error *err) {
  dm_table table;
  dm_status s = dm_store_table(u->store, u->table, u->memory, &table, err);
  if (s == DM_OK) s = dm_clean_check_table(u->store, &table, u->memory, err);
  if (s != DM_OK) return s;
  u->table = table.name;
  char *quoted = dm_clean_quote(u->memory, u->table, err);
  u->sql_table = quoted ? dm_arena_printf(u->memory, err, "main.%s", quoted) : NULL;
  result->table = dm_arena_strdup(arena, u->table, strlen(u->table), err);
  return u->sql_table && result->table ? DM_OK : DM_EBUDGET;
}

static dm_status run_undo(undo *u, dm_arena *arena, dm_apply_result *result, dm_error *err) {
  dm_status s = read_run(u, err);
  if (s == DM_OK) s = read_segments(u, err);
  if (s == DM_OK) s = check_run(u, err);
  if (s == DM_OK) s = open_table(u, arena, result, err);
  if (s == DM_OK) s = check_later(u, err);
  if (s == DM_OK) s = count_rows(u, &result->rows_before, err);
  if (s == DM_OK) s = dm_run_start(u->store, "undo", "{}", NULL, &result->run_id, err);
  if (s == DM_OK) s = put_back(u, arena, result, err);
  if (s == DM_OK) s = count_rows(u, &result->rows_after, err);
  if (s == DM_OK)
    s = dm_store_exec(u->store, err, "UPDATE main.dm_run SET status = 'undone' WHERE id = %lld", (long long)u->run_id);
  if (s == DM_OK) s = dm_clean_write_arguments(u->store, result->run_id, NULL, u->run_id, result, err);
  return s == DM_OK ? dm_run_end(u->store, result->run_id, "done", err) : s;
}

static dm_status try_undo(dm_store *store, int64_t run_id, dm_arena *arena, dm_apply_result *out, dm_error *err) {
  undo u = {.store = store, .run_id = run_id};
  dm_apply_result result = {0};
  dm_status s = dm_arena_new(dm_store_ctx(store), 0, &u.memory, err);
  if (s == DM_OK) s = dm_store_begin(store, err);
  if (s == DM_OK) {
    s = run_undo(&u, arena, &result, err);
    if (s == DM_OK) s = dm_store_commit(store, err);
    if (s != DM_OK) dm_store_rollback(store);
  }
  dm_arena_free(u.memory);
  if (s == DM_OK) *out = result;
  return s;
}

/*
 * A refusal is looked at twice: where SQLite runs out of memory for a moment it
 * may take equal cells for different ones without saying so.
 */
dm_status dm_undo(dm_store *store, int64_t run_id, dm_arena *arena, dm_apply_result *out, dm_error *err) {
  dm_status s = try_undo(store, run_id, arena, out, err);
  if (s != DM_EUSAGE) return s;
  s = try_undo(store, run_id, arena, out, err);
  if (s == DM_OK) dm_error_clear(err);
  return s;
}
