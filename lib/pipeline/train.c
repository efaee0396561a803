/*
 * Training: source -> frame -> split -> encoder (training rows only) ->
 * learner -> metrics -> registry.
 *
 *   frame (all rows) --rows[]--> train part | test part        cross-validation: k such pairs,
 *        columns[d]                 |             |             then one model on all rows
 *                                   v             v
 *                              dm_dataset    dm_scorer_frame -> metrics, report tensors
 */
#include <dm/pipeline.h>

#include <math.h>
#include <string.h>

typedef struct job {
  dm_ctx *ctx;
  const dm_learner *learner;
  const dm_train_options *options;
  const dm_params *params;
  dm_frame *frame;
  char digest[DM_SHA256_HEX];
  size_t *columns, d; /* features */
  size_t target, group; /* SIZE_MAX = none */
  bool classify;
  size_t *rows, n; /* rows with a target */
  dm_arena *memory;
} job;

static dm_status unknown_column(const dm_frame *frame, const char *what, const char *name, dm_error *err) {
  (void)dm_fail(err, DM_EUSAGE, "%s '%s' is not a column of the source", what, name);
  const char *names[512];
  size_t n = frame->d < 512 ? frame->d : 512;
  for (size_t i = 0; i < n; i++) names[i] = frame->columns[i].name;
  const char *near = dm_text_nearest(name, names, n);
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  return DM_EUSAGE;
}

static dm_status find_column(const job *j, const char *what, const char *name, size_t *out, dm_error *err) {
  *out = dm_frame_find(j->frame, name);
  return *out == SIZE_MAX ? unknown_column(j->frame, what, name, err) : DM_OK;
}

/*
 * Whether text names rows rather than describes them: more than half of the
 * given cells, and more than 50, are different. A split by such levels fits
 * the training rows and says nothing of others.
 */
static bool is_identifier(const dm_frame *frame, const dm_frame_column *column) {
  size_t given = 0;
  if (column->kind != DM_CATEGORY || column->levels.n <= 50) return false;
  for (size_t i = 0; i < frame->n; i++) given += isnan(column->values[i]) ? 0 : 1;
  return column->levels.n > given / 2;
}

static void take_column(job *j, size_t at) {
  const dm_frame_column *column = &j->frame->columns[at];
  if (!is_identifier(j->frame, column)) {
    j->columns[j->d++] = at;
    return;
  }
  dm_log(j->ctx, DM_LOG_NOTICE, "column '%s' is left out: its %zu different texts name rows rather than describe them (--features takes it)",
         column->name, column->levels.n);
}

/* Features: those asked for, or all but target, group, ignored and identifying ones. */
static dm_status choose_columns(job *j, dm_error *err) {
  const dm_train_options *o = j->options;
  dm_status s = find_column(j, "target", o->target, &j->target, err);
  j->group = SIZE_MAX;
  if (s == DM_OK && o->group) s = find_column(j, "group", o->group, &j->group, err);
  if (s != DM_OK) return s;
  bool *skip = dm_arena_alloc(j->memory, j->frame->d + 1, sizeof *skip, err);
  j->columns = dm_arena_alloc(j->memory, j->frame->d + o->n_features + 1, sizeof *j->columns, err);
  if (!skip || !j->columns) return DM_EBUDGET;
  skip[j->target] = true;
  if (j->group != SIZE_MAX) skip[j->group] = true;
  for (size_t i = 0; i < o->n_ignored; i++) {
    size_t at;
    if ((s = find_column(j, "ignored column", o->ignored[i], &at, err)) != DM_OK) return s;
    skip[at] = true;
  }
  for (size_t i = 0; i < o->n_features; i++) {
    size_t at;
    if ((s = find_column(j, "feature", o->features[i], &at, err)) != DM_OK) return s;
    if (skip[at]) return dm_fail(err, DM_EUSAGE, "feature '%s' is the target, the group, ignored or named twice", o->features[i]);
    skip[at] = true;
    j->columns[j->d++] = at;
  }
  for (size_t i = 0; i < j->frame->d && !o->n_features; i++)
    if (!skip[i]) take_column(j, i);
  if (j->d == 0) return dm_fail(err, DM_EINPUT, "%s: no column is left to learn from", o->method);
  return DM_OK;
}

