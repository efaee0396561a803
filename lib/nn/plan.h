/*
 * Where every buffer of a slot lies in its arena, by lifetimes: two buffers
 * share bytes when no step needs both.
 *
 *   step      0 1 2 3 | 3' 2' 1'          forward, then backward
 *   out 1       [=========]               needed until backward of 1 and 2 are done
 *   out 2         [=====]
 *   work 2        []                      of one call only
 *   grad 1               [==]
 */
#ifndef DM_NN_PLAN_H
#define DM_NN_PLAN_H

#include "nn/graph.h"

#define NN_NONE SIZE_MAX

typedef struct nn_place {
  size_t out, saved, work, grad; /* reals from the arena's begin; NN_NONE = there is none */
  size_t temp[NN_INPUTS_MAX];    /* where g_in of this input goes when it must be added to what another consumer gave; else NN_NONE */
} nn_place;

typedef struct nn_plan {
  dm_ctx *ctx;
  size_t rows;      /* of a slot */
  bool training;
  size_t reals;     /* of the arena */
  size_t n;
  nn_place *places; /* [n nodes] */
} nn_plan;

/**
 * @param outputs [n_outputs] nodes whose values are read after the forward pass; a training plan has the gradient of outputs[0].
 * @return DM_EBUDGET (`net: one slot of 64 rows needs 812 MB …` when sizes overflow or pass the budget)
 */
dm_status nn_plan_new(const nn_graph *g, const size_t *outputs, size_t n_outputs, size_t rows, bool training, nn_plan **out, dm_error *err);
void nn_plan_free(nn_plan *p); /* NULL allowed */

#endif
