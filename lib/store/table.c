/* Tables of the user: what they are called, their columns, and SRC of the commands. */
#include "store/store.h"

#include <string.h>
#include <strings.h>

/* A table or view of main, as the schema spells it. */
typedef struct found {
  bool there, view, has_rowid;
  const char *name;
} found;

static dm_status look_up(dm_store *store, const char *name, dm_arena *arena, found *out, dm_error *err) {
  dm_stmt *s = NULL;
  bool row = false;
  *out = (found){false};
  dm_status status = dm_stmt_prepare(store, "SELECT name, type, wr FROM pragma_table_list(?1) WHERE schema = 'main'", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 1, name, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK && row) {
    dm_str spelt = dm_stmt_value(s, 0).text, type = dm_stmt_value(s, 1).text;
    out->there = true;
    out->view = dm_str_equal(type, dm_str_of("view"));
    out->has_rowid = dm_str_equal(type, dm_str_of("table")) && dm_stmt_int(s, 2) == 0;
    out->name = dm_arena_strdup(arena, spelt.p, spelt.n, err);
    if (!out->name) status = DM_EBUDGET;
  }
  dm_stmt_free(s);
  return status;
}

/* First column of all rows. */
static dm_status list_texts(dm_store *store, const char *sql, dm_arena *arena, const char *const **out, size_t *n, dm_error *err) {
  dm_stmt *s = NULL;
  const char **list = NULL;
  size_t count = 0, capacity = 0;
  dm_status status = dm_stmt_prepare(store, sql, &s, err);
  for (bool row; status == DM_OK;) {
    status = dm_stmt_step(s, &row, err);
    if (status != DM_OK || !row) break;
    if (count == capacity) {
      size_t more = capacity ? capacity * 2 : 16;
      const char **grown = dm_arena_alloc(arena, more, sizeof *grown, err);
      if (grown && count) memcpy(grown, list, count * sizeof *grown);
      list = grown;
      capacity = more;
    }
    dm_str text = dm_stmt_value(s, 0).text;
    if (!list || !(list[count++] = dm_arena_strdup(arena, text.p, text.n, err))) status = DM_EBUDGET;
  }
  dm_stmt_free(s);
  if (status != DM_OK) return status;
  *out = list;
  *n = count;
  return DM_OK;
}

#define NOT_OURS " AND name NOT LIKE 'dm\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"

dm_status dm_store_tables(dm_store *store, dm_arena *arena, const char *const **names, size_t *n, dm_error *err) {
  return list_texts(store,
                    "SELECT name FROM main.sqlite_schema AS s WHERE type = 'table'" NOT_OURS
                    " AND EXISTS (SELECT 1 FROM pragma_table_list(s.name) WHERE schema = 'main' AND type IN ('table', 'virtual'))"
                    " ORDER BY rowid",
                    arena, names, n, err);
}

static dm_status unknown_table(dm_store *store, const char *name, dm_error *err) {
  dm_arena *arena;
  const char *const *names;
  size_t n;
  if (dm_arena_new(store->ctx, 0, &arena, err) != DM_OK) return DM_EBUDGET;
  dm_status s = list_texts(store, "SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view')" NOT_OURS, arena, &names, &n, err);
  if (s == DM_OK) {
    const char *near = dm_text_nearest(name, names, n);
    s = dm_fail(err, DM_EUSAGE, "no such table: '%s'", name);
    if (near)
      dm_error_hint(err, "did you mean '%s'?", near);
    else if (strpbrk(name, "./"))
      dm_error_hint(err, "nor a file of that name");
    else if (n == 0)
      dm_error_hint(err, "the database has no tables yet: dm-clean import makes them");
  }
  dm_arena_free(arena);
  return s;
}

static bool contains(dm_str type, const char *word) {
  size_t n = strlen(word);
  for (size_t i = 0; i + n <= type.n; i++)
    if (strncasecmp(type.p + i, word, n) == 0) return true;
  return false;
}

/* SQLite's rules of affinity; NUMERIC counts as REAL, none and ANY as DM_NULL. */
static dm_type declared_type(dm_str type) {
  if (contains(type, "INT")) return DM_INTEGER;
  if (contains(type, "CHAR") || contains(type, "CLOB") || contains(type, "TEXT")) return DM_TEXT;
  if (contains(type, "BLOB")) return DM_BLOB;
  if (type.n == 0 || (type.n == 3 && contains(type, "ANY"))) return DM_NULL;
  return DM_REAL;
}