/* TEXT, or INTEGER with at most 50 distinct values, classifies; else regresses. */
static dm_status choose_task(job *j, dm_error *err) {
  dm_frame_column *target = &j->frame->columns[j->target];
  dm_task task = j->options->task;
  if (task == DM_TASK_AUTO) {
    bool few = target->type == DM_INTEGER && dm_frame_n_distinct(j->frame, j->target, 51, err) <= 50;
    task = target->kind == DM_CATEGORY || few ? DM_TASK_CLASSIFY : DM_TASK_REGRESS;
  }
  j->classify = task == DM_TASK_CLASSIFY;
  if (!j->classify && target->kind == DM_CATEGORY) {
    (void)dm_fail(err, DM_EINPUT, "target '%s' holds text, regression wants numbers", target->name);
    dm_error_hint(err, "leave out --task regress to classify, or cast the column first");
    return DM_EINPUT;
  }
  if (!(j->learner->tasks & (unsigned)(j->classify ? DM_CLASSIFY : DM_REGRESS)))
    return dm_fail(err, DM_EUSAGE, "%s cannot %s", j->learner->name, j->classify ? "classify" : "regress");
  return j->classify && target->kind != DM_CATEGORY ? dm_frame_make_category(j->frame, j->target, err) : DM_OK;
}

/* Classes must come back as they are; squares of numbers must have finite sums. Else the model could be written, never read. */
static dm_status check_target(const job *j, dm_error *err) {
  const dm_frame_column *target = &j->frame->columns[j->target];
  const double most_class = 9007199254740992.0, most_number = 1e150;
  if (j->classify && target->levels.type != DM_INTEGER) return DM_OK;
  for (size_t i = 0; i < (j->classify ? target->levels.n : j->frame->n); i++) {
    double v = j->classify ? target->levels.numbers[i] : target->values[i];
    if (isnan(v) || fabs(v) < (j->classify ? most_class : most_number)) continue;
    (void)dm_fail(err, DM_EINPUT, "target '%s' holds %.17g, want numbers below %s", target->name, v, j->classify ? "2^53" : "1e150");
    dm_error_hint(err, j->classify ? "SELECT CAST(… AS TEXT) makes each number a class" : "SELECT the target divided by a constant");
    return DM_EINPUT;
  }
  return DM_OK;
}

static dm_status choose_rows(job *j, dm_error *err) {
  const double *target = j->frame->columns[j->target].values;
  if (!(j->rows = dm_arena_alloc(j->memory, j->frame->n + 1, sizeof *j->rows, err))) return DM_EBUDGET;
  for (size_t i = 0; i < j->frame->n; i++)
    if (!isnan(target[i])) j->rows[j->n++] = i;
  if (j->n < j->frame->n)
    dm_log(j->ctx, DM_LOG_NOTICE, "%zu of %zu rows have no target and are left out", j->frame->n - j->n, j->frame->n);
  if (j->n == 0) return dm_fail(err, DM_EINPUT, "the source has no row with a value of '%s'", j->options->target);
  return DM_OK;
}

/* Values of one frame column at rows, in memory. */
static double *gather(dm_arena *memory, const double *values, const size_t *rows, size_t n, dm_error *err) {
  double *out = dm_arena_alloc(memory, n, sizeof *out, err);
  if (out)
    for (size_t i = 0; i < n; i++) out[i] = values[rows[i]];
  return out;
}

static dm_status fit_encoder(const job *j, const size_t *rows, size_t n, dm_encoder **out, dm_error *err) {
  unsigned native = DM_TAKES_MISSING | DM_TAKES_CATEGORIES;
  if ((j->learner->takes & native) == native) return dm_encoder_passthrough(j->ctx, j->d, out, err);
  dm_encode_options o = {.impute_numeric = DM_IMPUTE_MEAN, .impute_category = DM_IMPUTE_MODE, .categories = DM_CODE_ONE_HOT};
  if (j->learner->takes & DM_SCALES) {
    const char *scale = dm_params_choice(j->params, "scale");
    o.scale = strcmp(scale, "standard") == 0 ? DM_SCALE_STANDARD : strcmp(scale, "minmax") == 0 ? DM_SCALE_MINMAX : DM_SCALE_NONE;
  }
  return dm_encoder_fit(j->ctx, j->frame, j->columns, j->d, rows, n, &o, out, err);
}

