/*
 * Encoders as JSON and back:
 *
 *   {"passthrough": true}
 *   {"inputs": [{"kind": "number", "fill": 1.5, "center": 1.5, "scale": 0.25},
 *               {"kind": "bins", "edges": [1, 2.5]},
 *               {"kind": "one-hot", "fill": 1, "seen": [0, 1, 4]},
 *               {"kind": "ordinal", "missing": true, "other": true, "seen": [0, 1]},
 *               {"kind": "robust", "indicator": true, "fill": 3, "center": 3, "scale": 2},
 *               {"kind": "quantile", "edges": [1, 2.5, 4], "scores": [-1.5, 0, 1.5]}],
 *    "outputs": ["age", "height", "sex=F", ...]}
 *
 * Doubles are the shortest that read back, so a loaded encoder has the bits of
 * the fitted one. What is loaded may be forged: all of it is checked.
 */
#include "data/encoder.h"

#include <math.h>
#include <string.h>

static void save_doubles(dm_json_out *json, const char *key, const double *x, size_t n) {
  dm_json_key(json, key);
  dm_json_array(json);
  for (size_t i = 0; i < n; i++) dm_json_double(json, x[i]);
  dm_json_end_array(json);
}

static void save_step(const dm_step *step, dm_json_out *json) {
  dm_json_object(json);
  dm_json_put_string(json, "kind", dm_step_kind_name(step->kind));
  if (!isnan(step->fill)) {
    dm_json_put_double(json, "fill", step->fill);
  }
  if (step->missing_level) {
    dm_json_put_bool(json, "missing", true);
  }
  if (step->other) {
    dm_json_put_bool(json, "other", true);
  }
  if (step->indicator) {
    dm_json_put_bool(json, "indicator", true);
  }
  switch (step->kind) {
  case DM_STEP_NUMBER:
  case DM_STEP_ROBUST:
    dm_json_put_double(json, "center", step->center);
    dm_json_put_double(json, "scale", step->scale);
    break;
  case DM_STEP_BINS: save_doubles(json, "edges", step->edges, step->n); break;
  case DM_STEP_QUANTILE:
    save_doubles(json, "edges", step->edges, step->n);
    save_doubles(json, "scores", step->scores, step->n);
    break;
  case DM_STEP_ONE_HOT:
  case DM_STEP_ORDINAL:
    dm_json_key(json, "seen");
    dm_json_array(json);
    for (size_t i = 0; i < step->n; i++) dm_json_int(json, step->seen[i]);
    dm_json_end_array(json);
    break;
  }
  dm_json_end_object(json);
}

void dm_encoder_save(const dm_encoder *e, dm_json_out *json) {
  dm_json_object(json);
  if (!e->steps) {
    dm_json_put_bool(json, "passthrough", true);
    dm_json_end_object(json);
    return;
  }
  dm_json_key(json, "inputs");
  dm_json_array(json);
  for (size_t c = 0; c < e->d; c++) save_step(&e->steps[c], json);
  dm_json_end_array(json);
  dm_json_key(json, "outputs");
  dm_json_array(json);
  for (size_t k = 0; k < e->m; k++) dm_json_string(json, e->names[k]);
  dm_json_end_array(json);
  dm_json_end_object(json);
}

static dm_status bad(size_t input, const char *what, dm_error *err) {
  return dm_fail(err, DM_EINPUT, "encoder: input %zu: %s", input + 1, what);
}

/* A finite member; absent gives `otherwise` where that is allowed. */
static bool finite_member(const dm_json *object, const char *key, double otherwise, double *out) {
  const dm_json *v = dm_json_get(object, key);
  *out = otherwise;
  if (!v) return isnan(otherwise);
  if ((v->type != DM_JSON_INT && v->type != DM_JSON_DOUBLE) || !isfinite(v->real)) return false;
  *out = v->real;
  return true;
}

static dm_status load_edges(dm_encoder *e, size_t input, const dm_json *list, dm_error *err) {
  dm_step *step = &e->steps[input];
  size_t i = 0;
  step->n = list->n;
  step->edges = dm_arena_alloc(e->memory, list->n, sizeof *step->edges, err);
  if (!step->edges) return DM_EBUDGET;
  for (const dm_json *v = list->first; v; v = v->next, i++) {
    if ((v->type != DM_JSON_INT && v->type != DM_JSON_DOUBLE) || !isfinite(v->real)) return bad(input, "an edge is not a number", err);
    if (i && !(v->real > step->edges[i - 1])) return bad(input, "edges do not ascend", err);
    step->edges[i] = v->real;
  }
  return DM_OK;
}

