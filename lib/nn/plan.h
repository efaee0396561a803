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

/* What a plan is for. */
enum {
  NN_PLAN_SCORE = 0,
  NN_PLAN_TRAIN = 1,          /* forward and backward */
  NN_PLAN_INPUT_GRADIENT = 2  /* and backward goes on to the input node, whose gradient stays */
};

typedef struct nn_place {
  size_t out, saved, work, grad; /* reals from the arena's begin; NN_NONE = there is none: without out no forward, without grad no backward */
  bool passes;                   /* not run: out is that of its input */
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
 * @param outputs [n_outputs] nodes whose values are read after the forward pass (in a scoring plan they stay until the next one); a
 *                training plan has the gradient of outputs[0]. Nodes that no output needs are not run.
 * @param what of NN_PLAN_*
 * @return DM_EBUDGET (`net: one slot of 64 rows needs 812 MB …` when sizes overflow or pass the budget)
 */
dm_status nn_plan_new(const nn_graph *g, const size_t *outputs, size_t n_outputs, size_t rows, unsigned what, nn_plan **out, dm_error *err);
void nn_plan_free(nn_plan *p); /* NULL allowed */

/** Whether forward runs the node. */
static inline bool nn_plan_runs(const nn_plan *p, size_t node) { return p->places[node].out != NN_NONE && !p->places[node].passes; }
static inline dm_real *nn_plan_at(size_t place, dm_real *arena) { return place == NN_NONE ? NULL : arena + place; }
/** Sets what of a call of the node's op on n rows lies in the arena; the rest stays as it is. @param backward also g_out and g_in */
void nn_plan_call(const nn_plan *p, const nn_graph *g, size_t node, size_t n, dm_real *arena, bool backward, nn_call *call);

#endif
