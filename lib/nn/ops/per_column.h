/*
 * A linear map for each column of its own, which numeric embeddings end in:
 *
 *   out[:, j * stride … + units] = z (n, features) W_j (features, units)  [+ bias_j (units)]
 */
#ifndef DM_NN_OPS_PER_COLUMN_H
#define DM_NN_OPS_PER_COLUMN_H

#include "nn/graph.h"

typedef struct per_column {
  size_t features, units;
  const dm_real *w, *bias; /* of this column; bias NULL: added to what is there */
} per_column;

/** @param z [n, features] @param out rows are out_row reals apart */
void per_column_forward(const nn_call *call, const per_column *map, const dm_real *z, dm_real *out, size_t out_row);
/** g_w [features, units] is written. @param g [n, units], rows g_row apart */
void per_column_g_w(const nn_call *call, const per_column *map, const dm_real *z, const dm_real *g, size_t g_row, dm_real *g_w);
/** g_bias [units] is written. */
void per_column_g_bias(const nn_call *call, const per_column *map, const dm_real *g, size_t g_row, dm_real *g_bias);
/** g_z [n, features] is written. @param turned [features * units] scratch */
void per_column_g_z(const nn_call *call, const per_column *map, const dm_real *g, size_t g_row, dm_real *turned, dm_real *g_z);

/** Rank 1 and columns within the input. */
dm_status per_column_check(const nn_graph *g, const nn_node *node, dm_error *err);

#endif