/* RAW: columns as they are in the frame. */
static dm_status raw_block(const job *j, dm_arena *memory, const size_t *rows, size_t n, dm_block *out, dm_error *err) {
  const double **raw = dm_arena_alloc(memory, j->d, sizeof *raw, err);
  size_t *levels = dm_arena_alloc(memory, j->d, sizeof *levels, err);
  if (!raw || !levels) return DM_EBUDGET;
  for (size_t c = 0; c < j->d; c++) {
    const dm_frame_column *column = &j->frame->columns[j->columns[c]];
    levels[c] = column->kind == DM_CATEGORY ? column->levels.n : 0;
    if (!(raw[c] = gather(memory, column->values, rows, n, err))) return DM_EBUDGET;
  }
  *out = (dm_block){.kind = DM_BLOCK_RAW, .d = j->d, .raw = raw, .levels = levels};
  return DM_OK;
}

/* DENSE: encoded rows as float32. */
static dm_status dense_block(const job *j, const dm_encoder *encoder, const size_t *rows, size_t n, dm_dense *dense, dm_block *out,
                             dm_error *err) {
  size_t m = dm_encoder_n_outputs(encoder);
  double *scratch = dm_alloc(j->ctx, j->d + m, sizeof *scratch, "encoded row", err);
  if (!scratch) return DM_EBUDGET;
  dm_status s = dm_dense_new(j->ctx, n, m, dense, err);
  for (size_t i = 0; s == DM_OK && i < n; i++) {
    for (size_t c = 0; c < j->d; c++) scratch[c] = j->frame->columns[j->columns[c]].values[rows[i]];
    dm_encoder_row(encoder, scratch, scratch + j->d);
    for (size_t c = 0; c < m; c++) dense->x[i * dense->stride + c] = (float)scratch[j->d + c];
  }
  dm_free(j->ctx, scratch);
  *out = (dm_block){.kind = DM_BLOCK_DENSE, .d = m, .dense = dense};
  return s;
}

/* Trains on the given rows and wraps the model for scoring. */
static dm_status train_rows(const job *j, const size_t *rows, size_t n, dm_scorer **out, dm_error *err) {
  dm_arena *memory = NULL;
  dm_encoder *encoder = NULL;
  dm_model *model = NULL;
  dm_dense dense = {0};
  dm_binned binned = {0};
  dm_block block = {0};
  dm_status s = dm_arena_new(j->ctx, (size_t)1 << 20, &memory, err);
  if (s == DM_OK) s = fit_encoder(j, rows, n, &encoder, err);
  if (s == DM_OK && j->learner->block == DM_BLOCK_DENSE) s = dense_block(j, encoder, rows, n, &dense, &block, err);
  if (s == DM_OK && j->learner->block != DM_BLOCK_DENSE) s = raw_block(j, memory, rows, n, &block, err);
  if (s == DM_OK && j->learner->block == DM_BLOCK_BINNED) {
    s = dm_binned_new(j->ctx, n, j->d, block.raw, block.levels, 255, &binned, err);
    block.kind = DM_BLOCK_BINNED;
    block.binned = &binned;
  }
  const dm_frame_column *target = &j->frame->columns[j->target];
  const char **names = s == DM_OK ? dm_arena_alloc(memory, j->d, sizeof *names, err) : NULL;
  double *y = s == DM_OK ? gather(memory, target->values, rows, n, err) : NULL;
  if (s == DM_OK && (!names || !y)) s = DM_EBUDGET;
  if (s == DM_OK) {
    for (size_t c = 0; c < j->d; c++) names[c] = j->frame->columns[j->columns[c]].name;
    dm_dataset data = {.n = n, .n_blocks = 1, .blocks = &block, .target = y, .n_classes = j->classify ? target->levels.n : 0};
    dm_training training = {.train = &data, .names = names};
    s = j->learner->train(j->ctx, &training, j->params, &model, err);
  }
  if (s == DM_OK) s = dm_scorer_new(j->ctx, j->frame, j->columns, j->d, j->target, encoder, model, out, err);
  if (s != DM_OK) {
    if (model) j->learner->free(model);
    dm_encoder_free(encoder);
  }
  dm_binned_clear(&binned);
  dm_dense_clear(j->ctx, &dense);
  dm_arena_free(memory);
  return s;
}

