/*
 * Scoring of a frame: fixed blocks of 1024 rows over the threads, each thread
 * with room of its own. Blocks do not touch each other, so the bits are those
 * of dm_scorer_rows for any number of threads.
 */
#include "model/scorer.h"

#include <omp.h>

enum { BLOCK = 1024 };

/* What all threads see. */
typedef struct job {
  const dm_scorer *s;
  const dm_scorer_view *view;
  const size_t *rows;
  size_t n;
  const dm_scored *out;
  dm_scratch *scratches; /* one for each thread, and … */
  double **raws;         /* … a raw row */
  size_t failed_block;   /* the first block that failed decides what is said */
  dm_status status;
  dm_error *err;
} job;

static void run_block(job *j, size_t b, size_t thread) {
  size_t first = b * BLOCK, n = j->n - first < BLOCK ? j->n - first : BLOCK;
  dm_error err = {0};
  dm_scored part = dm_scored_from(j->s, j->out, first);
  dm_status status = dm_scorer_block(j->s, j->view, j->rows, first, n, j->raws[thread], &j->scratches[thread], &part, &err);
  if (status == DM_OK) return;
#pragma omp critical(dm_scorer_frame)
  if (b < j->failed_block) {
    j->failed_block = b;
    j->status = status;
    if (j->err) *j->err = err;
  }
}

static dm_status run(job *j, size_t threads, dm_error *err) {
  size_t blocks = (j->n + BLOCK - 1) / BLOCK;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
  for (size_t b = 0; b < blocks; b++)
    if (!dm_ctx_cancelled(j->s->ctx)) run_block(j, b, (size_t)omp_get_thread_num());
  return j->status != DM_OK ? j->status : dm_ctx_check(j->s->ctx, err);
}

dm_status dm_scorer_frame_rows(const dm_scorer *s, const dm_frame *frame, const size_t *rows, size_t n, const dm_scored *out, dm_error *err) {
  dm_arena *memory = NULL;
  dm_scorer_view view;
  size_t blocks = (n + BLOCK - 1) / BLOCK, threads = dm_ctx_threads(s->ctx), ready = 0;
  if (threads > blocks) threads = blocks ? blocks : 1;
  dm_status status = dm_arena_new(s->ctx, 0, &memory, err);
  if (status != DM_OK) return status;
  dm_scratch *scratches = dm_arena_alloc(memory, threads, sizeof *scratches, err);
  double **raws = scratches ? dm_arena_alloc(memory, threads, sizeof *raws, err) : NULL;
  if (!raws) status = DM_EBUDGET;
  for (; status == DM_OK && ready < threads; ready++) {
    if (!(raws[ready] = dm_arena_alloc(memory, s->d, sizeof **raws, err))) status = DM_EBUDGET;
    if (status == DM_OK) status = dm_scratch_init_rows(&scratches[ready], s, n < BLOCK ? n : BLOCK, err);
  }
  if (status == DM_OK) status = dm_scorer_view_init(s, frame, memory, &view, err);
  if (status == DM_OK) {
    job j = {.s = s, .view = &view, .rows = rows, .n = n, .out = out, .scratches = scratches, .raws = raws, .failed_block = SIZE_MAX,
             .err = err};
    status = run(&j, threads, err);
  }
  for (size_t t = 0; t < ready; t++) dm_scratch_clear(&scratches[t], s);
  dm_arena_free(memory);
  return status;
}

dm_status dm_scorer_frame(const dm_scorer *s, const dm_frame *frame, const size_t *rows, size_t n, double *value, double *score,
                          double *proba, dm_error *err) {
  dm_scored out = {.value = value, .score = score, .proba = proba};
  return dm_scorer_frame_rows(s, frame, rows, n, &out, err);
}

dm_status dm_scorer_code_frame(const dm_scorer *s, const dm_frame *frame, const size_t *rows, size_t n, float *code, dm_error *err) {
  dm_scored out = {.code = code};
  return dm_scorer_frame_rows(s, frame, rows, n, &out, err);
}
