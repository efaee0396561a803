/*
 * --features-from: a learner takes what another model has learned in place of
 * the source's columns.
 *
 *   source (all columns) --encoder--> codes e1 … em, target, group --> split, fit, metrics as always
 *
 * The encoder then becomes the first stage of the new model: what it was
 * loaded from may go.
 */
#include "pipeline/train.h"

#include <math.h>
#include <strings.h>

enum { CHUNK = 8192 };

static dm_status check_encoder(const dm_job *j, dm_error *err) {
  const dm_train_options *o = j->options;
  if (j->encoder->model->n_code == 0) {
    (void)dm_fail(err, DM_EUSAGE, "model '%s' is by '%s', which learns no features", o->features_from, j->encoder->model->learner->name);
    dm_error_hint(err, "features are learned by autoencoders and nets");
    return DM_EUSAGE;
  }
  if (j->encoder->n_before + 2 > DM_STAGES_MAX)
    return dm_fail(err, DM_EUSAGE, "model '%s' has %zu stages, with one more that is above %d", o->features_from, j->encoder->n_before + 1,
                   DM_STAGES_MAX);
  for (size_t i = 0; o->target && i < j->encoder->d; i++) {
    if (strcasecmp(j->encoder->inputs[i].name, o->target) != 0) continue;
    (void)dm_fail(err, DM_EUSAGE, "the target '%s' is an input of model '%s': its features would give it away", o->target, o->features_from);
    dm_error_hint(err, "train '%s' again with --ignore %s", o->features_from, o->target);
    return DM_EUSAGE;
  }
  return DM_OK;
}

dm_status dm_job_encoder(dm_job *j, dm_store *store, dm_arena *arena, dm_train_result *out, dm_error *err) {
  const dm_train_options *o = j->options;
  dm_model_meta meta;
  if (!o->features_from) return DM_OK;
  if (o->n_features || o->n_ignored) {
    (void)dm_fail(err, DM_EUSAGE, "features-from and %s exclude each other", o->n_features ? "features" : "ignore");
    dm_error_hint(err, "model '%s' takes the columns that it was trained with", o->features_from);
    return DM_EUSAGE;
  }
  dm_status s = dm_registry_load(store, o->features_from, arena, &j->encoder, &meta, err);
  if (s == DM_OK) s = check_encoder(j, err);
  if (s != DM_OK) return s;
  out->features_from = dm_arena_printf(arena, err, "%s@%lld", meta.name, (long long)meta.version);
  j->features_sha256 = meta.sha256;
  if (out->features_from && o->target && meta.target && strcasecmp(meta.target, o->target) == 0 && (o->test > 0 || o->folds))
    dm_log(j->ctx, DM_LOG_WARNING, "model '%s' has learned from the target '%s': where it saw the rows held out, their metrics flatter",
           o->features_from, o->target);
  return out->features_from ? DM_OK : DM_EBUDGET;
}

/* Codes of rows first … first + n of the source, into columns. */
static dm_status encode_chunk(const dm_job *j, size_t first, size_t n, size_t *rows, float *code, dm_frame_column *columns, dm_error *err) {
  size_t m = j->encoder->model->n_code;
  for (size_t i = 0; i < n; i++) rows[i] = first + i;
  dm_status s = dm_scorer_code_frame(j->encoder, j->source, rows, n, code, err);
  if (s != DM_OK) return s;
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < m; c++) {
      double v = (double)code[i * m + c];
      if (!isfinite(v))
        return dm_fail(err, DM_EINPUT, "feature %zu of row %zu by model '%s' is not finite", c + 1, first + i + 1, j->options->features_from);
      columns[c].values[first + i] = v;
    }
  return DM_OK;
}

static dm_status encode_rows(const dm_job *j, dm_frame_column *columns, dm_error *err) {
  size_t n = j->source->n, chunk = n < CHUNK ? n : CHUNK;
  float *code = dm_alloc(j->ctx, chunk, j->encoder->model->n_code * sizeof *code, "codes", err);
  size_t *rows = code ? dm_alloc(j->ctx, chunk, sizeof *rows, "codes", err) : NULL;
  dm_status s = rows ? DM_OK : DM_EBUDGET;
  for (size_t at = 0; s == DM_OK && at < n; at += chunk) {
    s = encode_chunk(j, at, n - at < chunk ? n - at : chunk, rows, code, columns, err);
    dm_progress(j->ctx, "encode", (double)at, (double)n, "rows");
  }
  dm_free(j->ctx, rows);
  dm_free(j->ctx, code);
  return s;
}

/* A frame in an arena of its own with room for m codes, target and group. */
static dm_status new_frame(const dm_job *j, size_t m, dm_frame **out, dm_error *err) {
  dm_arena *memory = NULL;
  dm_status s = dm_arena_new(j->ctx, (size_t)1 << 20, &memory, err);
  if (s != DM_OK) return s;
  dm_frame *frame = dm_arena_alloc(memory, 1, sizeof *frame, err);
  dm_frame_column *columns = frame ? dm_arena_alloc(memory, m + 2, sizeof *columns, err) : NULL;
  if (!columns) s = DM_EBUDGET;
  for (size_t c = 0; s == DM_OK && c < m; c++) {
    columns[c] = (dm_frame_column){.name = dm_arena_printf(memory, err, "e%zu", c + 1), .kind = DM_NUMERIC, .type = DM_REAL};
    if (!columns[c].name || !(columns[c].values = dm_arena_alloc(memory, j->source->n, sizeof(double), err))) s = DM_EBUDGET;
  }
  if (s != DM_OK) {
    dm_arena_free(memory);
    return s;
  }
  *frame = (dm_frame){.ctx = j->ctx, .n = j->source->n, .d = m, .columns = columns, .row_ids = j->source->row_ids,
                      .rejects = j->source->rejects, .memory = memory};
  *out = frame;
  return DM_OK;
}

dm_status dm_job_codes(dm_job *j, dm_error *err) {
  dm_frame *frame = NULL;
  if (!j->encoder) return DM_OK;
  size_t m = j->encoder->model->n_code;
  j->source = j->frame;
  j->frame = NULL;
  dm_status s = new_frame(j, m, &frame, err);
  if (s != DM_OK) return s;
  j->frame = frame;
  if (j->target != SIZE_MAX) {
    frame->columns[frame->d] = j->source->columns[j->target]; /* its cells stay where they are */
    j->target = frame->d++;
  }
  if (j->group != SIZE_MAX) {
    frame->columns[frame->d] = j->source->columns[j->group];
    j->group = frame->d++;
  }
  if (!(j->columns = dm_arena_alloc(j->memory, m, sizeof *j->columns, err))) return DM_EBUDGET;
  for (size_t c = 0; c < m; c++) j->columns[c] = c;
  j->d = m;
  return encode_rows(j, frame->columns, err);
}

dm_status dm_job_compose(dm_job *j, dm_scorer **scorer, dm_error *err) {
  if (!j->encoder) return DM_OK;
  dm_status s = dm_scorer_compose(j->encoder, *scorer, scorer, err);
  if (s == DM_OK) j->encoder = NULL;
  return s;
}
