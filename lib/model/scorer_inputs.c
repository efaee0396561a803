/*
 * Inputs and target of a scorer as JSON, and back.
 *
 *   {"inputs": [{"name": "age", "kind": "numeric", "type": "INTEGER"},
 *               {"name": "sex", "kind": "category", "type": "TEXT",
 *                "level_type": "TEXT", "levels": ["Female", "Male"]}],
 *    "target": {"name": "income", "type": "TEXT", "level_type": "TEXT", "levels": ["<=50K", ">50K"]}}
 *
 * Numeric levels also carry "numbers"; a model without a target has null. What is read may be forged: every
 * member is looked at before it is used.
 */
#include "model/scorer.h"

#include <math.h>
#include <string.h>

static void save_levels(const dm_levels *levels, dm_json_out *json) {
  dm_json_put_string(json, "level_type", dm_type_name(levels->type));
  dm_json_key(json, "levels");
  dm_json_array(json);
  for (size_t i = 0; i < levels->n; i++) dm_json_string_n(json, levels->names[i].p, levels->names[i].n);
  dm_json_end_array(json);
  if (!levels->numbers) return;
  dm_json_key(json, "numbers");
  dm_json_array(json);
  for (size_t i = 0; i < levels->n; i++) dm_json_double(json, levels->numbers[i]);
  dm_json_end_array(json);
}

static void save_input(const dm_input *in, dm_json_out *json) {
  dm_json_object(json);
  dm_json_put_string(json, "name", in->name);
  dm_json_put_string(json, "kind", in->kind == DM_CATEGORY ? "category" : "numeric");
  dm_json_put_string(json, "type", dm_type_name(in->type));
  if (in->kind == DM_CATEGORY) save_levels(&in->levels, json);
  dm_json_end_object(json);
}

void dm_scorer_save_inputs(const dm_scorer *s, dm_json_out *json) {
  dm_json_object(json);
  dm_json_key(json, "inputs");
  dm_json_array(json);
  for (size_t j = 0; j < s->d; j++) save_input(&s->inputs[j], json);
  dm_json_end_array(json);
  dm_json_key(json, "target");
  if (s->target.name) {
    dm_json_object(json);
    dm_json_put_string(json, "name", s->target.name);
    dm_json_put_string(json, "type", dm_type_name(s->target.type));
    if (s->target.levels.n) save_levels(&s->target.levels, json);
    dm_json_end_object(json);
  } else {
    dm_json_null(json);
  }
  dm_json_end_object(json);
}

static dm_status bad(dm_error *err, const char *what) { return dm_fail(err, DM_EINPUT, "model: its inputs are damaged: %s", what); }

static bool parse_type(const char *name, dm_type *out) {
  for (dm_type t = DM_INTEGER; name && t <= DM_TEXT; t++)
    if (strcmp(name, dm_type_name(t)) == 0) {
      *out = t;
      return true;
    }
  return false;
}

/* Elements of a JSON array of n strings, copied. */
static dm_status load_names(dm_arena *memory, const dm_json *array, dm_str *names, dm_error *err) {
  size_t i = 0;
  for (const dm_json *e = array->first; e; e = e->next, i++) {
    if (e->type != DM_JSON_STRING) return bad(err, "a level is no text");
    names[i].n = e->string.n;
    if (!(names[i].p = dm_arena_strdup(memory, e->string.p, e->string.n, err))) return DM_EBUDGET;
  }
  return DM_OK;
}

static dm_status load_numbers(const dm_json *array, size_t n, double *numbers, dm_error *err) {
  if (!array || array->type != DM_JSON_ARRAY || array->n != n) return bad(err, "numeric levels without their numbers");
  size_t i = 0;
  for (const dm_json *e = array->first; e; e = e->next, i++) {
    if (e->type != DM_JSON_INT && e->type != DM_JSON_DOUBLE) return bad(err, "a numeric level is no number");
    numbers[i] = e->real;
    if (!isfinite(numbers[i]) || (i && !(numbers[i - 1] < numbers[i]))) return bad(err, "numeric levels are not ascending");
  }
  return DM_OK;
}

