/* The parts of a pipeline that work on tables: clean, models, encode, predict. */
#include "pipeline/run.h"

#include <math.h>
#include <string.h>

dm_status dm_run_clean(dm_run *r, const dm_yaml *node, size_t index, dm_error *err) {
  dm_recipe *recipe = NULL;
  dm_apply_result result;
  bool skip;
  dm_status s = dm_recipe_from_yaml(r->ctx, r->file, node, &recipe, err);
  if (s != DM_OK || r->checking) {
    dm_recipe_free(recipe);
    return s;
  }
  s = dm_run_part_begin(r, "clean", index, node, NULL, &skip, err);
  if (s == DM_OK && skip) {
    dm_run_skipped(r);
  } else if (s == DM_OK) {
    s = dm_recipe_apply(r->store, recipe, false, r->arena, &result, err);
    if (s == DM_OK) dm_apply_json(&result, &r->json);
    if (s == DM_OK) s = dm_run_part_end(r, err);
  }
  dm_recipe_free(recipe);
  return s;
}

static dm_status set_params(const dm_run *r, const dm_yaml *map, dm_params *params, dm_error *err) {
  for (const dm_yaml *p = map ? map->first : NULL; p; p = p->next) {
    if (p->type != DM_YAML_SCALAR) return dm_yaml_fail(p, r->file, err, "%s wants one value", p->key);
    dm_status s = dm_params_set(params, p->key, p->scalar, err);
    if (s != DM_OK) {
      dm_error_at(err, r->file, p->line, p->column);
      return s;
    }
  }
  return DM_OK;
}

/* What only methods with epochs have. */
static dm_status read_course(const dm_run *r, const dm_yaml *node, const dm_learner *learner, dm_train_options *o, dm_error *err) {
  const dm_yaml *limit = dm_yaml_get(node, "time_limit"), *every = dm_yaml_get(node, "checkpoint");
  dm_status s = DM_OK;
  o->time_limit = dm_run_number(r, node, "time_limit", 0, &s, err);
  double epochs = dm_run_number(r, node, "checkpoint", 0, &s, err);
  if (s != DM_OK) return s;
  if ((limit || every) && !(learner->takes & DM_HAS_EPOCHS))
    return dm_yaml_fail(limit ? limit : every, r->file, err, "%s does not train by epochs: %s is not for it", learner->name,
                        limit ? "time_limit" : "checkpoint");
  if (limit && !(o->time_limit > 0 && o->time_limit <= 1e8)) return dm_yaml_fail(limit, r->file, err, "time_limit wants seconds above 0");
  if (!(epochs >= 0 && epochs <= 1e9) || epochs != floor(epochs))
    return dm_yaml_fail(every, r->file, err, "checkpoint wants a number of epochs, 0 = never");
  if (every) o->checkpoint = epochs > 0 ? (int64_t)epochs : DM_CHECKPOINT_NEVER;
  if (r->resume) o->resume = DM_RESUME_IF_SAME;
  return DM_OK;
}

/* What the node says; params are made and must be freed. */
static dm_status read_model(const dm_run *r, const dm_yaml *node, dm_src *src, dm_train_options *o, dm_params **params, dm_error *err) {
  static const char *const known[] = {"method", "source", "target", "model", "task", "features", "ignore",
                                      "group",  "test",   "folds",  "params", "train_metrics", "time_limit", "checkpoint", "features_from"};
  static const char *const tasks[] = {"auto", "classify", "regress", NULL};
  dm_status s = dm_yaml_check_keys(node, r->file, known, sizeof known / sizeof *known, err);
  src->text = dm_run_text(r, node, "source", &s, err);
  o->method = dm_run_text(r, node, "method", &s, err);
  o->target = dm_run_text(r, node, "target", &s, err);
  o->model = dm_run_text(r, node, "model", &s, err);
  o->group = dm_run_text(r, node, "group", &s, err);
  o->features_from = dm_run_text(r, node, "features_from", &s, err);
  o->task = (dm_task)dm_run_word(r, node, "task", tasks, &s, err);
  o->features = dm_run_texts(r, node, "features", &o->n_features, &s, err);
  o->ignored = dm_run_texts(r, node, "ignore", &o->n_ignored, &s, err);
  o->test = dm_run_number(r, node, "test", 0, &s, err);
  double folds = dm_run_number(r, node, "folds", 0, &s, err);
  o->train_metrics = dm_run_flag(r, node, "train_metrics", &s, err);
  if (s == DM_OK && !(o->test >= 0 && o->test < 1))
    s = dm_yaml_fail(dm_yaml_get(node, "test"), r->file, err, "test wants a share from 0 up to, not including, 1");
  if (s == DM_OK && !(folds == 0 || (folds >= 2 && folds <= 1000 && folds == (double)(size_t)folds)))
    s = dm_yaml_fail(dm_yaml_get(node, "folds"), r->file, err, "folds wants an integer from 2 to 1000");
  if (s == DM_OK && (!o->method || !src->text)) s = dm_yaml_fail(node, r->file, err, "a model needs method: and source:");
  if (s != DM_OK) return s;
  o->folds = (size_t)folds;
  const dm_learner *learner = dm_learner_find(r->ctx, o->method, err);
  if (!learner) {
    const dm_yaml *at = dm_yaml_get(node, "method");
    dm_error_at(err, r->file, at->line, at->column);
    return DM_EUSAGE;
  }
  s = read_course(r, node, learner, o, err);
  if (s == DM_OK) s = dm_params_new(r->ctx, learner->name, learner->params, params, err);
  if (s == DM_OK) s = set_params(r, dm_yaml_get(node, "params"), *params, err);
  o->params = *params;
  return s;
}