static dm_status read_column(const dm_stmt *s, dm_arena *arena, dm_table_column *c, dm_error *err) {
  dm_str name = dm_stmt_value(s, 0).text, format = dm_stmt_value(s, 2).text, null_text = dm_stmt_value(s, 3).text;
  c->type = declared_type(dm_stmt_value(s, 1).text);
  c->format.kind = c->type == DM_INTEGER ? DM_FORMAT_INTEGER : c->type == DM_REAL ? DM_FORMAT_SHORTEST : DM_FORMAT_NONE;
  if (format.n) (void)dm_format_parse(format.p, &c->format); /* SQLite's texts are NUL-ended */
  c->name = dm_arena_strdup(arena, name.p, name.n, err);
  c->null_text = dm_arena_strdup(arena, null_text.p, null_text.n, err);
  return c->name && c->null_text ? DM_OK : DM_EBUDGET;
}

/* Name, type, format and first missing marker of each column; generated columns too, hidden ones of virtual tables not. */
static const char columns_plain[] = "SELECT name, type, NULL, NULL FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 1 ORDER BY cid";
static const char columns_learned[] =
    "SELECT x.name, x.type, c.format, json_extract(c.missing_markers, '$[0]') FROM pragma_table_xinfo(?1, 'main') AS x"
    " LEFT JOIN main.dm_column AS c ON c.table_name = ?1 AND c.name = x.name WHERE x.hidden <> 1 ORDER BY x.cid";

static dm_status read_columns(dm_store *store, const found *f, dm_arena *arena, dm_table *out, dm_error *err) {
  dm_stmt *s = NULL;
  size_t capacity = 0;
  dm_table t = {.name = f->name};
  bool recorded = false;
  dm_status status = dm_store_has_schema(store, &recorded, err);
  if (status == DM_OK) status = dm_stmt_prepare(store, recorded ? columns_learned : columns_plain, &s, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 1, f->name, err);
  for (bool row; status == DM_OK;) {
    status = dm_stmt_step(s, &row, err);
    if (status != DM_OK || !row) break;
    if (t.n_columns == capacity) {
      size_t more = capacity ? capacity * 2 : 16;
      dm_table_column *grown = dm_arena_alloc(arena, more, sizeof *grown, err);
      if (!grown) {
        status = DM_EBUDGET;
        break;
      }
      if (capacity) memcpy(grown, t.columns, capacity * sizeof *grown);
      t.columns = grown;
      capacity = more;
    }
    dm_str name = dm_stmt_value(s, 0).text;
    if (name.n == 5 && strncasecmp(name.p, "dm_id", 5) == 0)
      t.has_dm_id = true;
    else
      status = read_column(s, arena, &t.columns[t.n_columns++], err);
  }
  dm_stmt_free(s);
  if (status == DM_OK) *out = t;
  return status;
}

dm_status dm_store_table(dm_store *store, const char *name, dm_arena *arena, dm_table *out, dm_error *err) {
  found f;
  dm_status s = look_up(store, name, arena, &f, err);
  if (s != DM_OK) return s;
  if (!f.there) return unknown_table(store, name, err);
  if (strncasecmp(f.name, "dm_", 3) == 0 || strncasecmp(f.name, "sqlite_", 7) == 0) {
    (void)dm_fail(err, DM_EUSAGE, "'%s' is not a table of yours: names with dm_ and sqlite_ are kept by the program", f.name);
    dm_error_hint(err, "it can be read with a SELECT");
    return DM_EUSAGE;
  }
  return read_columns(store, &f, arena, out, err);
}

size_t dm_table_find(const dm_table *table, const char *column) {
  for (size_t i = 0; i < table->n_columns; i++)
    if (strcasecmp(table->columns[i].name, column) == 0) return i;
  return SIZE_MAX;
}

/* ---- SRC -------------------------------------------------------------------------- */

