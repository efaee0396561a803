/* The target as supervised learners want it, and what is wrong with one. */
#ifndef DM_MODEL_TARGET_H
#define DM_MODEL_TARGET_H

#include <dm/model.h>

typedef struct dm_learned {
  double *y;          /* [n] place of the class, or the number by its deviation from the mean */
  uint32_t *classes;  /* [fitted] codes of the classes with rows that weigh, ascending */
  size_t fitted;      /* 0 = a number */
  double total;       /* sum of the weights */
  double mean, scale; /* of a number; a constant one has the scale 1 */
} dm_learned;

/**
 * Reads and checks target and weights. @param name of the learner, for texts
 * @return DM_EINPUT: no target, fewer than 2 rows, one class, more than max_classes, a weight below 0, numbers that double cannot average.
 */
dm_status dm_learned_read(dm_ctx *ctx, const char *name, const dm_dataset *data, size_t max_classes, dm_learned *out, dm_error *err);
void dm_learned_clear(dm_ctx *ctx, dm_learned *t);

#endif
