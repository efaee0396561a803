/* The net in the table of methods: parameters, checks, and training. */
#include "nn/net_train.h"
#include "nn/settings.h"

#include <math.h>
#include <string.h>

#define UNBOUNDED ((double)INFINITY)

static const dm_param parameters[] = {
    {"hidden", DM_PARAM_TEXT, "auto", 1, 200, false, "256,128", "widths of the hidden layers, for instance 256,128"},
    {"activation", DM_PARAM_CHOICE, "auto", 0, 0, false, NN_ACTIVATIONS, "of the hidden layers"},
    {"dropout", DM_PARAM_DOUBLE, "auto", 0, 0.99, false, NULL, "share of each hidden layer's values dropped in a step"},
    {"normalization", DM_PARAM_CHOICE, "auto", 0, 0, false, "none|batch|layer", "before each activation; auto: batch for classes"},
    {"numeric_embedding", DM_PARAM_CHOICE, "auto", 0, 0, false, "none|periodic|piecewise", "what each number becomes; auto: of up to 32 numbers piecewise, periodic below 2000 rows"},
    {"embedding_dim", DM_PARAM_INT, "auto", 1, 512, false, NULL, "numbers that stand for a category; auto: 4, 8 beyond 64 categories"},
    {"net", DM_PARAM_TEXT, "", 0, NET_LINE_MAX, false, "dense 64 relu | dropout 0.1 | dense 3", "all layers behind the input, instead of hidden"},
    {"loss", DM_PARAM_CHOICE, "squared", 0, 0, false, "squared|absolute|huber|quantile", "of a regression, on the target by its deviation"},
    {"quantile", DM_PARAM_DOUBLE, "0.5", 0, 1, true, NULL, "for --loss quantile"},
    {"label_smoothing", DM_PARAM_DOUBLE, "auto", 0, 0.99, false, NULL, "share of each label given to all classes alike"},
    {"optimizer", DM_PARAM_CHOICE, "adamw", 0, 0, false, NN_OPTIMIZERS, "how weights are changed"},
    {"lr", DM_PARAM_DOUBLE, "auto", 0, UNBOUNDED, true, NULL, "learning rate, the largest of the schedule"},
    {"weight_decay", DM_PARAM_DOUBLE, "auto", 0, UNBOUNDED, false, NULL, "by which weights shrink"},
    {"batch_size", DM_PARAM_INT, "auto", 1, 1 << 20, false, NULL, "rows of a step"},
    {"epochs", DM_PARAM_INT, "auto", 1, 1000000, false, NULL, "times that all rows are seen, at most; auto: 20 to 100 by their number"},
    {"patience", DM_PARAM_INT, "auto", 0, 1000000, false, NULL, "epochs without a better validation loss that are borne; 0: all; auto: half of them"},
    {"validation", DM_PARAM_DOUBLE, "auto", 0, 0.9, false, NULL, "share of the rows that choose the best epoch; 0: none, the last stays; auto: 0.15 from 50 rows on"},
    {"schedule", DM_PARAM_CHOICE, "cosine", 0, 0, false, NN_SCHEDULES, "how the learning rate falls"},
    {"warmup", DM_PARAM_DOUBLE, "auto", 0, 0.99, false, NULL, "share of the steps in which the learning rate rises"},
    {"clip", DM_PARAM_DOUBLE, "auto", 0, UNBOUNDED, false, NULL, "largest norm of a gradient; 0: no limit"},
    {"scale", DM_PARAM_CHOICE, "quantile", 0, 0, false, NN_SCALES, "what numbers are brought to before training"},
    {NULL},
};

/* Categories beyond the most frequent share a code, so that the tables of embeddings stay small. */
enum { LEVELS_MAX = 1000 };

static void encoding(const dm_params *params, dm_encode_options *out) {
  *out = (dm_encode_options){.impute_numeric = DM_IMPUTE_MEDIAN, .impute_category = DM_IMPUTE_CONSTANT, .categories = DM_CODE_ORDINAL,
                             .indicators = true, .other = true, .max_levels = LEVELS_MAX};
  (void)dm_scale_parse(dm_params_choice(params, "scale"), &out->scale); /* one of its choices */
}

const dm_learner dm_learner_net = {
    .name = "net",
    .summary = "neural net",
    .tasks = DM_CLASSIFY | DM_REGRESS,
    .takes = DM_SCALES | DM_TAKES_WEIGHTS | DM_NEEDS_TARGET | DM_HAS_EPOCHS,
    .params = parameters,
    .block = DM_BLOCK_DENSE,
    .encoding = encoding,
    .train = net_train,
    .predict = net_predict,
    .save = net_save,
    .load = net_load,
    .free = net_free,
    .describe = net_describe,
};
