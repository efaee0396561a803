/* Encoders: one raw row to its encoded row. What fits them is in encoder_fit.c. */
#include "data/encoder.h"
#include "matrix/kernels/kernels.h"

#include <math.h>
#include <string.h>

const char *dm_step_kind_name(dm_step_kind kind) {
  static const char *const names[DM_STEP_KINDS] = {"number", "bins", "one-hot", "ordinal", "robust", "quantile"};
  return names[kind];
}

bool dm_step_is_category(dm_step_kind kind) { return kind == DM_STEP_ONE_HOT || kind == DM_STEP_ORDINAL; }

bool dm_scale_parse(const char *name, dm_scale *out) {
  static const char *const names[] = {"none", "standard", "minmax", "robust", "quantile"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i]) == 0) {
      *out = (dm_scale)i;
      return true;
    }
  return false;
}

dm_status dm_encoder_new(dm_ctx *ctx, size_t d, dm_encoder **out, dm_error *err) {
  dm_arena *memory;
  dm_status s = dm_arena_new(ctx, 0, &memory, err);
  if (s != DM_OK) return s;
  dm_encoder *e = dm_arena_alloc(memory, 1, sizeof *e, err);
  dm_step *steps = e ? dm_arena_alloc(memory, d, sizeof *steps, err) : NULL;
  if (!steps) {
    dm_arena_free(memory);
    return DM_EBUDGET;
  }
  *e = (dm_encoder){.ctx = ctx, .memory = memory, .d = d, .steps = steps};
  *out = e;
  return DM_OK;
}

dm_status dm_encoder_passthrough(dm_ctx *ctx, size_t d, dm_encoder **out, dm_error *err) {
  dm_status s = dm_encoder_new(ctx, 0, out, err);
  if (s != DM_OK) return s;
  (*out)->steps = NULL;
  (*out)->d = (*out)->m = d;
  return DM_OK;
}

static dm_status place_side_by_side(dm_encoder *e, dm_error *err) {
  dm_step_kind kind = e->d ? e->steps[0].kind : DM_STEP_BINS;
  if (kind != DM_STEP_NUMBER && kind != DM_STEP_ROBUST) return DM_OK;
  for (size_t c = 0; c < e->d; c++)
    if (e->steps[c].kind != kind || e->steps[c].indicator) return DM_OK;
  double *room = dm_arena_alloc(e->memory, e->d, 3 * sizeof *room, err);
  if (!room) return DM_EBUDGET;
  e->fills = room;
  e->centers = room + e->d;
  e->scales = room + 2 * e->d;
  e->bounded = kind == DM_STEP_ROBUST;
  for (size_t c = 0; c < e->d; c++) {
    e->fills[c] = e->steps[c].fill;
    e->centers[c] = e->steps[c].center;
    e->scales[c] = e->steps[c].scale;
  }
  return DM_OK;
}

dm_status dm_encoder_place_outputs(dm_encoder *e, dm_error *err) {
  e->m = 0;
  for (size_t c = 0; c < e->d; c++) {
    dm_step *step = &e->steps[c];
    step->output = e->m;
    step->n_outputs = step->kind == DM_STEP_ONE_HOT ? step->n + step->missing_level : (size_t)1 + step->indicator;
    e->m += step->n_outputs;
  }
  e->source = dm_arena_alloc(e->memory, e->m, sizeof *e->source, err);
  e->names = e->source ? dm_arena_alloc(e->memory, e->m, sizeof *e->names, err) : NULL;
  if (!e->names) return DM_EBUDGET;
  for (size_t c = 0; c < e->d; c++)
    for (size_t k = 0; k < e->steps[c].n_outputs; k++) e->source[e->steps[c].output + k] = c;
  return place_side_by_side(e, err);
}

void dm_encoder_free(dm_encoder *e) {
  if (e) dm_arena_free(e->memory);
}