/* Truth and predictions of some rows, kept for metrics and the report. */
typedef struct outcome {
  size_t n, k;
  double *truth, *value, *score, *proba;
} outcome;

static dm_status score_rows(const job *j, const dm_scorer *scorer, const size_t *rows, size_t n, dm_arena *memory, outcome *out,
                            dm_error *err) {
  size_t k = scorer->model->n_classes;
  *out = (outcome){.n = n, .k = k};
  out->truth = gather(memory, j->frame->columns[j->target].values, rows, n, err);
  out->value = dm_arena_alloc(memory, n, sizeof(double), err);
  out->score = dm_arena_alloc(memory, n, sizeof(double), err);
  out->proba = dm_arena_alloc(memory, n, (k ? k : 1) * sizeof(double), err);
  if (!out->truth || !out->value || !out->score || !out->proba) return DM_EBUDGET;
  return dm_scorer_frame(scorer, j->frame, rows, n, out->value, out->score, k ? out->proba : NULL, err);
}

static dm_status measure(const job *j, const outcome *o, dm_metric metrics[DM_METRICS_MAX], size_t *n, dm_error *err) {
  *n = dm_metrics(j->ctx, o->n, o->k, o->truth, o->value, o->k ? o->proba : NULL, metrics, err);
  return *n ? DM_OK : DM_EBUDGET;
}

/* Mean and standard deviation of each metric over the folds. */
static void summarise_folds(dm_metric (*folds)[DM_METRICS_MAX], size_t k, dm_train_result *out) {
  out->n_cv = out->n_cv_sd = 0;
  for (size_t m = 0; m < DM_METRICS_MAX && folds[0][m].name; m++) {
    double mean = 0, square = 0;
    for (size_t f = 0; f < k; f++) mean += folds[f][m].value / (double)k;
    for (size_t f = 0; f < k; f++) square += (folds[f][m].value - mean) * (folds[f][m].value - mean);
    out->cv[out->n_cv++] = (dm_metric){folds[0][m].name, mean};
    out->cv_sd[out->n_cv_sd++] = (dm_metric){folds[0][m].name, sqrt(square / (double)(k - 1))};
  }
}

static dm_status cross_validate(const job *j, dm_train_result *out, dm_error *err) {
  size_t k = j->options->folds;
  dm_arena *memory = NULL;
  dm_status s = dm_arena_new(j->ctx, (size_t)1 << 20, &memory, err);
  if (s != DM_OK) return s;
  const double *target = j->frame->columns[j->target].values;
  double *classes = j->classify ? gather(memory, target, j->rows, j->n, err) : NULL;
  double *groups = j->group == SIZE_MAX ? NULL : gather(memory, j->frame->columns[j->group].values, j->rows, j->n, err);
  uint32_t *fold = dm_arena_alloc(memory, j->n, sizeof *fold, err);
  size_t *part = dm_arena_alloc(memory, j->n, sizeof *part, err);
  dm_metric(*metrics)[DM_METRICS_MAX] = dm_arena_alloc(memory, k, sizeof *metrics, err);
  if (!fold || !part || !metrics || (j->classify && !classes) || (j->group != SIZE_MAX && !groups)) s = DM_EBUDGET;
  if (s == DM_OK) s = dm_split_folds(j->ctx, j->n, k, dm_ctx_seed(j->ctx), classes, groups, fold, err);
  for (size_t f = 0; s == DM_OK && f < k; f++) {
    size_t n_train = 0, at = j->n, n_metrics;
    dm_scorer *scorer = NULL;
    outcome o;
    for (size_t i = 0; i < j->n; i++)
      if (fold[i] != f) part[n_train++] = j->rows[i];
    for (size_t i = j->n; i-- > 0;)
      if (fold[i] == f) part[--at] = j->rows[i];
    s = train_rows(j, part, n_train, &scorer, err);
    if (s == DM_OK) s = score_rows(j, scorer, part + at, j->n - at, memory, &o, err);
    if (s == DM_OK) s = measure(j, &o, metrics[f], &n_metrics, err);
    dm_scorer_free(scorer);
    dm_progress(j->ctx, "cross-validation", (double)(f + 1), (double)k, "folds");
  }
  if (s == DM_OK) summarise_folds(metrics, k, out);
  dm_arena_free(memory);
  return s;
}

