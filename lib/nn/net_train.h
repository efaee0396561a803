/* Training of the net: options from parameters, then the loop. */
#ifndef DM_NN_NET_TRAIN_H
#define DM_NN_NET_TRAIN_H

#include "nn/net_model.h"
#include "nn/train.h"

/* What the parameters mean for these data. */
typedef struct net_settings {
  char line[NET_LINE_MAX + 1]; /* the layers */
  net_numeric numeric;
  size_t embedding_dim;
  const dm_loss *loss;
  double loss_parameter;       /* label smoothing, quantile, … */
  double validation;           /* share */
  nn_train_options train;
} net_settings;

/* The data they are chosen for. */
typedef struct net_facts {
  size_t n;       /* rows */
  size_t numbers; /* columns that are numbers */
  size_t levels;  /* of the column with the most codes; 0 = there is none */
  size_t fitted;  /* classes; 0 = regression */
} net_facts;

/** @return DM_EUSAGE: parameters that contradict one another, or are no list of widths. */
dm_status net_settings_read(const dm_params *params, const net_facts *facts, net_settings *out, dm_error *err);

dm_status net_train(dm_ctx *ctx, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err);

#endif
