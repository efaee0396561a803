/* One model on some rows: encoder, blocks, learner, scorer. */
#include "pipeline/train.h"

#include <string.h>

static dm_status fit_encoder(const dm_job *j, const size_t *rows, size_t n, dm_encoder **out, dm_error *err) {
  unsigned native = DM_TAKES_MISSING | DM_TAKES_CATEGORIES;
  if ((j->learner->takes & native) == native) return dm_encoder_passthrough(j->ctx, j->d, out, err);
  dm_encode_options o = {.impute_numeric = DM_IMPUTE_MEAN, .impute_category = DM_IMPUTE_MODE, .categories = DM_CODE_ONE_HOT};
  if (j->learner->encoding)
    j->learner->encoding(j->params, &o);
  else if (j->learner->takes & DM_SCALES)
    (void)dm_scale_parse(dm_params_choice(j->params, "scale"), &o.scale); /* one of its choices */
  return dm_encoder_fit(j->ctx, j->frame, j->columns, j->d, rows, n, &o, out, err);
}

/* RAW: columns as they are in the frame. */
static dm_status raw_block(const dm_job *j, dm_arena *memory, const size_t *rows, size_t n, dm_block *out, dm_error *err) {
  const double **raw = dm_arena_alloc(memory, j->d, sizeof *raw, err);
  size_t *levels = dm_arena_alloc(memory, j->d, sizeof *levels, err);
  if (!raw || !levels) return DM_EBUDGET;
  for (size_t c = 0; c < j->d; c++) {
    const dm_frame_column *column = &j->frame->columns[j->columns[c]];
    levels[c] = column->kind == DM_CATEGORY ? column->levels.n : 0;
    if (!(raw[c] = dm_job_gather(memory, column->values, rows, n, err))) return DM_EBUDGET;
  }
  *out = (dm_block){.kind = DM_BLOCK_RAW, .d = j->d, .raw = raw, .levels = levels};
  return DM_OK;
}

/* Levels of encoded columns; *out NULL when all are numbers. */
static dm_status encoded_levels(const dm_encoder *encoder, dm_arena *memory, const size_t **out, dm_error *err) {
  size_t m = dm_encoder_n_outputs(encoder);
  bool any = false;
  size_t *levels = dm_arena_alloc(memory, m, sizeof *levels, err);
  if (!levels) return DM_EBUDGET;
  for (size_t c = 0; c < m; c++) any |= (levels[c] = dm_encoder_output_levels(encoder, c)) > 0;
  *out = any ? levels : NULL;
  return DM_OK;
}

/* Says which category is behind a matrix that is too large: by codes of one column a level. */
static void hint_of_levels(const dm_job *j, size_t m, dm_error *err) {
  const dm_frame_column *most = NULL;
  for (size_t c = 0; c < j->d; c++) {
    const dm_frame_column *column = &j->frame->columns[j->columns[c]];
    if (column->kind == DM_CATEGORY && (!most || column->levels.n > most->levels.n)) most = column;
  }
  if (most && most->levels.n > m / 2)
    dm_error_hint(err, "category '%s' has %zu levels, a column each: leave it out, or let a tree or a net learn from it", most->name,
                  most->levels.n);
}

/* DENSE: encoded rows as float32. */
static dm_status dense_block(const dm_job *j, const dm_encoder *encoder, dm_arena *memory, const size_t *rows, size_t n, dm_dense *dense,
                             dm_block *out, dm_error *err) {
  size_t m = dm_encoder_n_outputs(encoder);
  const size_t *levels = NULL;
  dm_status s = encoded_levels(encoder, memory, &levels, err);
  if (s != DM_OK) return s;
  double *scratch = dm_alloc(j->ctx, j->d + m, sizeof *scratch, "encoded row", err);
  if (!scratch) return DM_EBUDGET;
  s = dm_dense_new(j->ctx, n, m, dense, err);
  if (s != DM_OK && !levels) hint_of_levels(j, m, err);
  for (size_t i = 0; s == DM_OK && i < n; i++) {
    for (size_t c = 0; c < j->d; c++) scratch[c] = j->frame->columns[j->columns[c]].values[rows[i]];
    dm_encoder_row(encoder, scratch, scratch + j->d);
    for (size_t c = 0; c < m; c++) dense->x[i * dense->stride + c] = (float)scratch[j->d + c];
  }
  dm_free(j->ctx, scratch);
  *out = (dm_block){.kind = DM_BLOCK_DENSE, .d = m, .levels = levels, .dense = dense};
  return s;
}

/* The learner's own work; a checkpoint is read against the same columns and classes as the data have. */
static dm_status fit_learner(const dm_job *j, const dm_dataset *data, const char *const *names, const dm_training_hooks *hooks,
                             dm_model **out, dm_error *err) {
  dm_training training = {.train = data, .names = names, .hooks = hooks};
  dm_training_hooks resuming;
  dm_model_reader reader;
  if (hooks && hooks->resume) {
    reader = *hooks->resume;
    reader.d = data->blocks->d;
    reader.n_classes = data->n_classes;
    reader.levels = data->blocks->levels;
    resuming = *hooks;
    resuming.resume = &reader;
    training.hooks = &resuming;
  }
  return j->learner->train(j->ctx, &training, j->params, out, err);
}

/* Trains on the given rows and wraps the model for scoring. */
dm_status dm_job_fit(const dm_job *j, const size_t *rows, size_t n, const dm_training_hooks *hooks, dm_scorer **out, dm_error *err) {
  dm_arena *memory = NULL;
  dm_encoder *encoder = NULL;
  dm_model *model = NULL;
  dm_dense dense = {0};
  dm_binned binned = {0};
  dm_block block = {0};
  dm_status s = dm_arena_new(j->ctx, (size_t)1 << 20, &memory, err);
  if (s == DM_OK) s = fit_encoder(j, rows, n, &encoder, err);
  if (s == DM_OK && j->learner->block == DM_BLOCK_DENSE) s = dense_block(j, encoder, memory, rows, n, &dense, &block, err);
  if (s == DM_OK && j->learner->block != DM_BLOCK_DENSE) s = raw_block(j, memory, rows, n, &block, err);
  if (s == DM_OK && j->learner->block == DM_BLOCK_BINNED) {
    s = dm_binned_new(j->ctx, n, j->d, block.raw, block.levels, 255, &binned, err);
    block.kind = DM_BLOCK_BINNED;
    block.binned = &binned;
  }
  const dm_frame_column *target = j->encodes ? NULL : &j->frame->columns[j->target];
  const char **names = s == DM_OK ? dm_arena_alloc(memory, j->d, sizeof *names, err) : NULL;
  double *y = s == DM_OK && target ? dm_job_gather(memory, target->values, rows, n, err) : NULL;
  if (s == DM_OK && (!names || (target && !y))) s = DM_EBUDGET;
  if (s == DM_OK) {
    for (size_t c = 0; c < j->d; c++) names[c] = j->frame->columns[j->columns[c]].name;
    dm_dataset data = {.n = n, .n_blocks = 1, .blocks = &block, .target = y, .n_classes = j->classify ? target->levels.n : 0};
    s = fit_learner(j, &data, names, hooks, &model, err);
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
