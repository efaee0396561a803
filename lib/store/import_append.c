/*
 * Appending to a table: its columns are found by name (by place when the file
 * has no header), and types only widen. A column that must is rebuilt: each of
 * its cells, and those in dm_change, are printed in the column's own format,
 * so that they read as they did in the file they came from.
 */
#include "store/import_job.h"

#include <string.h>

/* ---- columns ------------------------------------------------------------------ */

static dm_status other_columns(const dm_import_job *job, const char *column, bool in_file, dm_error *err) {
  if (column)
    (void)dm_fail(err, DM_EUSAGE, "column '%s' is in %s, not in %s", column, in_file ? "the file" : "the table",
                  in_file ? "the table" : "the file");
  else
    (void)dm_fail(err, DM_EUSAGE, "the file has %zu columns, table '%s' has %zu", job->t->d, job->table, job->target.n_columns);
  dm_error_at(err, job->path, 0, 0);
  dm_error_hint(err, "--append needs the columns that the table has; --replace makes the table anew, --table NAME another one");
  return DM_EUSAGE;
}

static dm_status match_by_name(dm_import_job *job, dm_error *err) {
  for (size_t i = 0; i < job->t->d; i++) {
    job->places[i] = dm_table_find(&job->target, job->t->columns[i].name);
    if (job->places[i] == SIZE_MAX) return other_columns(job, job->t->columns[i].name, true, err);
  }
  for (size_t k = 0; k < job->target.n_columns; k++) {
    size_t n = 0;
    for (size_t i = 0; i < job->t->d; i++) n += job->places[i] == k;
    if (n != 1) return other_columns(job, job->target.columns[k].name, false, err);
  }
  return DM_OK;
}

dm_status dm_import_match(dm_import_job *job, dm_error *err) {
  dm_typed *t = job->t;
  if (!job->target.has_dm_id) {
    (void)dm_fail(err, DM_EUSAGE, "table '%s' has no column dm_id: it was not made by import", job->table);
    dm_error_hint(err, "import into another table with --table NAME, then join them in SQL");
    return DM_EUSAGE;
  }
  job->places = dm_arena_alloc(job->arena, t->d, sizeof *job->places, err);
  if (!job->places) return DM_EBUDGET;
  bool named = dm_csv_get_dialect(t->csv)->header || job->options->csv.n_columns;
  if (named) {
    dm_status s = match_by_name(job, err);
    if (s != DM_OK) return s;
  } else if (t->d != job->target.n_columns) {
    return other_columns(job, NULL, false, err);
  }
  for (size_t i = 0; i < t->d; i++) {
    if (!named) job->places[i] = i;
    const dm_table_column *column = &job->target.columns[job->places[i]];
    dm_typed_column *c = &t->columns[i];
    if (column->type != DM_INTEGER && column->type != DM_REAL && column->type != DM_TEXT)
      return dm_fail(err, DM_EUSAGE, "table '%s': column '%s' is %s, --append knows INTEGER, REAL and TEXT", job->table, column->name,
                     dm_type_name(column->type));
    job->names[i] = column->name;
    c->type = c->floor = column->type;
  }
  t->options.all_text = false; /* the table has types already */
  return dm_typed_rewind(t, err);
}

/* ---- types of old and new cells together ----------------------------------------- */

/* Shows the table's own cells to the typing of column i. */
static dm_status see_old_cells(dm_import_job *job, size_t i, dm_typing *typing, dm_error *err) {
  const dm_table_column *column = &job->target.columns[job->places[i]];
  dm_buf sql;
  dm_buf_init(&sql, job->store->ctx, err);
  dm_stmt *q = NULL;
  dm_status s = dm_sql_append(&sql, err, "SELECT \"%w\" FROM main.\"%w\" WHERE \"%w\" IS NOT NULL AND dm_id < %lld", column->name,
                              job->table, column->name, (long long)job->first_id);
  if (s == DM_OK) s = dm_stmt_prepare(job->store, sql.p, &q, err);
  bool row = true;
  while (s == DM_OK && (s = dm_stmt_step(q, &row, err)) == DM_OK && row) {
    char text[400];
    size_t n = dm_format_print(column->format, dm_stmt_value(q, 0), text, sizeof text);
    dm_typing_see(typing, text, n, column->format.quoted);
  }
  dm_stmt_free(q);
  dm_buf_clear(&sql);
  return s;
}

static bool same_number_format(dm_format a, dm_format b) { return a.kind == b.kind && a.decimals == b.decimals && a.bare == b.bare; }

