/* State of one training: train.c is the loop, train_checkpoint.c how it is broken off and gone on with. */
#ifndef DM_NN_TRAIN_STATE_H
#define DM_NN_TRAIN_STATE_H

#include "nn/train.h"

typedef struct nn_training {
  dm_ctx *ctx;
  nn_run *r;
  const nn_feed *feed;
  const nn_head *head;
  const size_t *train, *valid;
  size_t n_train, n_valid;
  const nn_train_options *options;
  const dm_training_hooks *hooks; /* never NULL */
  double started;                 /* dm_seconds when nn_train was called */

  size_t batches;  /* of an epoch */
  bool merge_tail; /* a last batch of one row joins the one before */
  size_t *rows;    /* [n_train] train in the order of this epoch */
  dm_optimizer *optimizer;
  dm_schedule schedule;
  dm_early_stop *best; /* of parameters and running figures together; NULL without a validation part */

  /* after the last good epoch: what the NaN guard goes back to, and what a checkpoint holds */
  float *kept;     /* | parameters (n_w) | running figures (n_state) | state of the optimizer | */
  size_t n_kept;   /* of the first two */
  uint64_t kept_t; /* steps of the optimizer */
  uint64_t epoch;  /* finished epochs */
  uint64_t saved;  /* epoch of the last checkpoint */
  double factor;   /* of the learning rate, halved by each rollback */
  unsigned rollbacks;
  double train_loss, valid_loss; /* mean, of the last epoch */
  double best_train_loss;        /* of the best epoch */
} nn_training;

/** Writes a checkpoint if one is due, or if this was the last epoch that time allows. */
dm_status nn_training_save(nn_training *t, bool last, dm_error *err);
/** Takes up hooks->resume: parameters, running figures and all of the above. DM_EINPUT: of another training, or damaged. */
dm_status nn_training_resume(nn_training *t, dm_error *err);
/** What the last good epoch left, from `kept` to the run and the optimizer. */
dm_status nn_training_go_back(nn_training *t, dm_error *err);
/** The other way. */
void nn_training_keep(nn_training *t);

#endif
