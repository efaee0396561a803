/* Saving a scorer as a new version of a model. */
#include "store/registry.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

/* ---- scorer -> rows ------------------------------------------------------------ */

static const char *keep(dm_arena *arena, const dm_buf *buf, dm_error *err) {
  return dm_buf_status(buf) == DM_OK ? dm_arena_strdup(arena, buf->p, buf->n, err) : NULL;
}

/* @param before others: its target is not kept, so it says how many classes it has. */
static dm_status save_stage(const dm_stage *stage, size_t number, bool before, dm_tensor_set *tensors, dm_json_out *j, dm_error *err) {
  const dm_learner *learner = stage->model->learner;
  char prefix[24];
  (void)snprintf(prefix, sizeof prefix, "%zu", number);
  tensors->prefix = prefix;
  dm_json_object(j);
  dm_json_key(j, "encoder");
  dm_encoder_save(stage->encoder, j);
  dm_json_put_string(j, "method", learner->name);
  if (before) dm_json_put_int(j, "classes", (int64_t)stage->model->n_classes);
  dm_json_key(j, "scalars");
  dm_json_object(j);
  dm_model_writer writer = {.user = tensors, .json = j, .tensor = dm_tensor_set_put};
  dm_status s = learner->save(stage->model, &writer, err);
  dm_json_end_object(j);
  dm_json_end_object(j);
  return s;
}

static dm_status save_stages(const dm_scorer *scorer, dm_tensor_set *tensors, dm_buf *buf, dm_error *err) {
  const dm_stage last = {scorer->encoder, scorer->model};
  dm_status s = DM_OK;
  dm_json_out j;
  dm_json_out_init(&j, buf, false);
  dm_json_object(&j);
  dm_json_key(&j, "stages");
  dm_json_array(&j);
  for (size_t i = 0; s == DM_OK && i < scorer->n_before; i++) s = save_stage(&scorer->before[i], i, true, tensors, &j, err);
  if (s == DM_OK) s = save_stage(&last, scorer->n_before, false, tensors, &j, err);
  dm_json_end_array(&j);
  dm_json_end_object(&j);
  return s;
}

static dm_status rows_of(const dm_scorer *scorer, const char *params, dm_arena *arena, dm_model_rows *out, dm_error *err) {
  dm_tensor_set k = {.arena = arena};
  dm_buf inputs, transform;
  dm_buf_init(&inputs, scorer->ctx, err);
  dm_buf_init(&transform, scorer->ctx, err);
  dm_json_out j;
  dm_json_out_init(&j, &inputs, false);
  dm_scorer_save_inputs(scorer, &j);
  dm_status s = save_stages(scorer, &k, &transform, err);
  dm_model_rows rows = {
      .method = scorer->model->learner->name,
      .task = dm_scorer_task(scorer),
      .target = scorer->target.name,
      .params = params ? params : "{}",
      .inputs = s == DM_OK ? keep(arena, &inputs, err) : NULL,
      .transform = s == DM_OK ? keep(arena, &transform, err) : NULL,
      .n_tensors = k.n,
      .tensors = k.tensors,
  };
  if (s == DM_OK && (!rows.inputs || !rows.transform)) s = DM_EBUDGET;
  dm_buf_clear(&inputs);
  dm_buf_clear(&transform);
  if (s != DM_OK) return s;
  dm_tensors_sort(rows.tensors, rows.n_tensors);
  *out = rows;
  return DM_OK;
}

/* ---- rows -> database --------------------------------------------------------------- */

dm_status dm_registry_write_tensors(dm_store *store, int64_t id, const dm_tensor *tensors, size_t n, dm_error *err) {
  dm_stmt *s = NULL;
  bool row;
  dm_status status = dm_stmt_prepare(
      store, "INSERT INTO main.dm_tensor(model_id, name, part, dtype, shape, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6)", &s, err);
  for (size_t i = 0; status == DM_OK && i < n; i++) {
    const dm_tensor *t = &tensors[i];
    char shape[DM_TENSOR_RANK_MAX * 24 + 4];
    int at = snprintf(shape, sizeof shape, "[");
    for (size_t r = 0; r < t->rank; r++) at += snprintf(shape + at, sizeof shape - (size_t)at, "%s%zu", r ? "," : "", t->shape[r]);
    (void)snprintf(shape + at, sizeof shape - (size_t)at, "]");
    size_t done = 0;
    for (int64_t part = 0; status == DM_OK && (part == 0 || done < t->bytes); part++) {
      size_t bytes = t->bytes - done < DM_TENSOR_PART ? t->bytes - done : DM_TENSOR_PART;
      status = dm_stmt_bind_int(s, 1, id, err);
      if (status == DM_OK) status = dm_stmt_bind_text(s, 2, t->name, err);
      if (status == DM_OK) status = dm_stmt_bind_int(s, 3, part, err);
      if (status == DM_OK) status = dm_stmt_bind_text(s, 4, dm_dtype_name(t->type), err);
      if (status == DM_OK) status = dm_stmt_bind_text(s, 5, shape, err);
      if (status == DM_OK) status = dm_stmt_bind(s, 6, (dm_value){DM_BLOB, .text = {(const char *)t->data + done, bytes}}, err);
      if (status == DM_OK) status = dm_stmt_step(s, &row, err);
      (void)dm_stmt_reset(s, NULL);
      done += bytes;
    }
  }
  dm_stmt_free(s);
  return status;
}

