/*
 * Scoring of a frame: fixed blocks of 1024 rows over the threads, each thread
 * with room of its own. Blocks do not touch each other, so the bits are those
 * of dm_scorer_row for any number of threads.
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
  double *value, *score, *proba;
  dm_scorer_room *rooms; /* one for each thread */
  size_t failed_block;   /* the first block that failed decides what is said */
  dm_status status;
  dm_error *err;
} job;

static void run_block(job *j, size_t b, const dm_scorer_room *room) {
  size_t first = b * BLOCK, n = j->n - first < BLOCK ? j->n - first : BLOCK, k = j->s->model->n_classes;
  dm_error err = {0};
  dm_status status = dm_scorer_block(j->s, j->view, j->rows, first, n, room, j->value ? j->value + first : NULL,
                                     j->score ? j->score + first : NULL, j->proba && k ? j->proba + first * k : NULL, &err);
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
    if (!dm_ctx_cancelled(j->s->ctx)) run_block(j, b, &j->rooms[omp_get_thread_num()]);
  return j->status != DM_OK ? j->status : dm_ctx_check(j->s->ctx, err);
}

dm_status dm_scorer_frame(const dm_scorer *s, const dm_frame *frame, const size_t *rows, size_t n, double *value, double *score,
                          double *proba, dm_error *err) {
  dm_arena *memory = NULL;
  dm_scorer_view view;
  size_t blocks = (n + BLOCK - 1) / BLOCK, threads = dm_ctx_threads(s->ctx);
  if (threads > blocks) threads = blocks ? blocks : 1;
  dm_status status = dm_arena_new(s->ctx, 0, &memory, err);
  if (status != DM_OK) return status;
  dm_scorer_room *rooms = dm_arena_alloc(memory, threads, sizeof *rooms, err);
  if (!rooms) status = DM_EBUDGET;
  for (size_t t = 0; status == DM_OK && t < threads; t++)
    status = dm_scorer_room_init(s, n < BLOCK ? n : BLOCK, memory, &rooms[t], err);
  if (status == DM_OK) status = dm_scorer_view_init(s, frame, memory, &view, err);
  if (status == DM_OK) {
    job j = {.s = s, .view = &view, .rows = rows, .n = n, .value = value, .score = score, .proba = proba, .rooms = rooms,
             .failed_block = SIZE_MAX, .err = err};
    status = run(&j, threads, err);
  }
  dm_arena_free(memory);
  return status;
}
