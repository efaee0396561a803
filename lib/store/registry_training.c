/*
 * Trainings that are not finished.
 *
 *   dm_model   status 'training', inputs {}, transform {"checkpoint":{"scalars":…,"state":…}}
 *   dm_tensor  "checkpoint/…"
 *
 * scalars and tensors are the learner's, state is what the caller needs to
 * know whether it may go on. The row has the version that the model will
 * have, is neither active nor loaded, and its sha256 is of these rows, so
 * that a damaged checkpoint is seen. Each checkpoint replaces the one before;
 * at the end the model takes the row's place.
 */
#include "store/registry.h"
#include "store/store.h"

#include <string.h>

/* ---- writing ------------------------------------------------------------------------ */

static dm_status rows_of(const dm_checkpoint *c, const dm_model_meta *meta, const char *state, dm_arena *arena, dm_model_rows *out, dm_error *err) {
  dm_buf text;
  dm_json_out j;
  dm_buf_init(&text, c->ctx, err);
  dm_json_out_init(&j, &text, false);
  dm_json_object(&j);
  dm_json_key(&j, "checkpoint");
  dm_json_object(&j);
  dm_json_key(&j, "scalars");
  dm_json_raw(&j, c->scalars.p, c->scalars.n);
  dm_json_key(&j, "state");
  dm_json_raw(&j, state, strlen(state));
  dm_json_end_object(&j);
  dm_json_end_object(&j);
  *out = (dm_model_rows){.method = meta->method, .task = meta->task, .target = meta->target, .params = meta->params_json, .inputs = "{}",
                         .n_tensors = c->tensors.n};
  out->transform = dm_buf_status(&text) == DM_OK ? dm_arena_strdup(arena, text.p, text.n, err) : NULL;
  out->tensors = dm_arena_alloc(arena, c->tensors.n, sizeof *out->tensors, err); /* the learner's stay in its order */
  dm_buf_clear(&text);
  if (!out->transform || !out->tensors) return DM_EBUDGET;
  if (c->tensors.n) memcpy(out->tensors, c->tensors.tensors, c->tensors.n * sizeof *out->tensors);
  dm_tensors_sort(out->tensors, out->n_tensors);
  return DM_OK;
}

dm_status dm_registry_replace_training(dm_store *store, dm_model_meta *meta, dm_error *err) {
  if (meta->id) {
    dm_status s = dm_store_exec(store, err, "DELETE FROM main.dm_model WHERE id = %lld AND status = 'training' AND name = %Q",
                                (long long)meta->id, meta->name);
    if (s != DM_OK) return s;
    if (dm_store_changes(store) == 1)
      return dm_store_exec(store, err, "DELETE FROM main.dm_tensor WHERE model_id = %lld", (long long)meta->id);
    dm_log(store->ctx, DM_LOG_NOTICE, "the training '%s@%lld' is not there any more: it goes on as a new version", meta->name,
           (long long)meta->version);
    meta->id = 0;
  }
  return dm_registry_next_version(store, meta->name, &meta->version, err);
}

static dm_status write_training(dm_store *store, const dm_model_rows *rows, dm_model_meta *meta, dm_error *err) {
  dm_status s = dm_store_ensure_schema(store, err);
  if (s == DM_OK) s = dm_registry_check_tables(store, err);
  if (s == DM_OK) s = dm_registry_replace_training(store, meta, err);
  if (s == DM_OK) s = dm_registry_write_model(store, rows, meta, err);
  return s == DM_OK ? dm_registry_write_tensors(store, meta->id, rows->tensors, rows->n_tensors, err) : s;
}

dm_status dm_registry_save_training(dm_store *store, const dm_checkpoint *c, const char *state, dm_model_meta *meta, dm_error *err) {
  char hash[DM_SHA256_HEX];
  dm_model_rows rows;
  dm_model_meta m = *meta;
  dm_arena *work = NULL;
  if (!c->whole) return dm_fail(err, DM_EINTERNAL, "checkpoint: it is not whole");
  dm_status s = dm_registry_check_name(meta->name, err);
  if (s == DM_OK) s = dm_arena_new(store->ctx, 0, &work, err);
  if (s == DM_OK) s = rows_of(c, meta, state, work, &rows, err);
  if (s == DM_OK) s = dm_model_rows_hash(work, store->ctx, &rows, hash, err);
  m.status = DM_STATUS_TRAINING;
  m.sha256 = hash;
  bool mine;
  if (s == DM_OK) s = dm_store_enter(store, &mine, err);
  if (s == DM_OK) s = dm_store_leave(store, mine, write_training(store, &rows, &m, err), err);
  dm_arena_free(work);
  if (s == DM_OK) {
    meta->id = m.id;
    meta->version = m.version;
  }
  return s;
}

/* ---- reading ------------------------------------------------------------------------ */

dm_status dm_registry_find_training(dm_store *store, const char *name, dm_arena *arena, dm_model_meta *meta, bool *found, dm_error *err) {
  dm_model_meta *list = NULL;
  size_t n = 0;
  dm_status s = dm_registry_list(store, arena, &list, &n, err);
  *found = false;
  for (size_t i = 0; s == DM_OK && i < n; i++)
    if (strcmp(list[i].name, name) == 0 && strcmp(list[i].status, DM_STATUS_TRAINING) == 0) {
      *meta = list[i]; /* versions ascend: the last is the newest */
      *found = true;
    }
  return s;
}

static dm_status read_document(const dm_model_rows *rows, dm_arena *arena, const dm_json **state, const dm_json **scalars, dm_error *err) {
  const dm_json *transform;
  dm_status s = dm_json_parse(arena, rows->transform, strlen(rows->transform), &transform, err);
  if (s != DM_OK) return s;
  const dm_json *checkpoint = dm_json_get(transform, "checkpoint");
  *state = checkpoint ? dm_json_get(checkpoint, "state") : NULL;
  *scalars = checkpoint ? dm_json_get(checkpoint, "scalars") : NULL;
  if (!*state || !*scalars || (*state)->type != DM_JSON_OBJECT || (*scalars)->type != DM_JSON_OBJECT)
    return dm_fail(err, DM_EINPUT, "dm_model.transform has no checkpoint");
  return DM_OK;
}

dm_status dm_registry_load_training(dm_store *store, const dm_model_meta *meta, dm_arena *arena, const dm_json **state,
                                    dm_model_reader *reader, dm_error *err) {
  dm_model_rows rows;
  dm_tensor_set *tensors = dm_arena_alloc(arena, 1, sizeof *tensors, err);
  if (!tensors) return DM_EBUDGET;
  dm_status s = dm_store_snapshot(store, err);
  if (s != DM_OK) return s;
  dm_model_reader r = {.user = tensors, .tensor = dm_tensor_set_get};
  s = dm_model_rows_read(store, meta->id, arena, &rows, err);
  if (s == DM_OK) s = read_document(&rows, arena, state, &r.json, err);
  dm_store_snapshot_end(store);
  if (s != DM_OK) {
    dm_error_prefix(err, "checkpoint of '%s@%lld'", meta->name, (long long)meta->version);
    return s;
  }
  *tensors = (dm_tensor_set){.prefix = "checkpoint", .tensors = rows.tensors, .n = rows.n_tensors};
  *reader = r;
  return DM_OK;
}