dm_status dm_run_model(dm_run *r, const dm_yaml *node, size_t index, dm_error *err) {
  dm_train_options o = {0};
  dm_src src = {0};
  dm_train_result result;
  dm_params *params = NULL;
  bool skip;
  dm_status s = read_model(r, node, &src, &o, &params, err);
  if (s == DM_OK && !r->checking) {
    s = dm_run_part_begin(r, "models", index, node, NULL, &skip, err);
    if (s == DM_OK && skip) {
      dm_run_skipped(r);
    } else if (s == DM_OK) {
      s = dm_train(r->store, &src, &o, r->arena, &result, err);
      if (s == DM_OK) dm_train_json(&result, &r->json);
      if (s == DM_OK) s = dm_run_part_end(r, err);
      r->result->n_models += s == DM_OK;
    }
  }
  dm_params_free(params);
  return s;
}

/* What encode and predict have in common: a model's rows into a table or a file. */
typedef struct scored_part {
  const char *name;
  const char *const *known; /* [n_known] */
  size_t n_known;
  const char *wants;
} scored_part;

static dm_status run_scored(dm_run *r, const scored_part *part, const dm_yaml *node, size_t index, dm_error *err) {
  static const char *const shapes[] = {"columns", "blob", NULL};
  dm_predict_options o = {.replace = true};
  dm_predict_result result;
  bool skip, encode = strcmp(part->name, "encode") == 0;
  dm_status s = dm_yaml_check_keys(node, r->file, part->known, part->n_known, err);
  dm_src src = {.text = dm_run_text(r, node, "source", &s, err)};
  const char *model = dm_run_text(r, node, "model", &s, err);
  o.into = dm_run_text(r, node, "into", &s, err);
  o.path = dm_run_path(r, dm_run_text(r, node, "file", &s, err), &s, err);
  bool blob = dm_run_word(r, node, "as", shapes, &s, err) == 1;
  if (s == DM_OK && (!model || !src.text || !o.into == !o.path))
    s = dm_yaml_fail(node, r->file, err, "%s needs model:, source:, and one of into: TABLE or file: PATH", part->wants);
  if (s != DM_OK || r->checking) return s;
  s = dm_run_part_begin(r, part->name, index, node, NULL, &skip, err);
  if (s != DM_OK) return s;
  if (skip) {
    dm_run_skipped(r);
    return DM_OK;
  }
  s = encode ? dm_encode(r->store, model, &src, &o, blob, r->arena, &result, err) : dm_predict(r->store, model, &src, &o, r->arena, &result, err);
  if (s == DM_OK && encode) dm_encode_json(&result, o.into, o.path, &r->json);
  if (s == DM_OK && !encode) dm_predict_json(&result, o.into, o.path, &r->json);
  return s == DM_OK ? dm_run_part_end(r, err) : s;
}

dm_status dm_run_encode(dm_run *r, const dm_yaml *node, size_t index, dm_error *err) {
  static const char *const known[] = {"model", "source", "into", "file", "as"};
  const scored_part part = {.name = "encode", .known = known, .n_known = 5, .wants = "an encoding"};
  return run_scored(r, &part, node, index, err);
}

dm_status dm_run_predict(dm_run *r, const dm_yaml *node, size_t index, dm_error *err) {
  static const char *const known[] = {"model", "source", "into", "file"};
  const scored_part part = {.name = "predict", .known = known, .n_known = 4, .wants = "a prediction"};
  return run_scored(r, &part, node, index, err);
}
