/* The net that is scored, saved and described. */
#ifndef DM_NN_NET_MODEL_H
#define DM_NN_NET_MODEL_H

#include "nn/score.h"

#include <dm/nn.h>

enum { NET_CLASSES_MAX = 65535, NET_LINE_MAX = 4096 };

typedef enum net_numeric { NET_NUMERIC_NONE = 0, NET_NUMERIC_PERIODIC, NET_NUMERIC_PIECEWISE } net_numeric;

/* All that the graph is built from. */
typedef struct net_design {
  size_t d;
  const size_t *levels;  /* [d] 0 = number, else codes; NULL = all numbers */
  net_numeric numeric;
  size_t count, units;   /* numeric embedding: frequencies or pieces, and outputs of each column */
  double sigma;          /* periodic */
  const double *edges;   /* piecewise: [numbers, count + 1] */
  size_t embedding_dim;  /* numbers that stand for a code */
  const char *line;      /* the layers behind, as for --net */
} net_design;

typedef struct net_model {
  dm_model base;
  dm_arena *memory;
  net_design design;     /* its arrays are copies */
  nn_graph *graph;
  size_t last, code;     /* nodes: scores (before a final softmax), and what goes into their layer */
  size_t outputs;
  nn_scoring scoring;
  float *w, *state;      /* [n_w], [n_state] */
  size_t fitted;         /* classes that had rows; 0 for a regression */
  uint32_t *classes;     /* [fitted] their codes, ascending */
  double mean, scale;    /* of a regression's target */
  int64_t epochs, best_epoch;
  double train_loss, valid_loss; /* valid NaN: there was no validation part */
} net_model;

/** "none", "periodic", "piecewise" */
const char *net_numeric_name(net_numeric n);
bool net_numeric_parse(const char *name, net_numeric *out);

/** Columns that are numbers. */
size_t net_numbers(const net_design *design);
/**
 * A model with its graph, and room for weights that net_model_finish is to find filled.
 * @param design copied. @param fitted classes with rows: the last layer must give as many values (of two, one will do), 1 for a regression.
 * @return DM_EUSAGE (`net: the last layer gives 10 values, the target has 3 classes`), DM_EBUDGET.
 */
dm_status net_model_new(dm_ctx *ctx, const net_design *design, size_t n_classes, size_t fitted, net_model **out, dm_error *err);
/** Allocates w, state and the plan of scoring. */
dm_status net_model_allocate(net_model *m, dm_error *err);
void net_free(dm_model *model);

dm_status net_predict(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err);
dm_status net_save(const dm_model *model, dm_model_writer *w, dm_error *err);
dm_status net_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err);
dm_status net_describe(const dm_model *model, const dm_scorer *scorer, dm_buf *out, dm_error *err);

#endif
