/*
 * Small tensors of what a report draws, kept in dm_tensor beside the model's own under "eval/<split>/<group>…" and left out of its hash:
 * words of 8 bytes, little end first, read with every number checked.
 */
#ifndef DM_REPORT_FIGURES_H
#define DM_REPORT_FIGURES_H

#include <dm/report.h>

#define DM_FIGURES_BYTES 65536 /* of one tensor; larger ones are as good as absent */

/** @param group "" or "latent/": what stands between the split and the names. */
typedef struct dm_figures {
  dm_ctx *ctx;
  dm_arena *arena; /* reading: results live there */
  dm_stmt *statement;
  const char *split, *group;
} dm_figures;

/** A split's name is part of tensor names: DM_EUSAGE when it cannot be. */
dm_status dm_figures_check_split(const char *split, dm_error *err);
/** Ready to write, after everything of that group is gone (of group "": what has no group). */
dm_status dm_figures_open_write(dm_store *store, int64_t model_id, const char *split, const char *group, dm_figures *out, dm_error *err);
dm_status dm_figures_open_read(dm_store *store, int64_t model_id, const char *split, const char *group, dm_arena *arena, dm_figures *out,
                               dm_error *err);
void dm_figures_close(dm_figures *f);

/** [rows, columns]; columns 0: a vector. */
dm_status dm_figures_put_counts(dm_figures *f, const char *name, size_t rows, size_t columns, const uint64_t *v, dm_error *err);
dm_status dm_figures_put_codes(dm_figures *f, const char *name, size_t rows, size_t columns, const int64_t *v, dm_error *err);
dm_status dm_figures_put_reals(dm_figures *f, const char *name, size_t rows, size_t columns, const double *v, dm_error *err);

/** Counts of exactly that shape, none beyond 2^53. */
dm_status dm_figures_get_counts(dm_figures *f, const char *name, size_t rows, size_t columns, const uint64_t **out, dm_error *err);
/** Codes lo … hi of at most `most` rows. *n 0: absent. */
dm_status dm_figures_get_codes(dm_figures *f, const char *name, size_t columns, size_t most, int64_t lo, int64_t hi, size_t *n,
                               const int64_t **out, dm_error *err);
/** Finite numbers of at most `most` rows, NaN only where allowed. *n 0: absent. */
dm_status dm_figures_get_reals(dm_figures *f, const char *name, size_t columns, size_t most, bool nan_allowed, size_t *n,
                               const double **out, dm_error *err);
/** DM_EINPUT: "report: tensor 'eval/test/…' is damaged". */
dm_status dm_figures_damaged(const dm_figures *f, const char *name, dm_error *err);

#endif
