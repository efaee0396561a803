/* Rows of a table as the autoencoder's training sees them: filled, flagged, and corrupted when it learns to remove noise. */
#ifndef DM_NN_AUTOENCODER_FEED_H
#define DM_NN_AUTOENCODER_FEED_H

#include "nn/autoencoder.h"

typedef enum autoencoder_noise { AUTOENCODER_MASK = 0, AUTOENCODER_GAUSSIAN, AUTOENCODER_SWAP } autoencoder_noise;

/**
 * Rows 0 … first-1 are those of parts[0], the others of parts[1].
 *
 * Of each row's cells a share `noise` is corrupted, each by itself:
 *   mask      a number becomes its column's mean, a code that of a missing cell
 *   gaussian  a number gets a normal number times its column's deviation added; codes are swapped
 *   swap      the cell of another training row
 * Sources: Vincent et al., JMLR 2010 (mask, gaussian); Yoon et al., NeurIPS 2020 (swap).
 */
typedef struct autoencoder_data {
  const autoencoder_shape *shape;
  const dm_dense *parts[2];
  size_t first;
  const size_t *train; /* [n_train] rows that swap draws from */
  size_t n_train;
  double noise;
  autoencoder_noise kind;
  const double *spread; /* [d] deviation of the column's training cells */
} autoencoder_data;

const float *autoencoder_row(const autoencoder_data *data, size_t row);
/** As nn_feed.rows; user is an autoencoder_data. */
void autoencoder_feed(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out);
/** As nn_head.loss: cells count alike, weight is the share of cells that are not missing. */
double autoencoder_loss(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight);

#endif
