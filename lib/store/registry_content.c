/*
 * Models that score no rows of a table, but hold something of their own: rules.
 *
 *   dm_model   inputs {}, transform {"content":{"scalars":…}}
 *   dm_tensor  "content/…"
 *
 * The method writes and reads scalars and tensors itself; the registry gives
 * them version, hash and activity as to all others.
 */
#include "store/registry.h"
#include "store/store.h"

#include <string.h>

#define CONTENT "content"

/* ---- saving ------------------------------------------------------------------------- */

static dm_status name_tensors(const dm_checkpoint *c, dm_arena *arena, dm_model_rows *out, dm_error *err) {
  const size_t prefix = strlen(c->tensors.prefix) + 1;
  out->n_tensors = c->tensors.n;
  out->tensors = dm_arena_alloc(arena, c->tensors.n, sizeof *out->tensors, err);
  if (!out->tensors) return DM_EBUDGET;
  for (size_t i = 0; i < c->tensors.n; i++) {
    out->tensors[i] = c->tensors.tensors[i];
    out->tensors[i].name = dm_arena_printf(arena, err, CONTENT "/%s", c->tensors.tensors[i].name + prefix);
    if (!out->tensors[i].name) return DM_EBUDGET;
  }
  dm_tensors_sort(out->tensors, out->n_tensors);
  return DM_OK;
}

static dm_status rows_of(const dm_checkpoint *c, const dm_model_meta *meta, dm_arena *arena, dm_model_rows *out, dm_error *err) {
  dm_buf text;
  dm_json_out j;
  dm_buf_init(&text, c->ctx, err);
  dm_json_out_init(&j, &text, false);
  dm_json_object(&j);
  dm_json_key(&j, CONTENT);
  dm_json_object(&j);
  dm_json_key(&j, "scalars");
  dm_json_raw(&j, c->scalars.p, c->scalars.n);
  dm_json_end_object(&j);
  dm_json_end_object(&j);
  *out = (dm_model_rows){.method = meta->method, .task = meta->task, .target = meta->target,
                         .params = meta->params_json ? meta->params_json : "{}", .inputs = "{}"};
  dm_status s = dm_buf_status(&text);
  out->transform = s == DM_OK ? dm_arena_strdup(arena, text.p, text.n, err) : NULL;
  dm_buf_clear(&text);
  return out->transform ? name_tensors(c, arena, out, err) : DM_EBUDGET;
}

dm_status dm_registry_save_content(dm_store *store, const dm_checkpoint *c, dm_model_meta *meta, const dm_model_metric *metrics,
                                   size_t n_metrics, dm_arena *arena, dm_error *err) {
  dm_model_rows rows;
  dm_arena *work = NULL;
  if (!c->whole) return dm_fail(err, DM_EINTERNAL, "model: its content is not whole");
  dm_status s = dm_registry_check_name(meta->name, err);
  if (s == DM_OK) s = dm_arena_new(store->ctx, 0, &work, err);
  if (s == DM_OK) s = rows_of(c, meta, work, &rows, err);
  if (s == DM_OK) s = dm_registry_save_rows(store, &rows, meta, metrics, n_metrics, arena, err);
  dm_arena_free(work);
  return s;
}

/* ---- loading ------------------------------------------------------------------------ */

dm_status dm_registry_scores(dm_store *store, int64_t model_id, bool *scores, dm_error *err) {
  dm_stmt *s = NULL;
  bool row = false;
  dm_status status = dm_stmt_prepare(
      store, "SELECT json_type(transform, '$." CONTENT "') IS NULL FROM main.dm_model WHERE id = ?1 AND json_valid(transform)", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 1, model_id, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK) *scores = !row || dm_stmt_int(s, 0) != 0; /* of a damaged row the loader says what is wrong */
  dm_stmt_free(s);
  return status;
}

dm_status dm_registry_check_scores(dm_store *store, const dm_model_meta *m, dm_error *err) {
  bool scores;
  dm_status s = dm_registry_scores(store, m->id, &scores, err);
  if (s != DM_OK || scores) return s;
  (void)dm_fail(err, DM_EUSAGE, "it is a model by '%s', which does not score rows", m->method);
  if (strcmp(m->method, "rules") == 0)
    dm_error_hint(err, "it holds rules: SELECT * FROM dm_rules('%s'); dm_recommend('%s', basket) applies them", m->name, m->name);
  return DM_EUSAGE;
}

static dm_status read_content(const dm_model_rows *rows, dm_arena *arena, dm_model_reader *reader, dm_error *err) {
  const dm_json *transform;
  dm_tensor_set *tensors = dm_arena_alloc(arena, 1, sizeof *tensors, err);
  if (!tensors) return DM_EBUDGET;
  dm_status s = dm_json_parse(arena, rows->transform, strlen(rows->transform), &transform, err);
  if (s != DM_OK) return s;
  const dm_json *content = dm_json_get(transform, CONTENT), *scalars = content ? dm_json_get(content, "scalars") : NULL;
  if (!scalars || scalars->type != DM_JSON_OBJECT) return dm_fail(err, DM_EINPUT, "dm_model.transform has no content");
  *tensors = (dm_tensor_set){.prefix = CONTENT, .tensors = rows->tensors, .n = rows->n_tensors};
  *reader = (dm_model_reader){.user = tensors, .tensor = dm_tensor_set_get, .json = scalars};
  return DM_OK;
}

static dm_status check_method(dm_store *store, const dm_model_meta *m, const char *method, dm_error *err) {
  bool scores = false;
  if (method && strcmp(m->method, method) == 0) return DM_OK;
  dm_status s = method ? DM_OK : dm_registry_scores(store, m->id, &scores, err);
  if (s == DM_OK && (method || scores))
    s = dm_fail(err, DM_EUSAGE, "it is a model by '%s', want one by %s", m->method, method ? method : "a method that scores no rows");
  return s;
}

dm_status dm_registry_load_content(dm_store *store, const char *reference, const char *method, dm_arena *arena, dm_model_reader *reader,
                                   dm_model_meta *meta, dm_error *err) {
  dm_model_meta m = {0};
  dm_model_rows rows;
  dm_model_reader r;
  dm_status s = dm_store_snapshot(store, err);
  if (s != DM_OK) return s;
  s = dm_registry_find(store, reference, arena, &m, err); /* checks the tables first */
  if (s == DM_OK) {
    s = check_method(store, &m, method, err);
    if (s == DM_OK) s = dm_model_rows_read(store, m.id, arena, &rows, err);
    if (s == DM_OK) s = read_content(&rows, arena, &r, err);
    if (s != DM_OK) dm_error_prefix(err, "model '%s@%lld'", m.name, (long long)m.version);
  }
  dm_store_snapshot_end(store);
  if (s != DM_OK) return s;
  *reader = r;
  if (meta) *meta = m;
  return DM_OK;
}