static dm_status split_rows(const job *j, size_t *train, size_t *n_train, size_t *test, size_t *n_test, dm_error *err) {
  if (j->options->test <= 0) {
    memcpy(train, j->rows, j->n * sizeof *train);
    *n_train = j->n;
    *n_test = 0;
    return DM_OK;
  }
  const double *target = j->frame->columns[j->target].values;
  double *classes = j->classify ? gather(j->memory, target, j->rows, j->n, err) : NULL;
  double *groups = j->group == SIZE_MAX ? NULL : gather(j->memory, j->frame->columns[j->group].values, j->rows, j->n, err);
  if ((j->classify && !classes) || (j->group != SIZE_MAX && !groups)) return DM_EBUDGET;
  dm_status s = dm_split(j->ctx, j->n, j->options->test, dm_ctx_seed(j->ctx), classes, groups, train, n_train, test, n_test, err);
  for (size_t i = 0; s == DM_OK && i < *n_train; i++) train[i] = j->rows[train[i]];
  for (size_t i = 0; s == DM_OK && i < *n_test; i++) test[i] = j->rows[test[i]];
  return s;
}

/* Everything that is written, in one transaction. */
static dm_status save(dm_store *store, const job *j, const dm_src *src, const dm_scorer *scorer, const outcome *test, dm_arena *arena,
                      dm_train_result *out, dm_error *err) {
  dm_buf params;
  dm_json_out json;
  dm_buf_init(&params, j->ctx, err);
  dm_json_out_init(&json, &params, false);
  dm_params_json(j->params, &json);
  if (dm_buf_status(&params) != DM_OK) return DM_EBUDGET;
  dm_model_meta *m = &out->meta;
  m->name = j->options->model ? j->options->model : j->options->method;
  m->method = j->learner->name;
  m->task = j->classify ? "classify" : "regress";
  m->target = j->frame->columns[j->target].name;
  m->status = "ready";
  m->params_json = dm_arena_strdup(arena, params.p, params.n, err);
  m->source_sql = dm_arena_strdup(arena, src->text, strlen(src->text), err);
  m->source_digest = dm_arena_strdup(arena, j->digest, strlen(j->digest), err);
  m->lib_version = DM_VERSION;
  m->rows = (int64_t)out->rows;
  m->seed = dm_ctx_seed(j->ctx);
  m->seconds = out->seconds;
  dm_buf_clear(&params);
  if (!m->params_json || !m->source_sql || !m->source_digest) return DM_EBUDGET;
  m->name = dm_arena_strdup(arena, m->name, strlen(m->name), err);
  m->target = dm_arena_strdup(arena, m->target, strlen(m->target), err);
  if (!m->name || !m->target) return DM_EBUDGET;

  dm_model_metric metrics[4 * DM_METRICS_MAX];
  size_t n = 0;
  const struct { const char *split; const dm_metric *metrics; size_t n; } parts[] = {
      {"train", out->train, out->n_train}, {"test", out->test, out->n_test}, {"cv", out->cv, out->n_cv}, {"cv_sd", out->cv_sd, out->n_cv_sd}};
  for (size_t p = 0; p < 4; p++)
    for (size_t i = 0; i < parts[p].n; i++)
      if (isfinite(parts[p].metrics[i].value))
        metrics[n++] = (dm_model_metric){parts[p].split, parts[p].metrics[i].name, parts[p].metrics[i].value};

  int64_t run;
  dm_status s = dm_store_begin(store, err);
  if (s != DM_OK) return s;
  s = dm_store_ensure_schema(store, err);
  if (s == DM_OK) s = dm_run_start(store, "train", m->params_json, NULL, &run, err);
  if (s == DM_OK) s = dm_registry_save(store, scorer, m, metrics, n, arena, err);
  if (s == DM_OK && test->n) s = dm_report_evaluation_save(store, m->id, "test", test->n, test->k, test->truth, test->value, test->k ? test->proba : NULL, err);
  if (s == DM_OK) s = dm_run_end(store, run, "done", err);
  if (s == DM_OK) s = dm_store_commit(store, err);
  if (s != DM_OK) dm_store_rollback(store);
  return s;
}

