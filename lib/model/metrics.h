/* Parts of the metrics shared by their files. */
#ifndef DM_MODEL_METRICS_H
#define DM_MODEL_METRICS_H

#include <dm/model.h>

/** A row for ranking: its score and which side it is on. */
typedef struct dm_ranked {
  double score;
  bool positive;
} dm_ranked;

/** Area under the ROC; ties count half. Sorts rows by falling score. NaN when a side is empty. */
double dm_rank_auc(dm_ranked *rows, size_t n);

#endif