/* Type and format of column i over the table and the file. */
static dm_status join_column(dm_import_job *job, size_t i, dm_type *type, dm_format *format, dm_error *err) {
  const dm_table_column *old = &job->target.columns[job->places[i]];
  const dm_typed_column *c = &job->t->columns[i];
  *type = dm_typed_found(c);
  *format = (dm_format){.kind = DM_FORMAT_NONE};
  if (*type == DM_TEXT || old->type == DM_TEXT) {
    *type = DM_TEXT;
    return DM_OK;
  }
  if (*type == DM_INTEGER) {
    format->kind = DM_FORMAT_INTEGER;
    return DM_OK;
  }
  *format = c->typing.n ? dm_typing_format(&c->typing) : old->format;
  if (old->type == DM_REAL && same_number_format(*format, old->format)) return DM_OK;
  dm_typing both = c->typing;
  dm_status s = see_old_cells(job, i, &both, err);
  *type = both.may_real ? DM_REAL : DM_TEXT;
  if (*type == DM_REAL) *format = dm_typing_format(&both);
  if (*type == DM_REAL && dm_typing_type(&both) == DM_INTEGER) format->kind = DM_FORMAT_SHORTEST_0;
  return s;
}

/* ---- rebuilding -------------------------------------------------------------------- */

/* dm_import_text(value, format): the number as it came. */
static void print_number(sqlite3_context *out, int argc, sqlite3_value **argv) {
  (void)argc;
  dm_format format;
  const char *name = (const char *)sqlite3_value_text(argv[1]);
  dm_value v = {.type = sqlite3_value_type(argv[0]) == SQLITE_INTEGER ? DM_INTEGER : DM_REAL};
  char text[400];
  if (sqlite3_value_type(argv[0]) == SQLITE_INTEGER)
    v.integer = sqlite3_value_int64(argv[0]);
  else if (sqlite3_value_type(argv[0]) == SQLITE_FLOAT)
    v.real = sqlite3_value_double(argv[0]);
  else {
    sqlite3_result_value(out, argv[0]);
    return;
  }
  if (!name || !dm_format_parse(name, &format)) format = (dm_format){.kind = DM_FORMAT_SHORTEST_0};
  size_t n = dm_format_print(format, v, text, sizeof text);
  sqlite3_result_text(out, text, (int)n, SQLITE_TRANSIENT);
}

/* What a rebuild would lose: constraints, defaults, generated columns that a user added. */
static dm_status check_plain(dm_import_job *job, dm_error *err) {
  dm_stmt *q = NULL;
  bool row = false;
  dm_status s = dm_stmt_prepare(job->store,
                                "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE lower(name) <> 'dm_id'"
                                " AND (\"notnull\" OR dflt_value IS NOT NULL OR pk OR hidden) LIMIT 1",
                                &q, err);
  if (s == DM_OK) s = dm_stmt_bind_text(q, 1, job->table, err);
  if (s == DM_OK) s = dm_stmt_step(q, &row, err);
  if (s == DM_OK && row) {
    s = dm_fail(err, DM_EUSAGE, "table '%s': column '%s' has a constraint or default, so that its table cannot be widened", job->table,
                dm_stmt_value(q, 0).text.p);
    dm_error_hint(err, "make the column that does not fit TEXT yourself, or import into another table with --table NAME");
  }
  dm_stmt_free(q);
  return s;
}

/* Indexes and triggers of the table, to be made again. */
static dm_status dependents(dm_import_job *job, dm_buf *out, dm_error *err) {
  dm_stmt *q = NULL;
  bool row = true;
  dm_status s = dm_stmt_prepare(
      job->store, "SELECT sql FROM main.sqlite_schema WHERE tbl_name = ?1 COLLATE NOCASE AND type IN ('index', 'trigger') AND sql NOT NULL",
      &q, err);
  if (s == DM_OK) s = dm_stmt_bind_text(q, 1, job->table, err);
  while (s == DM_OK && (s = dm_stmt_step(q, &row, err)) == DM_OK && row) {
    dm_value sql = dm_stmt_value(q, 0);
    dm_buf_add(out, sql.text.p, sql.text.n);
    dm_buf_adds(out, ";\n");
  }
  dm_stmt_free(q);
  return s == DM_OK ? dm_buf_status(out) : s;
}

/* Place in the file of column k of the table. */
static size_t place_in_file(const dm_import_job *job, size_t k) {
  size_t i = 0;
  while (job->places[i] != k) i++;
  return i;
}

static dm_status write_copy(dm_import_job *job, const dm_type *types, dm_buf *create, dm_buf *copy, dm_error *err) {
  dm_status s = dm_sql_append(create, err, "CREATE TABLE main.dm_import_widened(dm_id INTEGER PRIMARY KEY");
  if (s == DM_OK) s = dm_sql_append(copy, err, "INSERT INTO main.dm_import_widened SELECT dm_id");
  for (size_t k = 0; s == DM_OK && k < job->target.n_columns; k++) {
    const dm_table_column *old = &job->target.columns[k];
    size_t i = place_in_file(job, k);
    char format[32];
    dm_format_name(old->format, format);
    s = dm_sql_append(create, err, ",\"%w\" %s", old->name, dm_type_name(types[i]));
    if (s != DM_OK) break;
    if (types[i] == DM_TEXT && old->type != DM_TEXT)
      s = dm_sql_append(copy, err, ",dm_import_text(\"%w\",%Q)", old->name, format);
    else
      s = dm_sql_append(copy, err, ",\"%w\"", old->name);
  }
  if (s == DM_OK) s = dm_sql_append(create, err, ") STRICT");
  if (s == DM_OK) s = dm_sql_append(copy, err, " FROM main.\"%w\" ORDER BY dm_id", job->table);
  return s;
}

