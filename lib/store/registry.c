/* The model registry: what is there, which version is active, metrics, dropping. */
#include "store/registry.h"

#include "store/store.h"

#include <math.h>
#include <string.h>

/* ---- the tables can be trusted ------------------------------------------------------ */

dm_status dm_registry_check_tables(dm_store *store, dm_error *err) {
  dm_stmt *s = NULL;
  bool row;
  dm_status status = dm_stmt_prepare(
      store,
      "WITH n(name) AS (VALUES ('dm_model'), ('dm_tensor'), ('dm_active'), ('dm_metric'), ('dm_epoch'), ('dm_meta'),"
      " ('dm_itemset'), ('dm_rule'), ('dm_packed'), ('dm_packed_part'))"
      " SELECT n.name, (SELECT type FROM pragma_table_list(n.name) WHERE schema = 'main') AS type,"
      " EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = n.name COLLATE NOCASE)"
      " OR EXISTS (SELECT 1 FROM temp.sqlite_schema WHERE type = 'trigger' AND tbl_name = n.name COLLATE NOCASE),"
      " EXISTS (SELECT 1 FROM pragma_table_xinfo(n.name, 'main') WHERE hidden <> 0) FROM n",
      &s, err);
  while (status == DM_OK) {
    status = dm_stmt_step(s, &row, err);
    if (status != DM_OK || !row) break;
    dm_value type = dm_stmt_value(s, 1);
    const char *name = dm_stmt_value(s, 0).text.p, *what = NULL;
    if (type.type == DM_TEXT && strcmp(type.text.p, "table") != 0)
      what = type.text.p;
    else if (dm_stmt_int(s, 2))
      what = "table with triggers";
    else if (dm_stmt_int(s, 3))
      what = "table with generated columns";
    if (what) {
      status = dm_fail(err, DM_EINPUT, "%s is a %s, want a plain table: models of this database are not used", name, what);
      dm_error_hint(err, "somebody changed the schema of the model registry");
    }
  }
  dm_stmt_free(s);
  return status;
}

/* ---- reading rows ------------------------------------------------------------------- */

#define META_COLUMNS                                                                                                                     \
  "SELECT m.id, m.version, m.rows, m.seed, m.seconds, a.model_id IS m.id, m.name, m.method, m.task, m.target, m.status, m.params,"       \
  " m.source_sql, m.source_digest, m.lib_version, m.started, m.sha256"                                                                  \
  " FROM main.dm_model AS m LEFT JOIN main.dm_active AS a ON a.name = m.name"

static dm_status copy_text(const dm_stmt *s, int column, dm_arena *arena, const char **out, dm_error *err) {
  dm_value v = dm_stmt_value(s, column);
  *out = NULL;
  if (v.type != DM_TEXT) return DM_OK;
  *out = dm_arena_strdup(arena, v.text.p, v.text.n, err);
  return *out ? DM_OK : DM_EBUDGET;
}

static dm_status read_meta(const dm_stmt *s, dm_arena *arena, dm_model_meta *m, dm_error *err) {
  *m = (dm_model_meta){.id = dm_stmt_int(s, 0), .version = dm_stmt_int(s, 1), .rows = dm_stmt_int(s, 2)};
  m->seed = (uint64_t)dm_stmt_int(s, 3);
  dm_value seconds = dm_stmt_value(s, 4);
  m->seconds = seconds.type == DM_REAL ? seconds.real : 0;
  m->active = dm_stmt_int(s, 5) != 0;
  const char **const texts[] = {&m->name,       &m->method,        &m->task,        &m->target,  &m->status, &m->params_json,
                                &m->source_sql, &m->source_digest, &m->lib_version, &m->started, &m->sha256};
  dm_status status = DM_OK;
  for (int i = 0; status == DM_OK && i < (int)(sizeof texts / sizeof *texts); i++) status = copy_text(s, 6 + i, arena, texts[i], err);
  const char *const needed[] = {m->name, m->method, m->task, m->status, m->params_json, m->lib_version, m->started, m->sha256};
  for (size_t i = 0; status == DM_OK && i < sizeof needed / sizeof *needed; i++)
    if (!needed[i]) status = dm_fail(err, DM_EINPUT, "row %lld of dm_model lacks a text that every model has", (long long)m->id);
  return status;
}

