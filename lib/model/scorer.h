/* Parts of the scorer shared by its files. */
#ifndef DM_MODEL_SCORER_H
#define DM_MODEL_SCORER_H

#include <dm/model.h>

/** An empty scorer of d inputs with its arena. */
dm_status dm_scorer_alloc(dm_ctx *ctx, size_t d, dm_scorer **out, dm_error *err);

/** Copies levels and their texts into memory. */
dm_status dm_scorer_copy_levels(dm_arena *memory, const dm_levels *in, dm_levels *out, dm_error *err);

/** Columns of scorer's inputs in another frame, and what their cells mean here. */
typedef struct dm_scorer_view {
  const dm_frame_column **columns; /* [d] */
  double **codes;                  /* [d] raw double of each level of a category column, NULL for numbers */
} dm_scorer_view;

/** Finds and checks every input in frame; all of it in memory. DM_EINPUT names the inputs that are not there. */
dm_status dm_scorer_view_init(const dm_scorer *s, const dm_frame *frame, dm_arena *memory, dm_scorer_view *out, dm_error *err);

/** Room for blocks of up to `rows` rows. */
typedef struct dm_scorer_room {
  double *raw;     /* [d] */
  double *encoded; /* [rows, m] */
  double *proba;   /* [rows, n_classes] */
  double *value;   /* [rows] */
} dm_scorer_room;

dm_status dm_scorer_room_init(const dm_scorer *s, size_t rows, dm_arena *memory, dm_scorer_room *out, dm_error *err);

/**
 * Scores n rows: first, first + 1, … or rows[first], … of the view.
 * @param value,score [n] @param proba [n, n_classes] or NULL.
 */
dm_status dm_scorer_block(const dm_scorer *s, const dm_scorer_view *view, const size_t *rows, size_t first, size_t n,
                          const dm_scorer_room *room, double *value, double *score, double *proba, dm_error *err);

/** A predicted class is a place in probabilities and class names: DM_EINPUT when it is none (a forged model may give NaN). */
dm_status dm_scorer_check_class(const dm_scorer *s, double value, dm_error *err);

#endif
