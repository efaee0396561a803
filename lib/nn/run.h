/*
 * One training step of a graph: forward, loss, backward, sum of gradients.
 *
 *   batch of rows | slot 0 | slot 1 | … |       slots depend on the batch size alone
 *                    each: its own arena, its own gradient; threads take slots
 *   gradient = slot 0 + slot 1 + …              added in that order: same bits for any thread count
 *
 * One job of the team a step (core/team.h: a training opens one for all its
 * steps); a barrier only where an op gathers batch sums, and before the
 * gradients are added.
 */
#ifndef DM_NN_RUN_H
#define DM_NN_RUN_H

#include "nn/plan.h"

/* Loss at the output node. */
typedef struct nn_head {
  void *user;
  /**
   * Sum of the losses of n rows (numbers rows[0 … n) of the data), whose outputs are out [n, size].
   * @param g_out [n, size] gradient of the sum times `scale`, to be written; NULL = only the loss is wanted
   * @param weight written: sum of the rows' weights
   * Thread-safe.
   */
  double (*loss)(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight);
} nn_head;

/* Where rows come from. */
typedef struct nn_feed {
  void *user;
  /** Writes rows [n, d] of the input node. @param rng of this step and slot (noise of a denoising autoencoder), `training` false: no noise. Thread-safe. */
  void (*rows)(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out);
} nn_feed;

enum { NN_SLOTS_MAX = 8 };

typedef struct nn_run {
  dm_ctx *ctx;
  const nn_graph *graph;
  size_t output;           /* node that the head reads */
  size_t batch, slots;     /* most rows of a step; most slots of one */
  nn_plan *plan;           /* of one slot */
  dm_real *w, *g, *state;  /* [n_w], [n_w], [n_state] */
  dm_real **arenas;        /* [slots] */
  dm_real **gradients;     /* [slots] each [n_w] */
  double **partials;       /* [nodes, slots] each [partial] of the node */
  size_t rows;             /* of the last step */
  double weight;           /* and the sum of their weights */
  void *block;
} nn_run;

/**
 * Everything a step needs, allocated here; w and state are those of nn_graph_init with the context's seed.
 * @param what NN_PLAN_INPUT_GRADIENT or 0. @return DM_EUSAGE (batch 0), DM_EBUDGET with the number
 */
dm_status nn_run_new(dm_ctx *ctx, const nn_graph *g, size_t output, size_t batch, unsigned what, nn_run **out, dm_error *err);
void nn_run_free(nn_run *r); /* NULL allowed */
/**
 * Forward and backward of n <= batch rows: r->g holds the gradient of the weighted mean loss. @param step counts steps from 0 over the whole
 * training, for random numbers. @param loss written: weighted sum; may not be finite. @param weight written: sum of weights.
 * @return DM_OK or DM_ECANCEL. Nothing is allocated.
 */
dm_status nn_run_step(nn_run *r, const nn_feed *feed, const nn_head *head, const size_t *rows, size_t n, uint64_t step, double *loss,
                      double *weight, dm_error *err);
/**
 * Gradient of the last step's weighted mean loss by the rows that were fed, so that another net can have made them; to be asked before
 * anything else is run. 0 where the loss does not hang on a column, or by codes. @param r made with NN_PLAN_INPUT_GRADIENT
 * @param out [r->rows, d] written
 */
void nn_run_input_gradient(const nn_run *r, dm_real *out);
/** Loss of any number of rows as scoring sees them (no dropout, running figures, no noise), in fixed chunks. */
dm_status nn_run_loss(nn_run *r, const nn_feed *feed, const nn_head *head, const size_t *rows, size_t n, double *loss, double *weight,
                      dm_error *err);

/** Slots of a step of n rows. */
size_t nn_run_slots(size_t n);

/** Gives products large enough to the CBLAS that is linked, others to dm_k_gemm. The caller has set BLAS to one thread. */
void nn_gemm_train(const dm_gemm *g);

#endif
