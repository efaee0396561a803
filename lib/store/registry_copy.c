/*
 * Models to and from other files: a model file is a database with the tables
 * of the registry. Rows are read, verified by their hash and written through a
 * second connection; no SQL and no schema of the other file takes part.
 */
#include "store/registry.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Keeps the version where it is free, so that 'name@3' means the same in both files. */
static dm_status choose_version(dm_store *to, dm_model_meta *m, dm_error *err) {
  int64_t next;
  dm_status s = dm_registry_next_version(to, m->name, &next, err);
  if (s == DM_OK && m->version < next) m->version = next;
  return s;
}

static dm_status write_copy(dm_store *to, const dm_model_rows *rows, dm_model_meta *m, const dm_model_metric *metrics, size_t n_metrics,
                            dm_error *err) {
  dm_status s = dm_store_ensure_schema(to, err);
  if (s == DM_OK) s = dm_registry_check_tables(to, err);
  if (s == DM_OK) s = choose_version(to, m, err);
  m->id = 0; /* that of the other file */
  if (s == DM_OK) s = dm_registry_write_model(to, rows, m, err);
  if (s == DM_OK) s = dm_registry_write_tensors(to, m->id, rows->tensors, rows->n_tensors, err);
  if (s == DM_OK) s = dm_registry_add_metrics(to, m->id, metrics, n_metrics, err);
  if (s == DM_OK) s = dm_registry_set_active(to, m->name, m->id, err);
  return s;
}

static dm_status read_one(dm_store *from, const char *reference, dm_arena *arena, dm_model_rows *rows, dm_model_meta *m,
                          dm_model_metric **metrics, size_t *n_metrics, dm_error *err) {
  dm_status s = dm_store_snapshot(from, err);
  if (s != DM_OK) return s;
  s = dm_registry_find(from, reference, arena, m, err);
  if (s == DM_OK) {
    s = dm_model_rows_read(from, m->id, arena, rows, err);
    if (s != DM_OK) dm_error_prefix(err, "model '%s@%lld'", m->name, (long long)m->version);
  }
  if (s == DM_OK) s = dm_registry_metrics(from, m->id, arena, metrics, n_metrics, err);
  dm_store_snapshot_end(from);
  return s;
}