/* The first word, past white space and comments, is SELECT, WITH or VALUES. */
static bool is_select(const char *p) {
  for (;;) {
    p += strspn(p, " \t\r\n\f");
    if (p[0] == '-' && p[1] == '-')
      p += strcspn(p, "\n");
    else if (p[0] == '/' && p[1] == '*') {
      const char *end = strstr(p + 2, "*/");
      if (!end) return false;
      p = end + 2;
    } else
      break;
  }
  static const char *const words[] = {"SELECT", "WITH", "VALUES"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t n = strlen(words[i]);
    char after = strncasecmp(p, words[i], n) == 0 ? p[n] : 'x';
    if (!(after == '_' || (after >= '0' && after <= '9') || (after >= 'a' && after <= 'z') || (after >= 'A' && after <= 'Z'))) return true;
  }
  return false;
}

static dm_status check_select(dm_store *store, const char *src, dm_arena *arena, const char **sql, dm_error *err) {
  dm_stmt *s = NULL;
  dm_status status = dm_stmt_prepare(store, src, &s, err);
  if (status != DM_OK) return status;
  if (!dm_stmt_is_read_only(s) || dm_stmt_n_columns(s) == 0)
    status = dm_fail(err, DM_EUSAGE, "SRC: the statement writes; want a SELECT");
  else if (sqlite3_bind_parameter_count(s->s) > 0)
    status = dm_fail(err, DM_EUSAGE, "SRC: the SELECT has parameters (%s), there are no values for them",
                     sqlite3_bind_parameter_name(s->s, 1) ? sqlite3_bind_parameter_name(s->s, 1) : "?");
  else {
    const char *text = sqlite3_sql(s->s); /* without what follows the statement */
    size_t n = strlen(text);
    while (n && strchr("; \t\r\n", text[n - 1])) n--;
    *sql = dm_arena_strdup(arena, text, n, err);
    if (!*sql) status = DM_EBUDGET;
  }
  dm_stmt_free(s);
  return status;
}

/*
 * Without an ORDER BY a scan may follow a covering index, and change with it:
 * rows come by dm_id, else by rowid where there is one that no column hides.
 */
static dm_status order_of(dm_store *store, const found *f, const char **order, dm_error *err) {
  static const char *const names[] = {"dm_id", "rowid", "_rowid_", "oid"};
  dm_stmt *s = NULL;
  dm_status status = dm_stmt_prepare(store, "SELECT 1 FROM pragma_table_xinfo(?1, 'main') WHERE name = ?2 COLLATE NOCASE", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 1, f->name, err);
  *order = NULL;
  for (size_t i = 0; status == DM_OK && i < sizeof names / sizeof *names && !*order; i++) {
    bool row = false;
    status = dm_stmt_bind_text(s, 2, names[i], err);
    if (status == DM_OK) status = dm_stmt_step(s, &row, err);
    if (status == DM_OK && row == (i == 0) && (i == 0 || f->has_rowid)) *order = names[i];
    if (status == DM_OK) status = dm_stmt_reset(s, err);
  }
  dm_stmt_free(s);
  return status;
}

dm_status dm_source_scan(dm_store *store, const char *src, dm_arena *arena, const char **table, const char **order, dm_error *err) {
  found f;
  *table = NULL;
  dm_status s = look_up(store, src, arena, &f, err);
  if (s != DM_OK || !f.there || !f.has_rowid) return s;
  s = order_of(store, &f, order, err);
  if (s == DM_OK && *order) *table = f.name;
  return s;
}

dm_status dm_source_sql(dm_store *store, const char *src, dm_arena *arena, const char **sql, dm_error *err) {
  found f;
  dm_status s = look_up(store, src, arena, &f, err);
  if (s != DM_OK) return s;
  if (!f.there) return is_select(src) ? check_select(store, src, arena, sql, err) : unknown_table(store, src, err);
  const char *order;
  s = order_of(store, &f, &order, err);
  if (s != DM_OK) return s;
  dm_buf text;
  dm_buf_init(&text, store->ctx, err);
  s = dm_sql_append(&text, err, "SELECT * FROM main.\"%w\"", f.name);
  if (s == DM_OK && order) s = dm_sql_append(&text, err, " ORDER BY %s", order);
  if (s == DM_OK) {
    const char *copy = dm_arena_strdup(arena, text.p, text.n, err);
    if (copy)
      *sql = copy;
    else
      s = DM_EBUDGET;
  }
  dm_buf_clear(&text);
  return s;
}
