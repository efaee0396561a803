/* Schema of the dm_ tables: one text for each version step, and who runs them. */
#include "store/schema.h"

#include "store/store.h"

static const char version_1[] =
    "CREATE TABLE dm_meta(key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE dm_source(\n"
    "  id INTEGER PRIMARY KEY, uri TEXT NOT NULL, format TEXT NOT NULL,\n"
    "  options TEXT NOT NULL CHECK(json_valid(options)), sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,\n"
    "  records INTEGER NOT NULL, accepted INTEGER NOT NULL, rejected INTEGER NOT NULL,\n"
    "  table_name TEXT NOT NULL, imported_at TEXT NOT NULL, run_id INTEGER REFERENCES dm_run(id)) STRICT;\n"
    "CREATE TABLE dm_column(\n"
    "  table_name TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE, type TEXT NOT NULL, role TEXT,\n"
    "  unit TEXT, format TEXT, missing_markers TEXT CHECK(missing_markers IS NULL OR json_valid(missing_markers)),\n"
    "  levels TEXT CHECK(levels IS NULL OR json_valid(levels)), PRIMARY KEY(table_name, name)) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE dm_origin(\n"
    "  source_id INTEGER NOT NULL REFERENCES dm_source(id), table_name TEXT NOT NULL COLLATE NOCASE,\n"
    "  first_id INTEGER NOT NULL, first_record INTEGER NOT NULL, line INTEGER NOT NULL, byte_offset INTEGER NOT NULL,\n"
    "  PRIMARY KEY(table_name, first_id)) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE dm_reject(\n"
    "  source_id INTEGER NOT NULL REFERENCES dm_source(id), record INTEGER NOT NULL, line INTEGER NOT NULL,\n"
    "  column INTEGER, byte_offset INTEGER NOT NULL, raw BLOB NOT NULL, reason TEXT NOT NULL,\n"
    "  PRIMARY KEY(source_id, record)) STRICT;\n"
    "CREATE TABLE dm_run(\n"
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, arguments TEXT NOT NULL CHECK(json_valid(arguments)),\n"
    "  recipe TEXT, seed INTEGER NOT NULL, lib_version TEXT NOT NULL, started TEXT NOT NULL, ended TEXT,\n"
    "  status TEXT NOT NULL) STRICT;\n"
    "CREATE TABLE dm_change(\n"
    "  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES dm_run(id), table_name TEXT NOT NULL COLLATE NOCASE,\n"
    "  row_id INTEGER NOT NULL, column TEXT NOT NULL COLLATE NOCASE, old ANY, new ANY, rule TEXT NOT NULL,\n"
    "  confidence REAL) STRICT;\n"
    "CREATE INDEX dm_change_cell ON dm_change(table_name, row_id, column);\n"
    "CREATE INDEX dm_change_run ON dm_change(run_id);\n"
    "CREATE TABLE dm_link(\n"
    "  run_id INTEGER NOT NULL REFERENCES dm_run(id), left_table TEXT NOT NULL, left_id INTEGER NOT NULL,\n"
    "  right_table TEXT NOT NULL, right_id INTEGER NOT NULL, score REAL NOT NULL, decision TEXT NOT NULL,\n"
    "  cluster_id INTEGER) STRICT;\n"
    "CREATE TABLE dm_model(\n"
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, version INTEGER NOT NULL, method TEXT NOT NULL,\n"
    "  task TEXT NOT NULL, target TEXT, status TEXT NOT NULL, params TEXT NOT NULL CHECK(json_valid(params)),\n"
    "  inputs TEXT NOT NULL CHECK(json_valid(inputs)), transform TEXT NOT NULL CHECK(json_valid(transform)),\n"
    "  source_sql TEXT, rows INTEGER, source_digest TEXT, seed INTEGER NOT NULL, lib_version TEXT NOT NULL,\n"
    "  started TEXT NOT NULL, seconds REAL NOT NULL, sha256 TEXT NOT NULL, UNIQUE(name, version)) STRICT;\n"
    "CREATE TABLE dm_active(name TEXT PRIMARY KEY, model_id INTEGER NOT NULL REFERENCES dm_model(id)) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE dm_tensor(\n"
    "  model_id INTEGER NOT NULL REFERENCES dm_model(id), name TEXT NOT NULL, part INTEGER NOT NULL, dtype TEXT NOT NULL,\n"
    "  shape TEXT NOT NULL CHECK(json_valid(shape)), data BLOB NOT NULL, PRIMARY KEY(model_id, name, part)) STRICT;\n"
    "CREATE TABLE dm_metric(\n"
    "  model_id INTEGER NOT NULL REFERENCES dm_model(id), split TEXT NOT NULL, name TEXT NOT NULL, value REAL NOT NULL,\n"
    "  PRIMARY KEY(model_id, split, name)) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE dm_epoch(\n"
    "  model_id INTEGER NOT NULL REFERENCES dm_model(id), epoch INTEGER NOT NULL, name TEXT NOT NULL, value REAL NOT NULL,\n"
    "  PRIMARY KEY(model_id, epoch, name)) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE dm_itemset(\n"
    "  model_id INTEGER NOT NULL REFERENCES dm_model(id), id INTEGER NOT NULL, size INTEGER NOT NULL,\n"
    "  items TEXT NOT NULL CHECK(json_valid(items)), support INTEGER NOT NULL, PRIMARY KEY(model_id, id)) STRICT;\n"
    "CREATE TABLE dm_rule(\n"
    "  model_id INTEGER NOT NULL REFERENCES dm_model(id), antecedent TEXT NOT NULL CHECK(json_valid(antecedent)),\n"
    "  consequent TEXT NOT NULL CHECK(json_valid(consequent)), support INTEGER NOT NULL, confidence REAL NOT NULL,\n"
    "  lift REAL NOT NULL) STRICT;\n"
    "INSERT INTO dm_meta VALUES('schema_version', '1');\n";