/* The report's tensors as they are: whoever reads them checks them. */
static dm_status copy_evaluations(dm_store *from, int64_t from_id, dm_store *to, int64_t to_id, dm_error *err) {
  enum { COLUMNS = 5 };
  dm_stmt *read = NULL, *write = NULL;
  bool row = true, done;
  dm_status s = dm_stmt_prepare(from,
                                "SELECT name, part, dtype, shape, data FROM main.dm_tensor WHERE model_id = ?1"
                                " AND name GLOB 'eval/*' AND length(data) <= 65536 ORDER BY name, part LIMIT 1000",
                                &read, err);
  if (s == DM_OK) s = dm_stmt_bind_int(read, 1, from_id, err);
  if (s == DM_OK)
    s = dm_stmt_prepare(to, "INSERT INTO main.dm_tensor(model_id, name, part, dtype, shape, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                        &write, err);
  if (s == DM_OK) s = dm_stmt_bind_int(write, 1, to_id, err);
  while (s == DM_OK) {
    s = dm_stmt_step(read, &row, err);
    if (s != DM_OK || !row) break;
    for (int i = 0; i < COLUMNS && s == DM_OK; i++) s = dm_stmt_bind(write, i + 2, dm_stmt_value(read, i), err);
    if (s == DM_OK) s = dm_stmt_step(write, &done, err);
    (void)dm_stmt_reset(write, NULL);
  }
  dm_stmt_free(read);
  dm_stmt_free(write);
  return s;
}

static dm_status copy_epochs(dm_store *from, int64_t from_id, dm_store *to, int64_t to_id, dm_arena *arena, dm_error *err) {
  dm_model_epoch *epochs = NULL;
  size_t n = 0;
  dm_status s = dm_registry_epochs(from, from_id, arena, &epochs, &n, err);
  return s == DM_OK ? dm_registry_add_epochs(to, to_id, epochs, n, err) : s;
}

/* Rows of a table whose first column is model_id. @param columns the others, as they are called in SQL @param n how many */
static dm_status copy_table(dm_store *from, int64_t from_id, dm_store *to, int64_t to_id, const char *table, const char *columns, int n,
                            dm_error *err) {
  char sql[512];
  dm_stmt *read = NULL, *write = NULL;
  bool row = true, done;
  int at = snprintf(sql, sizeof sql, "INSERT INTO main.%s(model_id, %s) VALUES(?1", table, columns);
  for (int i = 0; i < n; i++) at += snprintf(sql + at, sizeof sql - (size_t)at, ", ?%d", i + 2);
  (void)snprintf(sql + at, sizeof sql - (size_t)at, ")");
  dm_status s = dm_stmt_prepare(to, sql, &write, err);
  (void)snprintf(sql, sizeof sql, "SELECT %s FROM main.%s WHERE model_id = ?1 ORDER BY id", columns, table);
  if (s == DM_OK) s = dm_stmt_prepare(from, sql, &read, err);
  if (s == DM_OK) s = dm_stmt_bind_int(read, 1, from_id, err);
  if (s == DM_OK) s = dm_stmt_bind_int(write, 1, to_id, err);
  for (uint64_t copied = 0; s == DM_OK; copied++) {
    if ((copied & 8191) == 8191) s = dm_ctx_check(to->ctx, err);
    if (s == DM_OK) s = dm_stmt_step(read, &row, err);
    if (s != DM_OK || !row) break;
    for (int i = 0; i < n && s == DM_OK; i++) s = dm_stmt_bind(write, i + 2, dm_stmt_value(read, i), err);
    if (s == DM_OK) s = dm_stmt_step(write, &done, err);
    (void)dm_stmt_reset(write, NULL);
  }
  dm_stmt_free(read);
  dm_stmt_free(write);
  return s;
}

/* Sets and rules as SQL shows them; what is computed from is in the tensors, under the hash. Version 1 had none. */
static dm_status copy_patterns(dm_store *from, int64_t from_id, dm_store *to, int64_t to_id, dm_error *err) {
  int64_t version;
  dm_status s = dm_schema_version(from, &version, err);
  if (s != DM_OK || version < 2) return s;
  s = copy_table(from, from_id, to, to_id, "dm_itemset", "id, size, items, support", 4, err);
  if (s != DM_OK) return s;
  return copy_table(from, from_id, to, to_id, "dm_rule",
                    "id, antecedent, consequent, support, share, coverage, confidence, lift, leverage, conviction, cosine, jaccard,"
                    " kulczynski, imbalance, zhang, added_value, chi_square, fisher_p, q_value",
                    19, err);
}

/* @param arena keeps what meta points to. */
static dm_status copy_model(dm_store *from, const char *reference, dm_store *to, dm_arena *arena, dm_model_meta *meta, dm_error *err) {
  dm_model_rows rows;
  dm_model_meta m;
  dm_model_metric *metrics = NULL;
  size_t n_metrics = 0;
  bool mine = false;
  dm_status s = read_one(from, reference, arena, &rows, &m, &metrics, &n_metrics, err);
  if (s != DM_OK) return s;
  int64_t from_id = m.id;
  s = dm_store_enter(to, &mine, err);
  if (s == DM_OK) s = write_copy(to, &rows, &m, metrics, n_metrics, err);
  if (s == DM_OK) s = copy_evaluations(from, from_id, to, m.id, err);
  if (s == DM_OK) s = copy_epochs(from, from_id, to, m.id, arena, err);
  if (s == DM_OK) s = copy_patterns(from, from_id, to, m.id, err);
  if (s == DM_OK) s = dm_run_log(to, "models import", reference, from->path, err);
  s = dm_store_leave(to, mine, s, err);
  m.active = true;
  if (s == DM_OK) *meta = m;
  return s;
}

/* A model that is copied into its own file would only become one more version. */
static dm_status not_itself(dm_store *store, const char *path, dm_error *err) {
  struct stat own, other;
  if (stat(store->path, &own) != 0 || stat(path, &other) != 0 || own.st_dev != other.st_dev || own.st_ino != other.st_ino) return DM_OK;
  (void)dm_fail(err, DM_EUSAGE, "that is the database itself, want another file");
  dm_error_at(err, path, 0, 0);
  return DM_EUSAGE;
}

dm_status dm_registry_export(dm_store *store, const char *reference, const char *path, dm_error *err) {
  dm_store *file = NULL;
  dm_arena *arena = NULL;
  dm_model_meta meta;
  dm_status s = dm_arena_new(store->ctx, 0, &arena, err);
  if (s == DM_OK) s = dm_registry_find(store, reference, arena, &meta, err); /* before a file is made */
  if (s == DM_OK) s = not_itself(store, path, err);
  if (s == DM_OK) s = dm_store_open(store->ctx, path, DM_STORE_CREATE, &file, err);
  if (s == DM_OK) s = copy_model(store, reference, file, arena, &meta, err);
  dm_store_close(file);
  dm_arena_free(arena);
  return s;
}

/* The only model of a file needs no name. */
static dm_status only_model(dm_store *file, dm_arena *arena, const char **name, dm_error *err) {
  dm_model_meta *list = NULL;
  size_t n = 0;
  dm_status s = dm_registry_list(file, arena, &list, &n, err);
  if (s != DM_OK) return s;
  for (size_t i = 1; i < n; i++)
    if (strcmp(list[i].name, list[0].name) != 0) {
      s = dm_fail(err, DM_EUSAGE, "the file has more than one model: name one");
      dm_error_hint(err, "'%s', '%s', …", list[0].name, list[i].name);
      dm_error_at(err, file->path, 0, 0);
      return s;
    }
  if (n == 0) {
    s = dm_fail(err, DM_EINPUT, "the file has no models");
    dm_error_at(err, file->path, 0, 0);
  } else
    *name = list[0].name;
  return s;
}

dm_status dm_registry_import(dm_store *store, const char *path, const char *reference, dm_arena *arena, dm_model_meta *meta,
                             dm_error *err) {
  dm_store *file = NULL;
  dm_arena *work = NULL;
  dm_status s = not_itself(store, path, err);
  if (s == DM_OK) s = dm_store_open(store->ctx, path, DM_STORE_READ, &file, err);
  if (s == DM_OK) s = dm_arena_new(store->ctx, 0, &work, err);
  if (s == DM_OK && !reference) s = only_model(file, work, &reference, err);
  if (s == DM_OK) s = copy_model(file, reference, store, arena, meta, err);
  dm_store_close(file);
  dm_arena_free(work);
  return s;
}