static dm_status check_options(const job *j, dm_error *err) {
  const dm_train_options *o = j->options;
  if (!o->target && (j->learner->takes & DM_NEEDS_TARGET)) {
    (void)dm_fail(err, DM_EUSAGE, "%s needs a target", o->method);
    dm_error_hint(err, "name the column to predict with --target");
    return DM_EUSAGE;
  }
  if (!(o->test >= 0 && o->test < 1)) return dm_fail(err, DM_EUSAGE, "test = %g, want a share from 0 up to, not including, 1", o->test);
  if (o->folds == 1) return dm_fail(err, DM_EUSAGE, "folds = 1, want at least 2");
  return o->test > 0 && o->folds ? dm_fail(err, DM_EUSAGE, "test and folds exclude each other") : DM_OK;
}

static dm_status run(dm_store *store, job *j, const dm_src *src, dm_arena *arena, dm_train_result *out, dm_error *err) {
  char started[32];
  dm_status s = check_options(j, err);
  if (s == DM_OK) s = dm_src_frame(store, src, NULL, 0, &j->frame, j->digest, err);
  if (s == DM_OK) s = choose_columns(j, err);
  if (s == DM_OK) s = choose_task(j, err);
  if (s == DM_OK) s = check_target(j, err);
  if (s == DM_OK) s = choose_rows(j, err);
  if (s != DM_OK) return s;
  dm_time_utc(started);
  double from = dm_seconds();
  size_t *train = dm_arena_alloc(j->memory, j->n, sizeof *train, err), *test = dm_arena_alloc(j->memory, j->n, sizeof *test, err);
  size_t n_train = 0, n_test = 0;
  dm_scorer *scorer = NULL;
  outcome on_train = {0}, on_test = {0};
  if (!train || !test) return DM_EBUDGET;
  if (j->options->folds) s = cross_validate(j, out, err);
  if (s == DM_OK) s = split_rows(j, train, &n_train, test, &n_test, err);
  if (s == DM_OK) s = train_rows(j, train, n_train, &scorer, err);
  double seconds = dm_seconds() - from;
  if (s == DM_OK && (j->options->train_metrics || (j->learner->takes & DM_PREDICTS_CHEAPLY))) {
    s = score_rows(j, scorer, train, n_train, j->memory, &on_train, err);
    if (s == DM_OK) s = measure(j, &on_train, out->train, &out->n_train, err);
  }
  if (s == DM_OK && n_test) {
    s = score_rows(j, scorer, test, n_test, j->memory, &on_test, err);
    if (s == DM_OK) s = measure(j, &on_test, out->test, &out->n_test, err);
  }
  if (s == DM_OK) {
    out->rows = n_train + n_test;
    out->test_rows = n_test;
    out->columns = j->d;
    out->rejects = j->frame->rejects;
    out->seconds = seconds;
    out->meta.started = dm_arena_strdup(arena, started, strlen(started), err);
    s = out->meta.started ? save(store, j, src, scorer, &on_test, arena, out, err) : DM_EBUDGET;
  }
  dm_scorer_free(scorer);
  return s;
}

dm_status dm_train(dm_store *store, const dm_src *src, const dm_train_options *options, dm_arena *arena, dm_train_result *out,
                   dm_error *err) {
  dm_ctx *ctx = dm_store_ctx(store);
  job j = {.ctx = ctx, .options = options, .params = options->params, .target = SIZE_MAX, .group = SIZE_MAX};
  dm_train_result result = {0};
  if (!(j.learner = dm_learner_find(ctx, options->method, err))) return DM_EUSAGE;
  dm_status s = dm_arena_new(ctx, 0, &j.memory, err);
  if (s == DM_OK) s = run(store, &j, src, arena, &result, err);
  dm_frame_free(j.frame);
  dm_arena_free(j.memory);
  if (s == DM_OK) *out = result;
  return s;
}
