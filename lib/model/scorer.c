/*
 * The composite model: inputs -> encoder -> model of a learner.
 * Made from the frame a model was trained on, from two such
 * (scorer_stages.c), or from what was stored (scorer_inputs.c).
 */
#include "model/scorer.h"

#include <math.h>
#include <string.h>

dm_status dm_scorer_alloc(dm_ctx *ctx, size_t d, dm_scorer **out, dm_error *err) {
  dm_scorer *s = dm_alloc(ctx, 1, sizeof *s, "scorer", err);
  if (!s) return DM_EBUDGET;
  *s = (dm_scorer){.ctx = ctx, .d = d};
  dm_status status = dm_arena_new(ctx, 4096, &s->memory, err);
  if (status == DM_OK && !(s->inputs = dm_arena_alloc(s->memory, d, sizeof *s->inputs, err))) status = DM_EBUDGET;
  if (status != DM_OK) {
    dm_scorer_free(s);
    return status;
  }
  s->features = s->inputs;
  *out = s;
  return DM_OK;
}

void dm_scorer_free(dm_scorer *s) {
  if (!s) return;
  for (size_t i = 0; i < s->n_before; i++) {
    s->before[i].model->learner->free(s->before[i].model);
    dm_encoder_free(s->before[i].encoder);
  }
  if (s->model) s->model->learner->free(s->model);
  dm_encoder_free(s->encoder);
  dm_arena_free(s->memory);
  dm_free(s->ctx, s);
}

dm_status dm_scorer_copy_levels(dm_arena *memory, const dm_levels *in, dm_levels *out, dm_error *err) {
  dm_levels copy = {.n = in->n, .type = in->type};
  dm_str *names = dm_arena_alloc(memory, in->n, sizeof *names, err);
  if (!names) return DM_EBUDGET;
  for (size_t i = 0; i < in->n; i++) {
    names[i].n = in->names[i].n;
    if (!(names[i].p = dm_arena_strdup(memory, in->names[i].p, in->names[i].n, err))) return DM_EBUDGET;
  }
  copy.names = names;
  if (in->numbers) {
    double *numbers = dm_arena_alloc(memory, in->n, sizeof *numbers, err);
    if (!numbers) return DM_EBUDGET;
    if (in->n) memcpy(numbers, in->numbers, in->n * sizeof *numbers);
    copy.numbers = numbers;
  }
  *out = copy;
  return DM_OK;
}

static dm_status copy_input(dm_scorer *s, const dm_frame_column *from, dm_input *to, dm_error *err) {
  to->kind = from->kind;
  to->type = from->type;
  if (!(to->name = dm_arena_strdup(s->memory, from->name, strlen(from->name), err))) return DM_EBUDGET;
  if (from->kind != DM_CATEGORY) return DM_OK;
  return dm_scorer_copy_levels(s->memory, &from->levels, &to->levels, err);
}

static dm_status copy_target(dm_scorer *s, const dm_frame_column *from, dm_error *err) {
  s->target.type = from->type;
  if (!(s->target.name = dm_arena_strdup(s->memory, from->name, strlen(from->name), err))) return DM_EBUDGET;
  if (from->kind != DM_CATEGORY) return DM_OK;
  return dm_scorer_copy_levels(s->memory, &from->levels, &s->target.levels, err);
}

dm_status dm_scorer_new(dm_ctx *ctx, const dm_frame *frame, const size_t *columns, size_t d, size_t target_column, dm_encoder *encoder,
                        dm_model *model, dm_scorer **out, dm_error *err) {
  dm_scorer *s = NULL;
  dm_status status = dm_scorer_alloc(ctx, d, &s, err);
  for (size_t j = 0; status == DM_OK && j < d; j++)
    status = copy_input(s, &frame->columns[columns[j]], &s->inputs[j], err);
  if (status == DM_OK && target_column != SIZE_MAX) status = copy_target(s, &frame->columns[target_column], err);
  if (status != DM_OK) {
    dm_scorer_free(s);
    return status;
  }
  s->encoder = encoder;
  s->model = model;
  *out = s;
  return DM_OK;
}

dm_status dm_scorer_bind(const dm_scorer *s, size_t input, dm_value v, double *raw, dm_error *err) {
  const dm_input *in = &s->inputs[input];
  if (v.type == DM_NULL) {
    *raw = (double)NAN;
    return DM_OK;
  }
  if (v.type == DM_BLOB) return dm_fail(err, DM_EINPUT, "column '%s': a BLOB, want a number or text", in->name);
  if (v.type == DM_REAL && !isfinite(v.real))
    return dm_fail(err, DM_EINPUT, "column '%s': %s, want a finite number", in->name, isnan(v.real) ? "NaN" : "infinity");
  if (in->kind == DM_CATEGORY) {
    size_t code = dm_levels_find(&in->levels, v);
    *raw = code == SIZE_MAX ? -1 : (double)code;
    return DM_OK;
  }
  if (v.type == DM_TEXT) {
    int shown = v.text.n < 60 ? (int)v.text.n : 60;
    return dm_fail(err, DM_EINPUT, "column '%s': the text '%.*s', want a number", in->name, shown, v.text.p);
  }
  *raw = v.type == DM_INTEGER ? (double)v.integer : v.real;
  return DM_OK;
}

const char *dm_scorer_task(const dm_scorer *s) { return !s->target.name ? "encode" : s->target.levels.n ? "classify" : "regress"; }

dm_value dm_scorer_value(const dm_scorer *s, double value) {
  const dm_levels *levels = &s->target.levels;
  if (!s->target.name) return (dm_value){.type = DM_INTEGER, .integer = value > 0};
  if (levels->n == 0) return (dm_value){.type = DM_REAL, .real = value};
  size_t code = (size_t)value;
  if (levels->type == DM_TEXT) return (dm_value){.type = DM_TEXT, .text = levels->names[code]};
  if (levels->type == DM_INTEGER) return (dm_value){.type = DM_INTEGER, .integer = (int64_t)levels->numbers[code]};
  return (dm_value){.type = DM_REAL, .real = levels->numbers[code]};
}
