/*
 * Rebuilding rows: what each encoded column costs, and the head that a net of
 * such outputs trains with.
 *
 *   encoded row   | age | sex (3 codes) | income | …          a number, or a code
 *   outputs       | age | income | … | sex 0 | sex 1 | sex 2 | …
 *
 *   number    (s - y)^2
 *   category  log(sum_c exp(s_c)) - s_y
 *
 * A cell that is missing costs nothing: a number that is NaN, or the code
 * before the last of a category (codes end in … missing, other; see
 * dm_encode_options.other). Columns count alike.
 */
#ifndef DM_NN_CELLS_H
#define DM_NN_CELLS_H

#include "nn/run.h"

typedef struct nn_cells {
  size_t d, n_numbers, n_categories;
  const size_t *numbers;    /* [n_numbers] columns, ascending */
  const size_t *categories; /* [n_categories] columns, ascending */
  const size_t *levels;     /* [n_categories] codes of each, 2 or more */
  size_t size;              /* outputs */
} nn_cells;

/** Sorts d columns into numbers and categories; arrays in memory. @param levels [d] 0 = number, or NULL. DM_EINPUT: one code, or more outputs than a net may have. */
dm_status nn_cells_init(nn_cells *c, dm_arena *memory, const size_t *levels, size_t d, dm_error *err);
/** Code that a category cell shows; SIZE_MAX: it is missing. */
size_t nn_cells_code(size_t levels, double cell);

/**
 * Loss of one row: the sum over its cells. @param y [d] @param out [size] @param g [size] gradient times scale, written, or NULL
 * @param n_cells counted up by the cells that are not missing
 */
double nn_cells_loss(const nn_cells *c, const float *y, const dm_real *out, double scale, dm_real *g, size_t *n_cells);

#endif