dm_status dm_registry_list(dm_store *store, dm_arena *arena, dm_model_meta **out, size_t *n, dm_error *err) {
  dm_model_meta *list = NULL;
  size_t count = 0, capacity = 0;
  bool recorded = false;
  *n = 0;
  dm_status status = dm_store_has_schema(store, &recorded, err);
  if (!recorded) return status;
  dm_stmt *s = NULL;
  status = dm_registry_check_tables(store, err);
  if (status == DM_OK) status = dm_stmt_prepare(store, META_COLUMNS " ORDER BY m.name, m.version", &s, err);
  for (bool row; status == DM_OK;) {
    status = dm_stmt_step(s, &row, err);
    if (status != DM_OK || !row) break;
    if (count == capacity) {
      size_t more = capacity ? capacity * 2 : 16;
      dm_model_meta *grown = dm_arena_alloc(arena, more, sizeof *grown, err);
      if (!grown) {
        status = DM_EBUDGET;
        break;
      }
      if (count) memcpy(grown, list, count * sizeof *grown);
      list = grown;
      capacity = more;
    }
    status = read_meta(s, arena, &list[count++], err);
  }
  dm_stmt_free(s);
  if (status != DM_OK) return status;
  *out = list;
  *n = count;
  return DM_OK;
}

static bool is_training(const dm_model_meta *m) { return strcmp(m->status, DM_STATUS_TRAINING) == 0; }

/* ---- references ----------------------------------------------------------------------- */

/* 'name' -> version 0, 'name@3' -> 3. */
static dm_status parse_reference(const char *reference, dm_arena *arena, const char **name, int64_t *version, dm_error *err) {
  const char *at = strchr(reference, '@');
  size_t n = at ? (size_t)(at - reference) : strlen(reference);
  *version = 0;
  if (n == 0 || (at && (!dm_text_to_int(at + 1, strlen(at + 1), version) || *version < 1)))
    return dm_fail(err, DM_EUSAGE, "model '%s': want NAME or NAME@VERSION", reference);
  *name = dm_arena_strdup(arena, reference, n, err);
  return *name ? DM_OK : DM_EBUDGET;
}

static dm_status still_training(const dm_model_meta *m, dm_error *err) {
  (void)dm_fail(err, DM_EUSAGE, "model '%s@%lld' is still in training; --resume goes on with it", m->name, (long long)m->version);
  dm_error_hint(err, "dm-mine train with --resume and what it was started with; or dm-mine models DB drop %s@%lld", m->name,
                (long long)m->version);
  return DM_EUSAGE;
}

/* Says which models or versions there are instead. */
static dm_status unknown_model(dm_store *store, const char *name, int64_t version, dm_arena *arena, dm_error *err) {
  dm_model_meta *list = NULL;
  size_t n = 0, at = 0, n_names = 0;
  dm_status s = dm_registry_list(store, arena, &list, &n, err);
  const char **names = s == DM_OK ? dm_arena_alloc(arena, n, sizeof *names, err) : NULL;
  if (!names) return s == DM_OK ? DM_EBUDGET : s;
  char versions[256] = "";
  const dm_model_meta *training = NULL;
  for (size_t i = 0; i < n; i++) {
    if (i == 0 || strcmp(list[i].name, list[i - 1].name) != 0) names[n_names++] = list[i].name;
    if (strcmp(list[i].name, name) != 0 || at + 24 > sizeof versions) continue;
    if (version == 0 && is_training(&list[i])) {
      training = &list[i];
      continue;
    }
    if (at) memcpy(versions + at, ", ", 3);
    at += at ? 2 : 0;
    at += dm_text_of_int(list[i].version, versions + at);
    versions[at] = 0;
  }
  if (!at && training) return still_training(training, err);
  if (at && version == 0) {
    (void)dm_fail(err, DM_EUSAGE, "model '%s' has no active version", name);
    dm_error_hint(err, "its versions: %s; dm-mine models DB activate %s@VERSION", versions, name);
  } else if (at) {
    (void)dm_fail(err, DM_EUSAGE, "model '%s' has no version %lld", name, (long long)version);
    dm_error_hint(err, "its versions: %s", versions);
  } else {
    const char *near = dm_text_nearest(name, names, n_names);
    (void)dm_fail(err, DM_EUSAGE, "no such model: '%s'", name);
    if (near)
      dm_error_hint(err, "did you mean '%s'?", near);
    else if (n == 0)
      dm_error_hint(err, "the database has no models yet: dm-mine train makes them");
  }
  return DM_EUSAGE;
}

/* What a name without a version stands for. */
typedef enum wanted { ACTIVE, NEWEST_MODEL, NEWEST_ROW } wanted;