/* Knots were loaded as edges. Bounded, so that no interpolation leaves double. */
static dm_status load_scores(dm_encoder *e, size_t input, const dm_json *list, dm_error *err) {
  dm_step *step = &e->steps[input];
  size_t i = 0;
  if (!list || list->type != DM_JSON_ARRAY || list->n != step->n) return bad(input, "not one score for each knot", err);
  if (step->n && !isfinite(step->edges[step->n - 1] - step->edges[0])) return bad(input, "knots reach too far", err);
  step->scores = dm_arena_alloc(e->memory, list->n, sizeof *step->scores, err);
  if (!step->scores) return DM_EBUDGET;
  for (const dm_json *v = list->first; v; v = v->next, i++) {
    bool number = v->type == DM_JSON_INT || v->type == DM_JSON_DOUBLE;
    if (!number || !(fabs(v->real) <= DM_ENCODER_MAX_SCORE)) return bad(input, "a score is not a number from -40 to 40", err);
    if (i && v->real < step->scores[i - 1]) return bad(input, "scores descend", err);
    step->scores[i] = v->real;
  }
  return DM_OK;
}

static dm_status load_seen(dm_encoder *e, size_t input, const dm_json *list, dm_error *err) {
  dm_step *step = &e->steps[input];
  size_t i = 0;
  step->n = list->n;
  step->seen = dm_arena_alloc(e->memory, list->n, sizeof *step->seen, err);
  if (!step->seen) return DM_EBUDGET;
  for (const dm_json *v = list->first; v; v = v->next, i++) {
    if (v->type != DM_JSON_INT || v->integer < 0 || v->integer >= UINT32_MAX) return bad(input, "a level is not a code", err);
    if (i && v->integer <= (int64_t)step->seen[i - 1]) return bad(input, "levels do not ascend", err);
    step->seen[i] = (uint32_t)v->integer;
  }
  return DM_OK;
}

static dm_status load_step(dm_encoder *e, size_t input, const dm_json *json, dm_error *err) {
  dm_step *step = &e->steps[input];
  const char *kind = dm_json_get_string(json, "kind", "");
  size_t k = 0;
  while (k < DM_STEP_KINDS && strcmp(kind, dm_step_kind_name((dm_step_kind)k)) != 0) k++;
  if (k == DM_STEP_KINDS) return bad(input, "unknown kind", err);
  step->kind = (dm_step_kind)k;
  if (!finite_member(json, "fill", (double)NAN, &step->fill)) return bad(input, "fill is not a number", err);
  step->missing_level = dm_json_get_bool(json, "missing", false);
  step->other = dm_json_get_bool(json, "other", false);
  step->indicator = dm_json_get_bool(json, "indicator", false);
  if (step->other && step->kind != DM_STEP_ORDINAL) return bad(input, "only ordinal codes have another", err);
  if (dm_step_is_category(step->kind) ? step->indicator : step->missing_level) return bad(input, "missing is not told so by its kind", err);
  if (step->kind == DM_STEP_NUMBER || step->kind == DM_STEP_ROBUST) {
    if (!finite_member(json, "center", 0, &step->center)) return bad(input, "center is not a number", err);
    if (!finite_member(json, "scale", 0, &step->scale) || !(step->scale > 0)) return bad(input, "scale is not a number > 0", err);
    return DM_OK;
  }
  const dm_json *list = dm_json_get(json, dm_step_is_category(step->kind) ? "seen" : "edges");
  if (!list || list->type != DM_JSON_ARRAY) return bad(input, "no list of edges or levels", err);
  if (dm_step_is_category(step->kind)) return load_seen(e, input, list, err);
  dm_status s = load_edges(e, input, list, err);
  return s == DM_OK && step->kind == DM_STEP_QUANTILE ? load_scores(e, input, dm_json_get(json, "scores"), err) : s;
}

static dm_status load_names(dm_encoder *e, const dm_json *outputs, dm_error *err) {
  if (!outputs || outputs->type != DM_JSON_ARRAY || outputs->n != e->m)
    return dm_fail(err, DM_EINPUT, "encoder: %zu output names, its steps have %zu outputs", outputs ? outputs->n : 0, e->m);
  size_t k = 0;
  for (const dm_json *v = outputs->first; v; v = v->next, k++) {
    if (v->type != DM_JSON_STRING) return dm_fail(err, DM_EINPUT, "encoder: the name of output %zu is not a text", k + 1);
    if (!(e->names[k] = dm_arena_strdup(e->memory, v->string.p, v->string.n, err))) return DM_EBUDGET;
  }
  return DM_OK;
}

dm_status dm_encoder_load(dm_ctx *ctx, const dm_json *json, size_t d, dm_encoder **out, dm_error *err) {
  if (dm_json_get_bool(json, "passthrough", false)) return dm_encoder_passthrough(ctx, d, out, err);
  const dm_json *inputs = dm_json_get(json, "inputs");
  if (!inputs || inputs->type != DM_JSON_ARRAY || inputs->n != d)
    return dm_fail(err, DM_EINPUT, "encoder: steps for %zu inputs, the model has %zu", inputs ? inputs->n : 0, d);
  dm_encoder *e = NULL;
  dm_status s = dm_encoder_new(ctx, d, &e, err);
  size_t c = 0;
  for (const dm_json *v = inputs->first; s == DM_OK && v; v = v->next, c++) s = load_step(e, c, v, err);
  if (s == DM_OK) s = dm_encoder_place_outputs(e, err);
  if (s == DM_OK) s = load_names(e, dm_json_get(json, "outputs"), err);
  if (s != DM_OK) {
    dm_encoder_free(e);
    return s;
  }
  *out = e;
  return DM_OK;
}
