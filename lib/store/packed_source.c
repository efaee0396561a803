/* Whether and until when what a SELECT gives can be kept; see packed.h. */
#include "store/packed.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ---- the state of the file --------------------------------------------------------------- */

/* Bytes of the header; see https://www.sqlite.org/fileformat2.html */
enum { HEADER = 100, FORMAT_WRITE = 18, FORMAT_READ = 19, CHANGE = 24, COOKIE = 40, NOT_WAL = 1 };

static uint32_t big_endian(const unsigned char *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

/* Through SQLite's own handle: closing a second one would drop the locks of the first. */
static bool read_header(dm_store *store, unsigned char header[HEADER]) {
  sqlite3_file *file = NULL;
  if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file || !file->pMethods) return false;
  return file->pMethods->xRead(file, header, HEADER, 0) == SQLITE_OK;
}

dm_file_state dm_store_file_state(dm_store *store) {
  unsigned char header[HEADER];
  struct stat st;
  const char *path = sqlite3_db_filename(store->db, "main");
  if (!store->owned || !path || !*path || stat(path, &st) != 0 || !read_header(store, header)) return (dm_file_state){0};
  return (dm_file_state){
      .counts = header[FORMAT_WRITE] == NOT_WAL && header[FORMAT_READ] == NOT_WAL,
      .change = big_endian(header + CHANGE),
      .cookie = big_endian(header + COOKIE),
      .device = st.st_dev,
      .inode = st.st_ino,
      .written = (int64_t)st.st_mtim.tv_sec,
  };
}

/* ---- what a SELECT depends on ------------------------------------------------------------- */

/* Functions of SQLite whose result depends on their arguments alone; sorted. */
static const char *const known[] = {
    "->", "->>", "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "avg", "ceil", "ceiling", "char", "coalesce", "cos",
    "cosh", "count", "cume_dist", "degrees", "dense_rank", "exp", "first_value", "floor", "format", "glob", "group_concat", "hex", "ifnull",
    "iif", "instr", "json", "json_array", "json_array_length", "json_extract", "json_group_array", "json_group_object", "json_object",
    "json_quote", "json_type", "json_valid", "lag", "last_value", "lead", "length", "like", "likelihood", "likely", "ln", "log", "log10",
    "log2", "lower", "ltrim", "max", "min", "mod", "nth_value", "ntile", "nullif", "percent_rank", "pi", "pow", "power", "printf", "quote",
    "radians", "rank", "replace", "round", "row_number", "rtrim", "sign", "sin", "sinh", "sqrt", "substr", "substring", "sum", "tan",
    "tanh", "total", "trim", "trunc", "typeof", "unicode", "unlikely", "upper", "zeroblob"};

enum { TABLES_MAX = 32 };

typedef struct facts {
  bool keep;
  size_t n_tables;
  char tables[TABLES_MAX][128]; /* of main that are read */
} facts;

static int by_text(const void *a, const void *b) { return strcasecmp(*(const char *const *)a, *(const char *const *)b); }

static bool is_known(const char *function) {
  return bsearch(&function, known, sizeof known / sizeof *known, sizeof *known, by_text) != NULL;
}

/* Tables that give nothing of their own. */
static bool is_plain_function(const char *table) { return strcasecmp(table, "json_each") == 0 || strcasecmp(table, "json_tree") == 0; }

static bool add_table(facts *f, const char *table) {
  if (strncasecmp(table, "dm_", 3) == 0 || strncasecmp(table, "sqlite_", 7) == 0) return false; /* what dm writes without a new look */
  for (size_t i = 0; i < f->n_tables; i++)
    if (strcasecmp(f->tables[i], table) == 0) return true;
  if (f->n_tables == TABLES_MAX || strlen(table) >= sizeof f->tables[0]) return false;
  memcpy(f->tables[f->n_tables++], table, strlen(table) + 1);
  return true;
}

static int on_access(void *user, int action, const char *a, const char *b, const char *database, const char *within) {
  facts *f = user;
  (void)within;
  switch (action) {
  case SQLITE_SELECT:
  case SQLITE_RECURSIVE: return SQLITE_OK;
  case SQLITE_READ:
    if (!a || !database || strcmp(database, "main") != 0 || (!is_plain_function(a) && !add_table(f, a))) f->keep = false;
    return SQLITE_OK;
  case SQLITE_FUNCTION:
    if (!b || !is_known(b)) f->keep = false;
    return SQLITE_OK;
  default: f->keep = false; return SQLITE_OK;
  }
}

/* Tables and views that are rows of this file; a virtual table may bring others. */
static dm_status check_table(dm_store *store, const char *name, bool *plain, dm_error *err) {
  dm_stmt *s = NULL;
  bool row = false;
  dm_status status = dm_stmt_prepare(
      store, "SELECT 1 FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE AND (type = 'view' OR (type = 'table' AND rootpage > 0))", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 1, name, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK) *plain = row;
  dm_stmt_free(s);
  return status;
}

dm_status dm_packed_can_keep(dm_store *store, const char *sql, bool *can, dm_error *err) {
  facts f = {.keep = store->owned};
  dm_stmt *s = NULL;
  *can = false;
  if (!f.keep) return DM_OK; /* who owns the connection may have an authorizer, and functions */
  (void)sqlite3_set_authorizer(store->db, on_access, &f);
  dm_status status = dm_stmt_prepare(store, sql, &s, err);
  (void)sqlite3_set_authorizer(store->db, NULL, NULL);
  dm_stmt_free(s);
  for (size_t i = 0; status == DM_OK && f.keep && i < f.n_tables; i++) status = check_table(store, f.tables[i], &f.keep, err);
  if (status == DM_OK) *can = f.keep;
  return status;
}
