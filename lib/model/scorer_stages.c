/*
 * Stages one after the other: what a model has learned is what the next one
 * takes, as numbers e1 … em. Models are moved into the composite, never
 * referred to.
 */
#include "model/scorer.h"

#include <string.h>

/* Columns e1 … em of a stage's code. */
static dm_status name_codes(dm_arena *memory, size_t m, dm_input **out, dm_error *err) {
  dm_input *features = dm_arena_alloc(memory, m, sizeof *features, err);
  for (size_t i = 0; features && i < m; i++) {
    features[i] = (dm_input){.name = dm_arena_printf(memory, err, "e%zu", i + 1), .kind = DM_NUMERIC, .type = DM_REAL};
    if (!features[i].name) return DM_EBUDGET;
  }
  if (!features) return DM_EBUDGET;
  *out = features;
  return DM_OK;
}

/* Every stage takes what the one before it gives. */
static dm_status check_widths(size_t d, const dm_stage *stages, size_t n, dm_error *err) {
  if (n == 0 || n > DM_STAGES_MAX) return dm_fail(err, DM_EUSAGE, "a model of %zu stages, want 1 to %d", n, DM_STAGES_MAX);
  for (size_t i = 0; i < n; i++) {
    size_t takes = dm_encoder_n_inputs(stages[i].encoder), given = i ? stages[i - 1].model->n_code : d;
    if (i && given == 0) {
      (void)dm_fail(err, DM_EUSAGE, "stage %zu, a model by '%s', has no learned features", i - 1, stages[i - 1].model->learner->name);
      dm_error_hint(err, "features are learned by autoencoders and nets");
      return DM_EUSAGE;
    }
    if (takes != given) return dm_fail(err, DM_EUSAGE, "stage %zu takes %zu columns, %zu are given", i, takes, given);
  }
  return DM_OK;
}

dm_status dm_scorer_set_stages(dm_scorer *s, const dm_stage *stages, size_t n, dm_error *err) {
  dm_input *features = s->inputs;
  dm_stage *before = NULL;
  dm_status status = check_widths(s->d, stages, n, err);
  if (status != DM_OK) return status;
  if (n > 1 && !(before = dm_arena_alloc(s->memory, n - 1, sizeof *before, err))) return DM_EBUDGET;
  if (n > 1 && (status = name_codes(s->memory, stages[n - 2].model->n_code, &features, err)) != DM_OK) return status;
  if (n > 1) memcpy(before, stages, (n - 1) * sizeof *before);
  s->before = before;
  s->n_before = n - 1;
  s->features = features;
  s->encoder = stages[n - 1].encoder;
  s->model = stages[n - 1].model;
  return DM_OK;
}

dm_status dm_scorer_compose(dm_scorer *features, dm_scorer *last, dm_scorer **out, dm_error *err) {
  dm_stage stages[2 * DM_STAGES_MAX];
  size_t n = 0;
  for (size_t i = 0; i < features->n_before; i++) stages[n++] = features->before[i];
  stages[n++] = (dm_stage){features->encoder, features->model};
  for (size_t i = 0; i < last->n_before; i++) stages[n++] = last->before[i];
  stages[n++] = (dm_stage){last->encoder, last->model};
  dm_target target = {0};
  dm_status s = DM_OK;
  if (last->target.name) {
    target.type = last->target.type;
    if (!(target.name = dm_arena_strdup(features->memory, last->target.name, strlen(last->target.name), err))) return DM_EBUDGET;
    s = dm_scorer_copy_levels(features->memory, &last->target.levels, &target.levels, err);
  }
  if (s == DM_OK) s = dm_scorer_set_stages(features, stages, n, err);
  if (s != DM_OK) return s;
  features->target = target;
  last->encoder = NULL;
  last->model = NULL;
  last->n_before = 0;
  dm_scorer_free(last);
  *out = features;
  return DM_OK;
}

const char *dm_scorer_feature_name(const dm_scorer *s, size_t feature) { return s->features[feature].name; }
