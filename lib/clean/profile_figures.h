/* Figures of one column from its distinct values and their counts. */
#ifndef DM_CLEAN_PROFILE_FIGURES_H
#define DM_CLEAN_PROFILE_FIGURES_H

#include "clean/summary.h"

#include <dm/clean.h>

/** One of the most frequent values; its text lives in a buffer of its own, since values pass by. */
typedef struct dm_top_entry {
  dm_value value;
  uint64_t count;
  dm_buf text;
} dm_top_entry;

typedef struct dm_figures {
  dm_ctx *ctx;
  dm_profile_column *out;
  const dm_table_column *column;
  dm_clean_moments moments;
  dm_clean_quantile quantiles[7];
  uint64_t numbers;   /* seen so far */
  size_t bin;
  dm_top_entry top[DM_PROFILE_TOP];
  size_t n_top;
  dm_buf first, last; /* least and greatest text */
  bool has_text, has_blob;
} dm_figures;

/** @param n_numbers how many numbers will come; min, max their range. */
void dm_figures_begin(dm_figures *f, dm_ctx *ctx, const dm_table_column *column, uint64_t n_numbers, double min, double max,
                      dm_profile_column *out);
/** A dm_group_fn: numbers must come in ascending order. */
dm_status dm_figures_add(void *figures, dm_value v, uint64_t count, dm_error *err);
/** Writes what remains to *out; texts go to the arena. Frees in any case. */
dm_status dm_figures_end(dm_figures *f, dm_arena *arena, dm_error *err);
void dm_figures_clear(dm_figures *f);

/** Equal-width bins on round edges that cover min … max, at most DM_PROFILE_BINS; whole numbers get half-open bins. @return bins */
size_t dm_histogram_edges(double min, double max, bool whole, double edges[DM_PROFILE_BINS + 1]);

#endif
