/* Parts of the scorer shared by its files. */
#ifndef DM_MODEL_SCORER_H
#define DM_MODEL_SCORER_H

#include <dm/model.h>

/** An empty scorer of d inputs with its arena. */
dm_status dm_scorer_alloc(dm_ctx *ctx, size_t d, dm_scorer **out, dm_error *err);

/** Copies levels and their texts into memory. */
dm_status dm_scorer_copy_levels(dm_arena *memory, const dm_levels *in, dm_levels *out, dm_error *err);

/** Gives a scorer of inputs and target its stages [n], the last one its model; they are taken over on success. DM_EINPUT: widths that do not fit. */
dm_status dm_scorer_set_stages(dm_scorer *s, const dm_stage *stages, size_t n, dm_error *err);

/** The encoder that raw rows go through. */
static inline const dm_encoder *dm_scorer_first(const dm_scorer *s) { return s->n_before ? s->before[0].encoder : s->encoder; }

/** Columns of scorer's inputs in another frame, and what their cells mean here. */
typedef struct dm_scorer_view {
  const dm_frame_column **columns; /* [d] */
  double **codes;                  /* [d] raw double of each level of a category column, NULL for numbers */
} dm_scorer_view;

/** Finds and checks every input in frame; all of it in memory. DM_EINPUT names the inputs that are not there. */
dm_status dm_scorer_view_init(const dm_scorer *s, const dm_frame *frame, dm_arena *memory, dm_scorer_view *out, dm_error *err);

/**
 * Scores n rows: first, first + 1, … or rows[first], … of the view; n at most scratch->rows. @param raw [d] room
 */
dm_status dm_scorer_block(const dm_scorer *s, const dm_scorer_view *view, const size_t *rows, size_t first, size_t n, double *raw,
                          const dm_scratch *scratch, const dm_scored *out, dm_error *err);

/** From rows that stand encoded for the first stage in scratch->encoded to all that is wanted. */
dm_status dm_scorer_run(const dm_scorer *s, size_t n, const dm_scratch *scratch, const dm_scored *out, dm_error *err);

/** out moved on by n rows. */
dm_scored dm_scored_from(const dm_scorer *s, const dm_scored *out, size_t n);

#endif
