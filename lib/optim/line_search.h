/* Line search along a direction of descent. */
#ifndef DM_OPTIM_LINE_SEARCH_H
#define DM_OPTIM_LINE_SEARCH_H

#include <dm/optim.h>

/** A point of the line: step, value and slope there. */
typedef struct line_point {
  double step, value, slope;
} line_point;

/** Where the search goes, and room for the point it looks at. */
typedef struct line {
  const dm_objective *f;
  const double *from, *direction; /* [n] */
  double *at, *gradient;          /* [n] of the last point evaluated */
  size_t evaluations;
  line_point start;               /* step 0 */
} line;

/**
 * Finds a step that satisfies the strong Wolfe conditions, trying `first`
 * before others; on success line->at and gradient are those of *out.
 * @param found false: there is none that double can tell from the start.
 */
dm_status dm_line_search(line *l, double first, line_point *out, bool *found, dm_error *err);

#endif