dm_status dm_registry_write_model(dm_store *store, const dm_model_rows *rows, dm_model_meta *meta, dm_error *err) {
  const char *const texts[] = {meta->name,   rows->method,  rows->task,       rows->target,        meta->status,      rows->params,
                               rows->inputs, rows->transform, meta->source_sql, meta->source_digest, meta->lib_version, meta->started,
                               meta->sha256};
  const dm_value numbers[] = {{DM_INTEGER, .integer = meta->version},
                              {DM_INTEGER, .integer = meta->rows},
                              {DM_INTEGER, .integer = (int64_t)meta->seed},
                              {DM_REAL, .real = meta->seconds},
                              {meta->id ? DM_INTEGER : DM_NULL, .integer = meta->id}};
  enum { N_TEXTS = sizeof texts / sizeof *texts, N_NUMBERS = sizeof numbers / sizeof *numbers };
  dm_stmt *s = NULL;
  bool row;
  dm_status status = dm_stmt_prepare(store,
                                     "INSERT INTO main.dm_model(name, method, task, target, status, params, inputs, transform, source_sql,"
                                     " source_digest, lib_version, started, sha256, version, rows, seed, seconds, id)"
                                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
                                     &s, err);
  for (int i = 0; status == DM_OK && i < N_TEXTS; i++) status = dm_stmt_bind_text(s, i + 1, texts[i], err);
  for (int i = 0; status == DM_OK && i < N_NUMBERS; i++) status = dm_stmt_bind(s, N_TEXTS + i + 1, numbers[i], err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK) meta->id = sqlite3_last_insert_rowid(store->db);
  dm_stmt_free(s);
  return status;
}

/* ---- saving ------------------------------------------------------------------------- */

dm_status dm_registry_check_name(const char *name, dm_error *err) {
  size_t n = name ? strlen(name) : 0, characters = 0;
  bool good = n > 0 && dm_utf8_valid(name, n) == n;
  for (size_t i = 0; good && i < n; i++) {
    unsigned char c = (unsigned char)name[i];
    characters += (c & 0xC0) != 0x80;
    if (c == '@' || c < 0x20 || c == 0x7F) good = false;
  }
  if (good && characters <= 128) return DM_OK;
  return dm_fail(err, DM_EUSAGE, "model name '%s': want 1 to 128 characters without '@' and control characters", name ? name : "");
}

static dm_status write_all(dm_store *store, const dm_model_rows *rows, dm_model_meta *meta, const dm_model_metric *metrics,
                           size_t n_metrics, dm_error *err) {
  dm_status s = dm_store_ensure_schema(store, err);
  if (s == DM_OK) s = dm_registry_check_tables(store, err);
  if (s == DM_OK) s = dm_registry_replace_training(store, meta, err);
  if (s == DM_OK) s = dm_registry_write_model(store, rows, meta, err);
  if (s == DM_OK) s = dm_registry_write_tensors(store, meta->id, rows->tensors, rows->n_tensors, err);
  if (s == DM_OK) s = dm_registry_add_metrics(store, meta->id, metrics, n_metrics, err);
  if (s == DM_OK) s = dm_registry_set_active(store, meta->name, meta->id, err);
  return s;
}

dm_status dm_registry_save_rows(dm_store *store, const dm_model_rows *rows, dm_model_meta *meta, const dm_model_metric *metrics,
                                size_t n_metrics, dm_arena *arena, dm_error *err) {
  char now[32], hash[DM_SHA256_HEX];
  dm_arena *work = NULL;
  dm_model_meta m = *meta;
  bool mine;
  dm_status s = dm_arena_new(store->ctx, 0, &work, err);
  if (s == DM_OK) s = dm_model_rows_hash(work, store->ctx, rows, hash, err);
  dm_arena_free(work);
  if (s != DM_OK) return s;
  dm_time_utc(now);
  m.sha256 = dm_arena_strdup(arena, hash, strlen(hash), err);
  if (!m.started) m.started = dm_arena_strdup(arena, now, strlen(now), err);
  m.target = rows->target ? dm_arena_strdup(arena, rows->target, strlen(rows->target), err) : NULL;
  if (!m.sha256 || !m.started || (rows->target && !m.target)) return DM_EBUDGET;
  m.method = rows->method;
  m.task = rows->task;
  m.status = meta->status ? meta->status : DM_STATUS_READY;
  m.lib_version = DM_VERSION;
  m.active = true;
  s = dm_store_enter(store, &mine, err);
  if (s == DM_OK) s = dm_store_leave(store, mine, write_all(store, rows, &m, metrics, n_metrics, err), err);
  if (s == DM_OK) *meta = m;
  return s;
}

dm_status dm_registry_save(dm_store *store, const dm_scorer *scorer, dm_model_meta *meta, const dm_model_metric *metrics, size_t n_metrics,
                           dm_arena *arena, dm_error *err) {
  dm_model_rows rows;
  dm_arena *work = NULL;
  dm_status s = dm_registry_check_name(meta->name, err);
  if (s == DM_OK) s = dm_arena_new(store->ctx, 0, &work, err);
  if (s == DM_OK) s = rows_of(scorer, meta->params_json, work, &rows, err);
  if (s == DM_OK) s = dm_registry_save_rows(store, &rows, meta, metrics, n_metrics, arena, err);
  dm_arena_free(work);
  return s;
}
