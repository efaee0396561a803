/* Loading a model: rows whose hash is right, made into a scorer. */
#include "model/scorer.h"
#include "store/registry.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

/* The list of stages: how many there are, and that the last one's method is the model's. */
static dm_status find_stages(const dm_json *transform, const char *method, const dm_json **out, dm_error *err) {
  const dm_json *stages = dm_json_get(transform, "stages"), *last;
  if (!stages || stages->type != DM_JSON_ARRAY || stages->n == 0) return dm_fail(err, DM_EINPUT, "dm_model.transform has no stages");
  if (stages->n > DM_STAGES_MAX) return dm_fail(err, DM_EINPUT, "the model has %zu stages, want at most %d", stages->n, DM_STAGES_MAX);
  for (last = stages->first; last->next;) last = last->next;
  if (strcmp(dm_json_get_string(last, "method", ""), method) != 0)
    return dm_fail(err, DM_EINPUT, "the method of stage %zu is not '%s'", stages->n - 1, method);
  *out = stages;
  return DM_OK;
}

/* One stage as it is read: what it takes and what is known of it. */
typedef struct stage_source {
  const dm_json *json;
  size_t number, d;       /* width of what its encoder takes */
  const dm_input *inputs; /* [d] of the first stage; NULL: the numbers of the stage before */
  size_t n_classes;
} stage_source;

/* Levels of each column that the learner sees: codes of the encoder, or of the inputs where it passes categories through. */
static dm_status levels_of(const stage_source *from, const dm_encoder *encoder, const dm_learner *learner, dm_arena *arena,
                           const size_t **out, dm_error *err) {
  size_t m = dm_encoder_n_outputs(encoder);
  size_t *levels = dm_arena_alloc(arena, m, sizeof *levels, err);
  if (!levels) return DM_EBUDGET;
  for (size_t i = 0; i < m; i++) {
    levels[i] = dm_encoder_output_levels(encoder, i);
    if (!(learner->takes & DM_TAKES_CATEGORIES) || dm_encoder_output_name(encoder, i)) continue;
    size_t source = dm_encoder_source(encoder, i);
    if (source >= from->d) return dm_fail(err, DM_EINPUT, "the encoder names input %zu of %zu", source + 1, from->d);
    if (from->inputs && from->inputs[source].kind == DM_CATEGORY) levels[i] = from->inputs[source].levels.n;
  }
  *out = levels;
  return DM_OK;
}

/* Fills *stage as far as it comes: the caller frees it. */
static dm_status load_stage(dm_ctx *ctx, const dm_model_rows *rows, const stage_source *from, dm_arena *arena, dm_stage *stage, dm_error *err) {
  char prefix[24];
  const char *method = dm_json_get_string(from->json, "method", NULL);
  const dm_json *scalars = dm_json_get(from->json, "scalars"), *encoder = dm_json_get(from->json, "encoder");
  if (!method) return dm_fail(err, DM_EINPUT, "stage %zu has no method", from->number);
  if (!encoder) return dm_fail(err, DM_EINPUT, "stage %zu has no encoder", from->number);
  if (!scalars || scalars->type != DM_JSON_OBJECT) return dm_fail(err, DM_EINPUT, "stage %zu has no scalars", from->number);
  const dm_learner *learner = dm_learner_find(ctx, method, err);
  if (!learner) return DM_EINPUT; /* for the user the model is at fault, not a name that was typed */
  (void)snprintf(prefix, sizeof prefix, "%zu", from->number);
  dm_tensor_set tensors = {.prefix = prefix, .tensors = rows->tensors, .n = rows->n_tensors};
  dm_model_reader reader = {.user = &tensors, .tensor = dm_tensor_set_get, .json = scalars, .n_classes = from->n_classes};
  dm_status s = dm_encoder_load(ctx, encoder, from->d, &stage->encoder, err);
  if (s == DM_OK) s = levels_of(from, stage->encoder, learner, arena, &reader.levels, err);
  if (s != DM_OK) return s;
  reader.d = dm_encoder_n_outputs(stage->encoder);
  s = learner->load(ctx, &reader, &stage->model, err);
  if (s == DM_OK && (stage->model->d != reader.d || stage->model->n_classes != reader.n_classes))
    s = dm_fail(err, DM_EINPUT, "the model is of %zu columns and %zu classes, its inputs are %zu and %zu", stage->model->d,
                stage->model->n_classes, reader.d, reader.n_classes);
  return s;
}