/* Only NEWEST_ROW gives a training that is not finished. */
static dm_status find(dm_store *store, const char *reference, wanted which, dm_arena *arena, dm_model_meta *meta, dm_error *err) {
  const char *name = NULL;
  int64_t version;
  dm_stmt *s = NULL;
  bool row = false, recorded = false;
  dm_status status = parse_reference(reference, arena, &name, &version, err);
  if (status == DM_OK) status = dm_store_has_schema(store, &recorded, err);
  if (recorded) {
    status = dm_registry_check_tables(store, err);
    if (status == DM_OK)
      status = dm_stmt_prepare(store,
                               version               ? META_COLUMNS " WHERE m.name = ?1 AND m.version = ?2"
                               : which == NEWEST_ROW ? META_COLUMNS " WHERE m.name = ?1 ORDER BY m.version DESC LIMIT 1"
                               : which == NEWEST_MODEL
                                   ? META_COLUMNS " WHERE m.name = ?1 AND m.status <> 'training' ORDER BY m.version DESC LIMIT 1"
                                   : META_COLUMNS " WHERE m.name = ?1 AND a.model_id = m.id",
                               &s, err);
    if (status == DM_OK) status = dm_stmt_bind_text(s, 1, name, err);
    if (status == DM_OK && version) status = dm_stmt_bind_int(s, 2, version, err);
    if (status == DM_OK) status = dm_stmt_step(s, &row, err);
    if (status == DM_OK && row) status = read_meta(s, arena, meta, err);
    dm_stmt_free(s);
  }
  if (status == DM_OK && !row) status = unknown_model(store, name, version, arena, err);
  if (status == DM_OK && which != NEWEST_ROW && is_training(meta)) status = still_training(meta, err);
  if (status == DM_OK && !is_training(meta) && strcmp(meta->status, DM_STATUS_READY) != 0)
    status = dm_fail(err, DM_EINPUT, "model '%s@%lld': its status is '%.40s', which no dm has written", meta->name, (long long)meta->version,
                     meta->status);
  return status;
}

dm_status dm_registry_find(dm_store *store, const char *reference, dm_arena *arena, dm_model_meta *meta, dm_error *err) {
  return find(store, reference, ACTIVE, arena, meta, err);
}

/* ---- metrics ----------------------------------------------------------------------------- */

dm_status dm_registry_metrics(dm_store *store, int64_t model_id, dm_arena *arena, dm_model_metric **out, size_t *n, dm_error *err) {
  dm_stmt *s = NULL;
  bool row;
  int64_t count = 0;
  *n = 0;
  dm_status status = dm_stmt_prepare(
      store, "SELECT split, name, value, count(*) OVER () FROM main.dm_metric WHERE model_id = ?1 ORDER BY split, name", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 1, model_id, err);
  dm_model_metric *list = NULL;
  while (status == DM_OK) {
    status = dm_stmt_step(s, &row, err);
    if (status != DM_OK || !row) break;
    if (!list) {
      count = dm_stmt_int(s, 3);
      list = dm_arena_alloc(arena, (size_t)count, sizeof *list, err);
      if (!list) status = DM_EBUDGET;
    }
    if (status != DM_OK || (int64_t)*n >= count) break;
    dm_model_metric *m = &list[*n];
    status = copy_text(s, 0, arena, &m->split, err);
    if (status == DM_OK) status = copy_text(s, 1, arena, &m->name, err);
    m->value = dm_stmt_value(s, 2).real;
    if (status == DM_OK && (!m->split || !m->name)) status = dm_fail(err, DM_EINPUT, "dm_metric holds a name that is not a text");
    ++*n;
  }
  dm_stmt_free(s);
  if (status == DM_OK) *out = list;
  return status;
}

dm_status dm_registry_add_metrics(dm_store *store, int64_t model_id, const dm_model_metric *metrics, size_t n, dm_error *err) {
  dm_stmt *s = NULL;
  bool row;
  dm_status status = dm_stmt_prepare(
      store, "INSERT OR REPLACE INTO main.dm_metric(model_id, split, name, value) VALUES(?1, ?2, ?3, ?4)", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 1, model_id, err);
  for (size_t i = 0; status == DM_OK && i < n; i++) {
    if (!isfinite(metrics[i].value)) continue; /* undefined: there is no row for it */
    status = dm_stmt_bind_text(s, 2, metrics[i].split, err);
    if (status == DM_OK) status = dm_stmt_bind_text(s, 3, metrics[i].name, err);
    if (status == DM_OK) status = dm_stmt_bind(s, 4, (dm_value){.type = DM_REAL, .real = metrics[i].value}, err);
    if (status == DM_OK) status = dm_stmt_step(s, &row, err);
    (void)dm_stmt_reset(s, NULL);
  }
  dm_stmt_free(s);
  return status;
}