/*
 * Patterns: all measures of a rule, named as dm_measure names them, and transactions kept for the next reading. No dm of
 * version 1 ever wrote an itemset or a rule: their tables are made anew, in one b-tree each, which fills a fifth faster.
 */
static const char version_2[] =
    "DROP TABLE dm_itemset;\n"
    "DROP TABLE dm_rule;\n"
    "CREATE TABLE dm_itemset(\n"
    "  model_id INTEGER NOT NULL REFERENCES dm_model(id), id INTEGER NOT NULL, size INTEGER NOT NULL,\n"
    "  items TEXT NOT NULL CHECK(json_valid(items)), support INTEGER NOT NULL, PRIMARY KEY(model_id, id)) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE dm_rule(\n"
    "  model_id INTEGER NOT NULL REFERENCES dm_model(id), id INTEGER NOT NULL,\n"
    "  antecedent TEXT NOT NULL CHECK(json_valid(antecedent)), consequent TEXT NOT NULL CHECK(json_valid(consequent)),\n"
    "  support INTEGER NOT NULL, share REAL NOT NULL, coverage REAL NOT NULL, confidence REAL NOT NULL, lift REAL NOT NULL,\n"
    "  leverage REAL NOT NULL, conviction REAL, cosine REAL NOT NULL, jaccard REAL NOT NULL, kulczynski REAL NOT NULL,\n"
    "  imbalance REAL NOT NULL, zhang REAL, added_value REAL NOT NULL, chi_square REAL, fisher_p REAL, q_value REAL,\n"
    "  PRIMARY KEY(model_id, id)) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE dm_packed(\n"
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, how TEXT NOT NULL CHECK(json_valid(how)),\n"
    "  file_change INTEGER NOT NULL, file TEXT NOT NULL, kept_at INTEGER NOT NULL, transactions INTEGER NOT NULL,\n"
    "  items INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, UNIQUE(source, how)) STRICT;\n"
    "CREATE TABLE dm_packed_part(\n"
    "  packed_id INTEGER NOT NULL REFERENCES dm_packed(id), part INTEGER NOT NULL, data BLOB NOT NULL,\n"
    "  PRIMARY KEY(packed_id, part)) STRICT;\n"
    "UPDATE dm_meta SET value = '2' WHERE key = 'schema_version';\n";

/* steps[v] brings a database from version v to v + 1; DM_SCHEMA_VERSION of them. */
static const char *const steps[] = {version_1, version_2};
_Static_assert(sizeof steps / sizeof *steps == DM_SCHEMA_VERSION, "a step for each version");

dm_status dm_schema_version(dm_store *store, int64_t *version, dm_error *err) {
  dm_stmt *s = NULL;
  bool row = false;
  dm_status status = dm_stmt_prepare(store, "SELECT 1 FROM main.sqlite_schema WHERE name = 'dm_meta' AND type = 'table'", &s, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  dm_stmt_free(s);
  if (status != DM_OK) return status;
  if (!row) {
    *version = 0;
    return DM_OK;
  }
  s = NULL;
  int64_t v = 0;
  status = dm_stmt_prepare(store, "SELECT value FROM main.dm_meta WHERE key = 'schema_version'", &s, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK) v = row ? dm_stmt_int(s, 0) : 0;
  dm_stmt_free(s);
  if (status == DM_OK && (v < 1 || v > DM_SCHEMA_VERSION)) {
    if (v < 1)
      status = dm_fail(err, DM_EIO, "table dm_meta has no schema_version: not a database of dm");
    else {
      status = dm_fail(err, DM_EIO, "the schema has version %lld, this dm knows versions up to %d", (long long)v, DM_SCHEMA_VERSION);
      dm_error_hint(err, "a newer dm wrote it: use that one");
    }
    dm_error_at(err, store->path, 0, 0);
  }
  if (status == DM_OK) *version = v;
  return status;
}

dm_status dm_store_has_schema(dm_store *store, bool *has, dm_error *err) {
  int64_t version = DM_SCHEMA_VERSION;
  dm_status s = store->has_schema ? DM_OK : dm_schema_version(store, &version, err);
  if (s == DM_OK) *has = version > 0;
  return s;
}

static dm_status migrate(dm_store *store, dm_error *err) {
  int64_t version;
  dm_status s = dm_schema_version(store, &version, err);
  for (int64_t v = version; s == DM_OK && v < DM_SCHEMA_VERSION; v++) {
    s = dm_store_script(store, steps[v], err);
    if (s != DM_OK) dm_error_prefix(err, "making the dm_ tables of version %lld", (long long)v + 1);
  }
  if (s == DM_OK && version == 0 && store->created)
    s = dm_store_exec(store, err, "PRAGMA application_id = %d", DM_APPLICATION_ID);
  return s;
}

dm_status dm_store_ensure_schema(dm_store *store, dm_error *err) {
  if (store->has_schema) return DM_OK;
  bool mine;
  dm_status s = dm_store_enter(store, &mine, err);
  if (s == DM_OK) s = dm_store_leave(store, mine, migrate(store, err), err);
  if (s == DM_OK) store->has_schema = true;
  return s;
}