size_t dm_encoder_n_inputs(const dm_encoder *e) { return e->d; }
size_t dm_encoder_n_outputs(const dm_encoder *e) { return e->m; }
size_t dm_encoder_source(const dm_encoder *e, size_t output) { return e->steps ? e->source[output] : output; }
const char *dm_encoder_output_name(const dm_encoder *e, size_t output) { return e->steps ? e->names[output] : NULL; }

size_t dm_encoder_output_levels(const dm_encoder *e, size_t output) {
  if (!e->steps) return 0;
  const dm_step *step = &e->steps[e->source[output]];
  return step->kind == DM_STEP_ORDINAL && step->other ? step->n + step->missing_level + 1 : 0;
}

/* Number of edges ≤ v. */
static size_t edges_below(const dm_step *step, double v) {
  size_t low = 0, high = step->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (step->edges[middle] <= v)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static double quantile(const dm_step *step, double v) {
  if (isnan(v)) return v;
  if (step->n == 0) return 0;
  size_t i = edges_below(step, v);
  if (i == 0) return step->scores[0];
  if (i == step->n) return step->scores[i - 1];
  double from = step->edges[i - 1], share = (v - from) / (step->edges[i] - from);
  return step->scores[i - 1] + share * (step->scores[i] - step->scores[i - 1]);
}

/* Place of a level code among the seen ones, or SIZE_MAX. */
static size_t place_of(const dm_step *step, double v) {
  if (!(v >= 0 && v < (double)UINT32_MAX)) return SIZE_MAX;
  uint32_t code = (uint32_t)v;
  if (code < step->n && step->seen[code] == code) return code; /* most often all levels were seen */
  size_t low = 0, high = step->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (step->seen[middle] == code) return middle;
    if (step->seen[middle] < code)
      low = middle + 1;
    else
      high = middle;
  }
  return SIZE_MAX;
}

static void one_hot(const dm_step *step, double v, double *out) {
  size_t place = isnan(v) && step->missing_level ? step->n : place_of(step, v);
  for (size_t k = 0; k < step->n_outputs; k++) out[k] = 0;
  if (place != SIZE_MAX) out[place] = 1;
}

static double ordinal(const dm_step *step, double v) {
  double other = (double)(step->n + step->missing_level);
  if (isnan(v)) return step->missing_level ? (double)step->n : step->other ? other : v;
  size_t place = place_of(step, v);
  return place != SIZE_MAX ? (double)place : step->other ? other : -1;
}

void dm_encoder_row(const dm_encoder *e, const double *raw, double *out) {
  if (!e->steps) {
    if (e->d) memcpy(out, raw, e->d * sizeof *out);
    return;
  }
  if (e->fills) {
    dm_k_scale_row(e->d, raw, e->fills, e->centers, e->scales, out);
    if (e->bounded) dm_k_bound(e->d, out);
    return;
  }
  size_t bounded = 0; /* ROBUST outputs side by side, whose roots are taken together */
  for (size_t c = 0; c < e->d; c++) {
    const dm_step *step = &e->steps[c];
    double v = isnan(raw[c]) ? step->fill : raw[c], *to = out + step->output;
    switch (step->kind) {
    case DM_STEP_NUMBER: *to = (v - step->center) / step->scale; break;
    case DM_STEP_BINS: *to = isnan(v) ? v : (double)edges_below(step, v); break;
    case DM_STEP_ONE_HOT: one_hot(step, v, to); break;
    case DM_STEP_ORDINAL: *to = ordinal(step, v); break;
    case DM_STEP_ROBUST:
      *to = (v - step->center) / step->scale;
      bounded++;
      break;
    case DM_STEP_QUANTILE: *to = quantile(step, v); break;
    }
    if (step->indicator) to[1] = isnan(raw[c]) ? 1 : 0;
    if (!bounded || (!step->indicator && c + 1 < e->d && e->steps[c + 1].kind == DM_STEP_ROBUST)) continue;
    dm_k_bound(bounded, to + 1 - bounded);
    bounded = 0;
  }
}
