/*
 * Forward pass for scoring: rows in blocks of a fixed plan, no allocation, no
 * BLAS, the same bits for a row in every batch.
 */
#ifndef DM_NN_SCORE_H
#define DM_NN_SCORE_H

#include "nn/plan.h"

enum { NN_SCORE_ROWS = 64 };

typedef struct nn_scoring {
  const nn_graph *graph;
  nn_plan *plan;         /* of NN_SCORE_ROWS rows */
  const dm_real *w;
  dm_real *state;
} nn_scoring;

/** Bytes of work that nn_score needs. */
size_t nn_score_work(const nn_scoring *s);
/**
 * Scores n <= NN_SCORE_ROWS rows. @param x [n, d] encoded rows. @param work nn_score_work bytes, 64-byte aligned.
 * The values of the plan's outputs stay in work until the next call: nn_score_value finds them.
 */
void nn_score(const nn_scoring *s, const double *x, size_t n, void *work);
/** [n, size] values of one of the plan's output nodes. */
const dm_real *nn_score_value(const nn_scoring *s, const void *work, size_t node);

#endif
