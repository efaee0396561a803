/* Inside of an encoder: one step for each input. */
#ifndef DM_DATA_ENCODER_H
#define DM_DATA_ENCODER_H

#include <dm/data.h>

typedef enum dm_step_kind {
  DM_STEP_NUMBER = 0, DM_STEP_BINS, DM_STEP_ONE_HOT, DM_STEP_ORDINAL, DM_STEP_ROBUST, DM_STEP_QUANTILE
} dm_step_kind;
#define DM_STEP_KINDS 6
enum { DM_ENCODER_KNOTS = 1000 }; /* most quantiles of a QUANTILE step */
/* Largest normal score that a knot may have: no share that double can tell from 1 has a larger one. */
#define DM_ENCODER_MAX_SCORE 40.0

/**
 * What becomes of one raw value v (NaN missing; fill stands in for it first,
 * where fill is not NaN):
 *
 *   NUMBER   (v - center) / scale
 *   BINS     number of edges ≤ v
 *   ONE_HOT  1 at the place of code v among seen, 0 elsewhere
 *   ORDINAL  place of code v among seen; -1 or `other` when it is not there
 *   ROBUST   x / sqrt(1 + (x/3)^2), x = (v - center) / scale
 *   QUANTILE between the knots around v as between their scores
 *
 * An indicator is the step's last output: 1 where the raw value is missing.
 */
typedef struct dm_step {
  dm_step_kind kind;
  size_t output, n_outputs; /* where its outputs begin */
  double fill;              /* a number, or a level code */
  double center, scale;     /* NUMBER, ROBUST */
  size_t n;                 /* edges, knots or seen levels */
  double *edges;            /* BINS, QUANTILE: [n] ascending */
  double *scores;           /* QUANTILE: [n] normal scores, not descending */
  uint32_t *seen;           /* ONE_HOT, ORDINAL: [n] level codes of the training rows, ascending */
  bool missing_level;       /* missing is a level of its own, after the seen ones */
  bool other;               /* ORDINAL: so is all that has no code yet, last */
  bool indicator;           /* numbers: has an output for missing */
} dm_step;

struct dm_encoder {
  dm_ctx *ctx;
  dm_arena *memory; /* all of it, the encoder too */
  size_t d, m;
  dm_step *steps;     /* [d]; NULL: raw values pass through */
  /* Where all steps are numbers of one kind with one output each, their figures side by side, so that a row is one loop; else NULL. */
  double *fills, *centers, *scales; /* [d] */
  bool bounded;       /* and that kind is ROBUST */
  size_t *source;     /* [m] */
  const char **names; /* [m] */
};

const char *dm_step_kind_name(dm_step_kind kind);
bool dm_step_is_category(dm_step_kind kind);
/** An encoder of d steps, all zero, in an arena of its own. */
dm_status dm_encoder_new(dm_ctx *ctx, size_t d, dm_encoder **out, dm_error *err);
/** Numbers the outputs of finished steps and makes room for their names. */
dm_status dm_encoder_place_outputs(dm_encoder *e, dm_error *err);

#endif
