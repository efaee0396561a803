/* Errors and codes between computing and storing them. */
#ifndef DM_REPORT_RECONSTRUCTION_H
#define DM_REPORT_RECONSTRUCTION_H

#include <dm/report.h>

#define DM_RECONSTRUCTION_BINS 56

/** out in the arena; out->n 0: no row has an error. */
dm_status dm_report_reconstruction_compute(dm_arena *arena, dm_ctx *ctx, const dm_report_codes *codes, dm_report_reconstruction *out,
                                           dm_error *err);
/** out in the arena; out->n 0: no row has a code. */
dm_status dm_report_latent_compute(dm_arena *arena, dm_ctx *ctx, const dm_report_codes *codes, uint64_t seed, dm_report_latent *out,
                                   dm_error *err);

#endif