static dm_status load_levels(dm_arena *memory, const dm_json *object, dm_levels *out, dm_error *err) {
  dm_levels levels = {0};
  const dm_json *array = dm_json_get(object, "levels");
  if (!array || array->type != DM_JSON_ARRAY) return bad(err, "a category without levels");
  if (!parse_type(dm_json_get_string(object, "level_type", NULL), &levels.type)) return bad(err, "unknown level_type");
  levels.n = array->n;
  dm_str *names = dm_arena_alloc(memory, levels.n, sizeof *names, err);
  if (!names) return DM_EBUDGET;
  dm_status s = load_names(memory, array, names, err);
  if (s != DM_OK) return s;
  levels.names = names;
  if (levels.type == DM_TEXT) {
    for (size_t i = 1; i < levels.n; i++)
      if (dm_str_compare(names[i - 1], names[i]) >= 0) return bad(err, "levels are not ascending");
  } else {
    double *numbers = dm_arena_alloc(memory, levels.n, sizeof *numbers, err);
    if (!numbers) return DM_EBUDGET;
    s = load_numbers(dm_json_get(object, "numbers"), levels.n, numbers, err);
    if (s != DM_OK) return s;
    if (levels.type == DM_INTEGER) /* predictions come back as int64 */
      for (size_t i = 0; i < levels.n; i++)
        if (!(fabs(numbers[i]) <= 9007199254740992.0)) return bad(err, "an integer level is out of range");
    levels.numbers = numbers;
  }
  *out = levels;
  return DM_OK;
}

static dm_status load_name(dm_arena *memory, const dm_json *object, const char **out, dm_error *err) {
  const dm_json *name = dm_json_get(object, "name");
  if (!name || name->type != DM_JSON_STRING || strlen(name->string.p) != name->string.n) return bad(err, "a column without a name");
  *out = dm_arena_strdup(memory, name->string.p, name->string.n, err);
  return *out ? DM_OK : DM_EBUDGET;
}

static dm_status load_input(dm_arena *memory, const dm_json *object, dm_input *in, dm_error *err) {
  dm_status s = load_name(memory, object, &in->name, err);
  if (s != DM_OK) return s;
  if (!parse_type(dm_json_get_string(object, "type", NULL), &in->type)) return bad(err, "unknown type");
  const char *kind = dm_json_get_string(object, "kind", "");
  if (strcmp(kind, "numeric") == 0) {
    in->kind = DM_NUMERIC;
    return DM_OK;
  }
  if (strcmp(kind, "category") != 0) return bad(err, "unknown kind");
  in->kind = DM_CATEGORY;
  return load_levels(memory, object, &in->levels, err);
}

static dm_status load_target(dm_scorer *s, const dm_json *object, dm_error *err) {
  if (object && object->type == DM_JSON_NULL) return DM_OK;
  if (!object || object->type != DM_JSON_OBJECT) return bad(err, "no target");
  dm_status status = load_name(s->memory, object, &s->target.name, err);
  if (status != DM_OK) return status;
  if (!parse_type(dm_json_get_string(object, "type", NULL), &s->target.type)) return bad(err, "unknown type of the target");
  if (!dm_json_get(object, "levels")) return DM_OK;
  return load_levels(s->memory, object, &s->target.levels, err);
}

dm_status dm_scorer_load_inputs(dm_ctx *ctx, const dm_json *json, dm_scorer **out, dm_error *err) {
  const dm_json *inputs = dm_json_get(json, "inputs");
  if (!inputs || inputs->type != DM_JSON_ARRAY || inputs->n == 0) return bad(err, "no list of inputs");
  dm_scorer *s = NULL;
  dm_status status = dm_scorer_alloc(ctx, inputs->n, &s, err);
  size_t j = 0;
  for (const dm_json *e = inputs->first; status == DM_OK && e; e = e->next, j++) status = load_input(s->memory, e, &s->inputs[j], err);
  if (status == DM_OK) status = load_target(s, dm_json_get(json, "target"), err);
  if (status != DM_OK) {
    dm_scorer_free(s);
    return status;
  }
  *out = s;
  return DM_OK;
}
