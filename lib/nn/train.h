/*
 * The training loop that every net goes through: batches by a stored
 * permutation, validation, schedule, early stop, NaN guard, checkpoints.
 */
#ifndef DM_NN_TRAIN_H
#define DM_NN_TRAIN_H

#include "nn/run.h"

#include <dm/optim.h>

enum { NN_ROLLBACKS_MAX = 5 };

typedef struct nn_train_options {
  const char *name;           /* of the learner, for texts and progress */
  size_t epochs, batch;
  dm_optimizer_options optimizer;
  dm_schedule_kind schedule;  /* over the steps of all epochs */
  double warmup;              /* share of the steps */
  double clip;                /* norm of the gradient; 0 = none */
  size_t patience;            /* epochs without a better validation loss; 0 = never stop early */
} nn_train_options;

typedef struct nn_train_result {
  uint64_t epochs, best_epoch, steps;
  double train_loss, valid_loss; /* mean, of the epoch whose weights were kept; valid NaN without a validation part */
  const char *stopped;           /* "epochs", "patience", "time" */
  unsigned rollbacks;            /* by the NaN guard */
} nn_train_result;

/** Refuses batches of more rows than there are, as nn_train does: to be asked before a run makes room for them. DM_EUSAGE */
dm_status nn_train_check_batch(const nn_train_options *options, size_t n_train, size_t n_valid, dm_error *err);
/**
 * Trains r->w and r->state in place. @param train,valid row numbers of the feed; n_valid may be 0 (then the last weights stay).
 * NaN guard: a loss, gradient or weight that is not finite takes the weights of the last good epoch and half the learning rate; the sixth
 * time is DM_EINPUT with the epoch, the rate and a hint.
 * @return DM_OK; DM_EINPUT; DM_EUSAGE (options: `net: lr = 0, want …`, `batch-size = 500, want at most the 400 rows`); DM_ECANCEL; what hooks return.
 */
dm_status nn_train(nn_run *r, const nn_feed *feed, const nn_head *head, const size_t *train, size_t n_train, const size_t *valid,
                   size_t n_valid, const nn_train_options *options, const dm_training_hooks *hooks, nn_train_result *out, dm_error *err);

#endif
