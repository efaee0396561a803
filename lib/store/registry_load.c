/* Loading a model: rows whose hash is right, made into a scorer. */
#include "store/registry.h"
#include "store/store.h"

#include <string.h>

/* The one stage of today's models. */
static dm_status find_stage(const dm_json *transform, const char *method, const dm_json **stage, dm_error *err) {
  const dm_json *stages = dm_json_get(transform, "stages");
  if (!stages || stages->type != DM_JSON_ARRAY || stages->n == 0) return dm_fail(err, DM_EINPUT, "dm_model.transform has no stages");
  if (stages->n > 1) return dm_fail(err, DM_EINPUT, "the model has %zu stages, this dm reads models of one", stages->n);
  const dm_json *s = stages->first, *name = dm_json_get(s, "method");
  if (!name || name->type != DM_JSON_STRING || strcmp(name->string.p, method) != 0)
    return dm_fail(err, DM_EINPUT, "the method of stage 0 is not '%s'", method);
  if (!dm_json_get(s, "encoder")) return dm_fail(err, DM_EINPUT, "stage 0 has no encoder");
  const dm_json *scalars = dm_json_get(s, "scalars");
  if (!scalars || scalars->type != DM_JSON_OBJECT) return dm_fail(err, DM_EINPUT, "stage 0 has no scalars");
  *stage = s;
  return DM_OK;
}

/* Levels of each column that the learner sees: codes of the encoder, or of the inputs where it passes categories through. */
static dm_status levels_of(const dm_scorer *scorer, const dm_learner *learner, dm_arena *arena, const size_t **out, dm_error *err) {
  size_t m = dm_encoder_n_outputs(scorer->encoder);
  size_t *levels = dm_arena_alloc(arena, m, sizeof *levels, err);
  if (!levels) return DM_EBUDGET;
  for (size_t i = 0; i < m; i++) {
    levels[i] = dm_encoder_output_levels(scorer->encoder, i);
    if (!(learner->takes & DM_TAKES_CATEGORIES) || dm_encoder_output_name(scorer->encoder, i)) continue;
    size_t source = dm_encoder_source(scorer->encoder, i);
    if (source >= scorer->d) return dm_fail(err, DM_EINPUT, "the encoder names input %zu of %zu", source + 1, scorer->d);
    if (scorer->inputs[source].kind == DM_CATEGORY) levels[i] = scorer->inputs[source].levels.n;
  }
  *out = levels;
  return DM_OK;
}

static dm_status load_stage(dm_ctx *ctx, const dm_model_rows *rows, const dm_json *stage, const dm_learner *learner, dm_arena *arena,
                            dm_scorer *scorer, dm_error *err) {
  dm_status s = dm_encoder_load(ctx, dm_json_get(stage, "encoder"), scorer->d, &scorer->encoder, err);
  dm_tensor_set tensors = {.prefix = "0", .tensors = rows->tensors, .n = rows->n_tensors};
  dm_model_reader reader = {.user = &tensors, .tensor = dm_tensor_set_get, .json = dm_json_get(stage, "scalars")};
  if (s == DM_OK) s = levels_of(scorer, learner, arena, &reader.levels, err);
  if (s != DM_OK) return s;
  reader.d = dm_encoder_n_outputs(scorer->encoder);
  reader.n_classes = scorer->target.levels.n;
  s = learner->load(ctx, &reader, &scorer->model, err);
  if (s == DM_OK && (scorer->model->d != reader.d || scorer->model->n_classes != reader.n_classes))
    s = dm_fail(err, DM_EINPUT, "the model is of %zu columns and %zu classes, its inputs are %zu and %zu", scorer->model->d,
                scorer->model->n_classes, reader.d, reader.n_classes);
  return s;
}

static dm_status check_task(const dm_model_rows *rows, const dm_scorer *scorer, const dm_learner *learner, dm_error *err) {
  bool classify = scorer->target.levels.n > 0;
  if (strcmp(rows->task, classify ? "classify" : "regress") != 0)
    return dm_fail(err, DM_EINPUT, "task '%s' with %zu classes", rows->task, scorer->target.levels.n);
  if (!(learner->tasks & (classify ? DM_CLASSIFY : DM_REGRESS)))
    return dm_fail(err, DM_EINPUT, "method '%s' does not %s", learner->name, rows->task);
  if (rows->target && scorer->target.name && strcmp(rows->target, scorer->target.name) != 0)
    return dm_fail(err, DM_EINPUT, "target '%s' in dm_model, '%s' in its inputs", rows->target, scorer->target.name);
  return DM_OK;
}

static dm_status scorer_of(dm_ctx *ctx, const dm_model_rows *rows, dm_arena *arena, dm_scorer **out, dm_error *err) {
  const dm_json *inputs, *transform, *stage = NULL;
  const dm_learner *learner = dm_learner_find(ctx, rows->method, err);
  if (!learner) return DM_EINPUT; /* for the user the model is at fault, not a name that was typed */
  dm_scorer *scorer = NULL;
  dm_status s = dm_json_parse(arena, rows->inputs, strlen(rows->inputs), &inputs, err);
  if (s == DM_OK) s = dm_json_parse(arena, rows->transform, strlen(rows->transform), &transform, err);
  if (s == DM_OK) s = find_stage(transform, rows->method, &stage, err);
  if (s == DM_OK) s = dm_scorer_load_inputs(ctx, inputs, &scorer, err);
  if (s == DM_OK) s = check_task(rows, scorer, learner, err);
  if (s == DM_OK) s = load_stage(ctx, rows, stage, learner, arena, scorer, err);
  if (s != DM_OK) {
    dm_scorer_free(scorer);
    return s;
  }
  *out = scorer;
  return DM_OK;
}

dm_status dm_registry_load(dm_store *store, const char *reference, dm_arena *arena, dm_scorer **scorer, dm_model_meta *meta,
                           dm_error *err) {
  dm_model_meta m = {0};
  dm_model_rows rows;
  dm_arena *work = NULL;
  dm_error why = {0};
  dm_status s = dm_store_snapshot(store, err);
  if (s != DM_OK) return s;
  s = dm_registry_find(store, reference, arena, &m, err); /* checks the tables first */
  if (s == DM_OK) {
    s = dm_arena_new(store->ctx, 0, &work, &why);
    if (s == DM_OK) s = dm_model_rows_read(store, m.id, work, &rows, &why);
    if (s == DM_OK) s = scorer_of(store->ctx, &rows, work, scorer, &why);
    if (s != DM_OK) {
      why.code = s;
      dm_error_prefix(&why, "model '%s@%lld'", m.name, (long long)m.version);
      if (err) *err = why;
    }
  }
  dm_store_snapshot_end(store);
  dm_arena_free(work);
  if (s == DM_OK && meta) *meta = m;
  return s;
}