/* Classes of a model that stands before others, whose target is not kept. */
static dm_status read_classes(const dm_json *stage, size_t number, size_t *n, dm_error *err) {
  const dm_json *classes = dm_json_get(stage, "classes");
  if (!classes || classes->type != DM_JSON_INT || classes->integer < 0 || classes->integer > UINT32_MAX)
    return dm_fail(err, DM_EINPUT, "stage %zu does not say how many classes it has", number);
  *n = (size_t)classes->integer;
  return DM_OK;
}

static dm_status load_stages(dm_ctx *ctx, const dm_model_rows *rows, const dm_json *list, dm_arena *arena, dm_scorer *scorer, dm_error *err) {
  dm_stage stages[DM_STAGES_MAX] = {{0}};
  size_t n = 0;
  dm_status s = DM_OK;
  stage_source from = {.d = scorer->d, .inputs = scorer->inputs};
  for (const dm_json *e = list->first; s == DM_OK && e; e = e->next) {
    from.json = e;
    from.number = n;
    from.n_classes = scorer->target.levels.n;
    if (e->next) s = read_classes(e, n, &from.n_classes, err);
    if (s == DM_OK) s = load_stage(ctx, rows, &from, arena, &stages[n++], err);
    if (s != DM_OK) break;
    from.d = stages[n - 1].model->n_code;
    from.inputs = NULL;
    if (e->next && from.d == 0)
      s = dm_fail(err, DM_EINPUT, "stage %zu, a model by '%s', has no learned features", n - 1, stages[n - 1].model->learner->name);
  }
  if (s == DM_OK) s = dm_scorer_set_stages(scorer, stages, n, err);
  for (size_t i = 0; s != DM_OK && i < n; i++) {
    if (stages[i].model) stages[i].model->learner->free(stages[i].model);
    dm_encoder_free(stages[i].encoder);
  }
  return s;
}

static dm_status check_task(const dm_model_rows *rows, const dm_scorer *scorer, const dm_learner *learner, dm_error *err) {
  const char *task = dm_scorer_task(scorer);
  if (strcmp(rows->task, task) != 0) return dm_fail(err, DM_EINPUT, "task '%s' with %zu classes", rows->task, scorer->target.levels.n);
  unsigned wanted = !scorer->target.name ? DM_ENCODE : scorer->target.levels.n ? DM_CLASSIFY : DM_REGRESS;
  if (!(learner->tasks & wanted)) return dm_fail(err, DM_EINPUT, "method '%s' does not %s", learner->name, rows->task);
  if (!rows->target != !scorer->target.name || (rows->target && strcmp(rows->target, scorer->target.name) != 0))
    return dm_fail(err, DM_EINPUT, "target '%s' in dm_model, '%s' in its inputs", rows->target ? rows->target : "",
                   scorer->target.name ? scorer->target.name : "");
  return DM_OK;
}

static dm_status scorer_of(dm_ctx *ctx, const dm_model_rows *rows, dm_arena *arena, dm_scorer **out, dm_error *err) {
  const dm_json *inputs, *transform, *stages = NULL;
  const dm_learner *learner = dm_learner_find(ctx, rows->method, err);
  if (!learner) return DM_EINPUT;
  dm_scorer *scorer = NULL;
  dm_status s = dm_json_parse(arena, rows->inputs, strlen(rows->inputs), &inputs, err);
  if (s == DM_OK) s = dm_json_parse(arena, rows->transform, strlen(rows->transform), &transform, err);
  if (s == DM_OK) s = find_stages(transform, rows->method, &stages, err);
  if (s == DM_OK) s = dm_scorer_load_inputs(ctx, inputs, &scorer, err);
  if (s == DM_OK) s = check_task(rows, scorer, learner, err);
  if (s == DM_OK) s = load_stages(ctx, rows, stages, arena, scorer, err);
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
    s = dm_registry_check_scores(store, &m, &why);
    if (s == DM_OK) s = dm_arena_new(store->ctx, 0, &work, &why);
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
