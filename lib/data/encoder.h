/* Inside of an encoder: one step for each input. */
#ifndef DM_DATA_ENCODER_H
#define DM_DATA_ENCODER_H

#include <dm/data.h>

typedef enum dm_step_kind { DM_STEP_NUMBER = 0, DM_STEP_BINS, DM_STEP_ONE_HOT, DM_STEP_ORDINAL } dm_step_kind;
#define DM_STEP_KINDS 4

/**
 * What becomes of one raw value v (NaN missing; fill stands in for it first,
 * where fill is not NaN):
 *
 *   NUMBER   (v - center) / scale
 *   BINS     number of edges ≤ v
 *   ONE_HOT  1 at the place of code v among seen, 0 elsewhere
 *   ORDINAL  place of code v among seen; -1 when it is not there
 */
typedef struct dm_step {
  dm_step_kind kind;
  size_t output, n_outputs; /* where its outputs begin */
  double fill;              /* a number, or a level code */
  double center, scale;     /* NUMBER */
  size_t n;                 /* edges or seen levels */
  double *edges;            /* BINS: [n] ascending */
  uint32_t *seen;           /* ONE_HOT, ORDINAL: [n] level codes of the training rows, ascending */
  bool missing_level;       /* missing is a level of its own, after the seen ones */
} dm_step;

struct dm_encoder {
  dm_ctx *ctx;
  dm_arena *memory; /* all of it, the encoder too */
  size_t d, m;
  dm_step *steps;     /* [d]; NULL: raw values pass through */
  size_t *source;     /* [m] */
  const char **names; /* [m] */
};

const char *dm_step_kind_name(dm_step_kind kind);
/** An encoder of d steps, all zero, in an arena of its own. */
dm_status dm_encoder_new(dm_ctx *ctx, size_t d, dm_encoder **out, dm_error *err);
/** Numbers the outputs of finished steps and makes room for their names. */
dm_status dm_encoder_place_outputs(dm_encoder *e, dm_error *err);

#endif
