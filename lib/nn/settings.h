/* What the parameters of all nets have in common. */
#ifndef DM_NN_SETTINGS_H
#define DM_NN_SETTINGS_H

#include "nn/train.h"

/* choices of parameters; nn_settings_begin, nn_activation_parse and dm_scale_parse know what they mean */
#define NN_OPTIMIZERS "sgd|momentum|nesterov|adagrad|rmsprop|adam|adamw"
#define NN_SCHEDULES "constant|exponential|cosine|plateau"
#define NN_SCALES "none|standard|minmax|robust|quantile"
#define NN_ACTIVATIONS "relu|leaky|gelu|tanh|sigmoid|silu|selu"

/**
 * The widths of a text such as "256,128", each from 1 to NN_WIDTH_MAX.
 * @param widths [most] written
 * @return how many; 0: it is no list of widths; most + 1: it has more
 */
size_t nn_settings_widths(const char *text, size_t most, size_t *widths);

/** Options of a learner's training with the schedule and the optimizer, at its own rate, that are chosen; the rest is 0. */
dm_status nn_settings_begin(const dm_params *params, const char *learner, nn_train_options *out, dm_error *err);

#endif
