/* A data file into a frame: import's typing, no database, nothing left behind. */
#include "data/typed_pipe.h"
#include "store/digest.h"

#include <dm/store.h>
#include <string.h>

typedef struct file_reader {
  dm_ctx *ctx;
  dm_typed *t;
  dm_frame_builder *builder;
  const char **names;
  dm_digest digest;
  bool with_digest;
} file_reader;

static dm_status add_cell(file_reader *r, size_t column, dm_value v, dm_error *err) {
  switch (v.type) {
  case DM_INTEGER:
    if (r->with_digest) dm_digest_number(&r->digest, DM_INTEGER, (uint64_t)v.integer);
    return dm_frame_builder_integer(r->builder, column, v.integer, err);
  case DM_REAL:
    if (r->with_digest) dm_digest_real(&r->digest, v.real);
    return dm_frame_builder_real(r->builder, column, v.real, err);
  case DM_TEXT:
    if (r->with_digest) dm_digest_text(&r->digest, v.text.p, v.text.n);
    return dm_frame_builder_text(r->builder, column, v.text.p, v.text.n, err);
  default:
    if (r->with_digest) dm_digest_number(&r->digest, DM_NULL, 0);
    return DM_OK; /* a cell that is not given is missing */
  }
}

static dm_status add_batch(file_reader *r, const dm_rows *batch, uint64_t first_row, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < batch->n; i++) {
    for (size_t k = 0; s == DM_OK && k < batch->d; k++) s = add_cell(r, k, dm_rows_value(batch, i, k), err);
    if (s == DM_OK) s = dm_frame_builder_end_row(r->builder, (int64_t)(first_row + i), err);
  }
  return s;
}

static dm_status start(file_reader *r, dm_error *err) {
  dm_frame_builder_free(r->builder);
  r->builder = NULL;
  if (r->with_digest) {
    dm_digest_clear(&r->digest);
    dm_status s = dm_digest_init(&r->digest, r->ctx, r->names, r->t->d, err);
    if (s != DM_OK) return s;
  }
  return dm_frame_builder_new(r->ctx, r->t->d, r->names, false, 0, &r->builder, err);
}

/* *again when the cells must come once more with other types. */
static dm_status pass(file_reader *r, bool *again, dm_error *err) {
  dm_typed_pipe *pipe = NULL;
  double total = (double)dm_csv_bytes(r->t->csv) / 1e6;
  uint64_t rows = 0;
  bool misfit = false;
  dm_status s = start(r, err);
  if (s == DM_OK) s = dm_typed_pipe_open(r->t, &pipe, err);
  for (bool more = true; s == DM_OK && more;) {
    const dm_rows *batch;
    if ((s = dm_typed_pipe_next(pipe, &batch, err)) != DM_OK) break;
    more = !batch->end && !batch->misfit;
    misfit = batch->misfit;
    s = add_batch(r, batch, rows + 1, err);
    rows += batch->n;
    dm_progress(r->ctx, "reading", (double)batch->bytes_done / 1e6, total, "MB");
  }
  dm_typed_pipe_close(pipe);
  if (s != DM_OK) return s;
  *again = misfit || !dm_typed_is_settled(r->t);
  if (misfit)
    s = dm_typed_settle(r->t, err);
  else if (*again)
    dm_typed_adopt(r->t);
  return s;
}

static dm_status read_all(file_reader *r, dm_error *err) {
  bool again;
  r->names = dm_alloc(r->ctx, r->t->d, sizeof *r->names, "column names", err);
  if (!r->names) return DM_EBUDGET;
  for (size_t i = 0; i < r->t->d; i++) r->names[i] = r->t->columns[i].name;
  dm_status s = pass(r, &again, err);
  if (s != DM_OK || !again) return s;
  s = dm_typed_rewind(r->t, err);
  if (s == DM_OK) s = pass(r, &again, err);
  if (s == DM_OK && again) {
    s = dm_fail(err, DM_EIO, "the file changes while it is read");
    dm_error_at(err, r->t->path, 0, 0);
  }
  return s;
}

/* Nothing keeps these records, so they are said aloud. */
static void warn_of_rejects(const file_reader *r) {
  if (r->t->rejected)
    dm_log(r->ctx, DM_LOG_WARNING, "%s: %llu of %llu records do not fit and are left out; dm-clean import keeps them", r->t->path,
           (unsigned long long)r->t->rejected, (unsigned long long)r->t->records);
}

dm_status dm_file_frame(dm_ctx *ctx, const char *path, const dm_csv_options *options, dm_frame **out, char *digest, dm_error *err) {
  file_reader r = {.ctx = ctx, .digest = {.ctx = ctx}, .with_digest = digest != NULL};
  dm_frame *frame;
  dm_status s = dm_typed_open(ctx, path, options, &r.t, err);
  if (s == DM_OK) s = read_all(&r, err);
  if (s == DM_OK) {
    s = dm_frame_builder_finish(r.builder, &frame, err);
    r.builder = NULL;
  }
  if (s == DM_OK) {
    warn_of_rejects(&r);
    frame->rejects = r.t->rejected;
    if (digest) dm_digest_hex(&r.digest, digest);
    *out = frame;
  }
  dm_frame_builder_free(r.builder);
  dm_digest_clear(&r.digest);
  dm_free(ctx, r.names);
  dm_typed_close(r.t);
  return s;
}