static dm_status widen_changes(dm_import_job *job, const dm_type *types, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < job->t->d; i++) {
    const dm_table_column *old = &job->target.columns[job->places[i]];
    if (types[i] != DM_TEXT || old->type == DM_TEXT) continue;
    char format[32];
    dm_format_name(old->format, format);
    s = dm_store_exec(job->store, err,
                      "UPDATE main.dm_change SET old = dm_import_text(old, %Q), new = dm_import_text(new, %Q)"
                      " WHERE table_name = %Q AND column = %Q",
                      format, format, job->table, old->name);
  }
  return s;
}

static dm_status swap_tables(dm_import_job *job, const char *again, dm_error *err) {
  dm_store *store = job->store;
  int legacy = 0;
  /* or a view of the table would stop the renaming while the table is away */
  (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, -1, &legacy);
  (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 1, NULL);
  dm_status s = dm_store_exec(store, err, "DROP TABLE main.\"%w\"", job->table);
  if (s == DM_OK) s = dm_store_exec(store, err, "ALTER TABLE main.dm_import_widened RENAME TO \"%w\"", job->table);
  (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, legacy, NULL);
  return s == DM_OK && *again ? dm_store_script(store, again, err) : s;
}

static dm_status rebuild(dm_import_job *job, const dm_type *types, dm_error *err) {
  dm_store *store = job->store;
  dm_buf create, copy, again;
  dm_buf_init(&create, store->ctx, err);
  dm_buf_init(&copy, store->ctx, err);
  dm_buf_init(&again, store->ctx, err);
  dm_buf_adds(&again, "");
  int rc = sqlite3_create_function_v2(store->db, "dm_import_text", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                      print_number, NULL, NULL, NULL);
  dm_status s = rc == SQLITE_OK ? check_plain(job, err) : dm_store_fail(store, rc, NULL, err);
  if (s == DM_OK) s = dependents(job, &again, err);
  if (s == DM_OK) s = write_copy(job, types, &create, &copy, err);
  if (s == DM_OK) s = dm_store_script(store, create.p, err);
  if (s == DM_OK) s = dm_store_script(store, copy.p, err);
  if (s == DM_OK) s = widen_changes(job, types, err);
  if (s == DM_OK) s = swap_tables(job, again.p, err);
  (void)sqlite3_create_function_v2(store->db, "dm_import_text", 2, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL);
  dm_buf_clear(&create);
  dm_buf_clear(&copy);
  dm_buf_clear(&again);
  return s;
}

static dm_status announce(dm_import_job *job, const dm_type *types, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < job->t->d; i++) {
    const dm_table_column *old = &job->target.columns[job->places[i]];
    const dm_typed_column *c = &job->t->columns[i];
    if (types[i] == old->type) continue;
    const char *from = dm_type_name(old->type), *to = dm_type_name(types[i]);
    if (c->change_line)
      s = dm_import_note(job, err, "column '%s': widened from %s to %s in the table, by %s:%llu ('%s')", old->name, from, to, job->path,
                         (unsigned long long)c->change_line, c->change_text);
    else
      s = dm_import_note(job, err, "column '%s': widened from %s to %s in the table: no one number format prints old and new cells",
                         old->name, from, to);
  }
  return s;
}

dm_status dm_import_join_types(dm_import_job *job, bool dry, bool *rebuilt, dm_error *err) {
  size_t d = job->t->d;
  dm_type *types = dm_arena_alloc(job->arena, d, sizeof *types, err);
  if (!types) return DM_EBUDGET;
  dm_status s = DM_OK;
  *rebuilt = false;
  for (size_t i = 0; s == DM_OK && i < d; i++) {
    const dm_table_column *old = &job->target.columns[job->places[i]];
    bool quoted = dm_typed_n_values(job->t, i) ? dm_typed_format(job->t, i).quoted && old->format.quoted : old->format.quoted;
    s = join_column(job, i, &types[i], &job->formats[i], err);
    job->formats[i].quoted = quoted;
    *rebuilt |= types[i] != old->type;
  }
  if (s != DM_OK || !*rebuilt || dry) return s;
  s = rebuild(job, types, err);
  if (s == DM_OK) s = announce(job, types, err);
  for (size_t i = 0; s == DM_OK && i < d; i++) {
    dm_table_column *column = &job->target.columns[job->places[i]];
    column->type = job->t->columns[i].type = job->t->columns[i].floor = types[i];
    column->format = job->formats[i];
  }
  return s;
}
