/* Inside of the autoencoder: what training fills and scoring reads. */
#ifndef DM_NN_AUTOENCODER_H
#define DM_NN_AUTOENCODER_H

#include "nn/cells.h"
#include "nn/score.h"

#include <dm/nn.h>

enum { AUTOENCODER_LAYERS_MAX = 8 };
/* Numbers beyond are taken as this: their squares must be finite in float. */
#define AUTOENCODER_REACH 1e15

/**
 * The net and the rows it reads.
 *
 *   row of the net   | encoded columns: numbers, where missing their fill; codes | flags: 1 where that column is missing |
 *
 *   numbers, flags ---------+
 *                           +--> hidden … --> latent --> … hidden --> outputs of nn_cells
 *   codes --> embedding ----+
 *
 * A numeric column has a flag when training rows missed it.
 */
typedef struct autoencoder_shape {
  nn_cells cells;
  const size_t *flagged; /* [n_flags] columns, ascending */
  size_t n_flags;
  const double *fill;    /* [d] mean of the column's training cells; 0 for codes */
  size_t hidden[AUTOENCODER_LAYERS_MAX], n_hidden, latent;
  dm_activation activation;
} autoencoder_shape;

typedef struct autoencoder {
  dm_model base;
  dm_arena *memory;
  autoencoder_shape shape;
  nn_graph *graph;
  nn_plan *code_plan, *whole_plan;
  size_t code, output; /* nodes */
  nn_scoring encoding, rebuilding; /* code alone; code and output */
  dm_real *w;          /* [n_w] */
  size_t rows_at;      /* bytes into the work of predict where rows of the net begin */
  int64_t epochs;
  double train_loss, valid_loss; /* mean over cells; valid NaN = there was no validation part */
} autoencoder;

/** A graph for that shape. @param code,output written: nodes. */
dm_status autoencoder_graph(dm_ctx *ctx, const autoencoder_shape *shape, double dropout, nn_graph **out, size_t *code, size_t *output,
                            dm_error *err);
/** Model with its graph. Arrays of shape are copied. */
dm_status autoencoder_new(dm_ctx *ctx, const autoencoder_shape *shape, autoencoder **out, dm_error *err);
/** Allocates w, to be filled, and the plans of scoring. */
dm_status autoencoder_allocate(autoencoder *m, dm_error *err);
void autoencoder_free(dm_model *model);

dm_status autoencoder_predict(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err);
dm_status autoencoder_save(const dm_model *model, dm_model_writer *w, dm_error *err);
dm_status autoencoder_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err);
dm_status autoencoder_describe(const dm_model *model, const dm_scorer *scorer, dm_buf *out, dm_error *err);

#endif
