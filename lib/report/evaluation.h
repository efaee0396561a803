/* Evaluations between computing and storing them. */
#ifndef DM_REPORT_EVALUATION_H
#define DM_REPORT_EVALUATION_H

#include <dm/report.h>

#define DM_EVALUATION_CLASSES 30
#define DM_EVALUATION_POINTS 202 /* of a ROC curve */
#define DM_EVALUATION_GRID 36
#define DM_EVALUATION_BINS 24

/** Arguments as for dm_report_evaluation_save; out in the arena. */
dm_status dm_report_evaluation_compute(dm_arena *arena, dm_ctx *ctx, size_t n, size_t k, const double *truth, const double *value,
                                       const double *proba, dm_report_evaluation *out, dm_error *err);

#endif