/* ---- versions ------------------------------------------------------------------------------ */

dm_status dm_registry_next_version(dm_store *store, const char *name, int64_t *version, dm_error *err) {
  dm_stmt *s = NULL;
  bool row;
  dm_status status = dm_stmt_prepare(store,
                                     "SELECT 1 + max(coalesce((SELECT max(version) FROM main.dm_model WHERE name = ?1), 0),"
                                     " coalesce((SELECT CAST(value AS INTEGER) FROM main.dm_meta WHERE key = 'last_version/' || ?1), 0))",
                                     &s, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 1, name, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK) *version = dm_stmt_int(s, 0);
  dm_stmt_free(s);
  return status;
}

dm_status dm_registry_set_active(dm_store *store, const char *name, int64_t id, dm_error *err) {
  return dm_store_exec(store, err, "INSERT OR REPLACE INTO main.dm_active(name, model_id) VALUES(%Q, %lld)", name, (long long)id);
}

dm_status dm_registry_activate(dm_store *store, const char *reference, dm_error *err) {
  dm_arena *arena;
  dm_model_meta meta;
  bool mine = false;
  dm_status s = dm_arena_new(store->ctx, 0, &arena, err);
  if (s != DM_OK) return s;
  s = dm_store_enter(store, &mine, err);
  if (s == DM_OK) s = find(store, reference, NEWEST_MODEL, arena, &meta, err);
  if (s == DM_OK) s = dm_registry_set_active(store, meta.name, meta.id, err);
  if (s == DM_OK) s = dm_run_log(store, "models activate", reference, NULL, err);
  s = dm_store_leave(store, mine, s, err);
  dm_arena_free(arena);
  return s;
}

/* A version once given is not given again: the highest is remembered before rows go. */
static dm_status drop_rows(dm_store *store, const dm_model_meta *meta, bool all, size_t *dropped, dm_error *err) {
  static const char *const tables[] = {"dm_metric", "dm_epoch", "dm_itemset", "dm_rule", "dm_tensor"};
  int64_t next;
  dm_status s = dm_registry_next_version(store, meta->name, &next, err);
  if (s == DM_OK)
    s = dm_store_exec(store, err, "INSERT OR REPLACE INTO main.dm_meta(key, value) VALUES('last_version/' || %Q, %lld)", meta->name,
                      (long long)next - 1);
  for (size_t i = 0; s == DM_OK && i < sizeof tables / sizeof *tables; i++)
    s = all ? dm_store_exec(store, err, "DELETE FROM main.%s WHERE model_id IN (SELECT id FROM main.dm_model WHERE name = %Q)", tables[i],
                            meta->name)
            : dm_store_exec(store, err, "DELETE FROM main.%s WHERE model_id = %lld", tables[i], (long long)meta->id);
  if (s == DM_OK && (all || meta->active)) s = dm_store_exec(store, err, "DELETE FROM main.dm_active WHERE name = %Q", meta->name);
  if (s == DM_OK)
    s = all ? dm_store_exec(store, err, "DELETE FROM main.dm_model WHERE name = %Q", meta->name)
            : dm_store_exec(store, err, "DELETE FROM main.dm_model WHERE id = %lld", (long long)meta->id);
  if (s == DM_OK) *dropped = (size_t)dm_store_changes(store);
  if (s == DM_OK && !all && meta->active)
    s = dm_store_exec(store, err,
                      "INSERT INTO main.dm_active(name, model_id)"
                      " SELECT name, id FROM main.dm_model WHERE name = %Q AND status <> 'training' ORDER BY version DESC LIMIT 1",
                      meta->name);
  return s;
}

dm_status dm_registry_drop(dm_store *store, const char *reference, size_t *dropped, dm_error *err) {
  dm_arena *arena;
  dm_model_meta meta;
  bool mine = false;
  size_t count = 0;
  dm_status s = dm_arena_new(store->ctx, 0, &arena, err);
  if (s != DM_OK) return s;
  s = dm_store_enter(store, &mine, err);
  if (s == DM_OK) s = find(store, reference, NEWEST_ROW, arena, &meta, err);
  if (s == DM_OK) s = drop_rows(store, &meta, strchr(reference, '@') == NULL, &count, err);
  if (s == DM_OK) s = dm_run_log(store, "models drop", reference, NULL, err);
  s = dm_store_leave(store, mine, s, err);
  dm_arena_free(arena);
  if (s == DM_OK && dropped) *dropped = count;
  return s;
}
