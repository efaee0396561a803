/*
 * A net as a graph of ops, built once; what runs it is in run.h (training) and
 * score.h (scoring).
 *
 *   node 0      node 1         node 2        node 3
 *   input  -->  dense 64  -->  dropout  -->  dense 3        one arena holds all activations of a slot of rows,
 *   (d)         (64)           (64)          (3)            one block all parameters, one their gradients
 *
 * Nodes stand in the order in which they run: a node reads earlier ones only.
 * A shape is that of one sample: (features) today; (time, features) and
 * (height, width, channels) fit in the same four numbers.
 */
#ifndef DM_NN_GRAPH_H
#define DM_NN_GRAPH_H

#include "matrix/kernels/net.h"

#include <dm/model.h>

enum { NN_RANK_MAX = 4, NN_INPUTS_MAX = 8, NN_NODES_MAX = 4096 };
/* Widest layer that a parameter may ask for. */
enum { NN_WIDTH_MAX = 65536 };
/* Sizes beyond this are refused before they are multiplied. */
#define NN_SIZE_MAX ((size_t)1 << 28)

typedef struct nn_shape {
  size_t rank, dim[NN_RANK_MAX];
} nn_shape;

size_t nn_shape_size(const nn_shape *s);
/** "784" or "28x28x1" */
void nn_shape_print(const nn_shape *s, char out[64]);
bool nn_shape_equal(const nn_shape *a, const nn_shape *b);
/** DM_EUSAGE: "want rank 1, got 28x28x1" */
dm_status nn_fail_rank(const nn_shape *got, size_t want, dm_error *err);

typedef struct nn_graph nn_graph;
typedef struct nn_node nn_node;
typedef struct nn_op nn_op;

/* What an op is told besides its inputs; each op says which it reads. Arrays are borrowed when given and copied by the graph. */
typedef struct nn_attributes {
  size_t units;             /* dense, embedding (dimension, 0 = by levels), numeric embeddings */
  size_t count;             /* numeric embeddings: frequencies or pieces */
  dm_activation activation; /* dense, activation; periodic: relu or linear, its two kinds */
  double rate;              /* dropout: share dropped; leaky: slope; norms: epsilon */
  double sigma;             /* periodic: spread of the first frequencies, 0 = 0.1 */
  const size_t *columns;    /* [n_columns] of the input row that the op reads */
  const size_t *levels;     /* [n_columns] codes of each (embedding) */
  size_t n_columns;
  const double *numbers;    /* [n_numbers] constants of the op that are not learned; piecewise: [n_columns, count + 1] edges that rise */
  size_t n_numbers;
} nn_attributes;

struct nn_node {
  const nn_op *op;
  size_t n_in, in[NN_INPUTS_MAX]; /* earlier nodes */
  nn_attributes a;
  size_t line_at;                 /* byte in the --net line + 1, 0 = not from there */
  /* set by op->shape */
  nn_shape shape;
  size_t size;         /* reals of one row */
  size_t n_w;          /* parameters */
  size_t n_state;      /* running figures that scoring reads and training moves (batch normalisation) */
  size_t saved;        /* reals a row that backward needs besides inputs and output */
  size_t work;         /* reals a row of scratch within one call */
  size_t work_back;    /* reals a row of scratch within backward, where that is more */
  size_t work_fixed;   /* and reals whatever the number of rows */
  size_t partial;      /* doubles of batch sums a slot gathers before all slots go on; 0 = the op works row by row. One block a step: what
                          gather wrote still stands in gather_back, backward and settle, so gather_back writes beside it */
  bool keeps_in, keeps_out; /* backward reads the inputs' values, or the output */
  /* set by the graph */
  size_t w, state;     /* where they begin in the blocks */
};

/* One call of an op: n rows of one slot. Pointers an op has no use for are NULL. */
typedef struct nn_call {
  size_t n;
  bool training;                     /* dropout drops, norms take the batch's figures */
  const dm_real *in[NN_INPUTS_MAX];  /* [n, size of that input] */
  dm_real *out;                      /* [n, size] */
  const dm_real *w;                  /* [n_w] */
  dm_real *state;                    /* [n_state]; only `settle` writes it */
  dm_real *saved;                    /* [n, saved] written by forward, read by backward; NULL when no backward will come */
  dm_real *work;                     /* [n * work + work_fixed], in backward n * work_back if that is more */
  double *partial;                   /* [partial] of this slot */
  const double *const *partials;     /* [slots] of all, in their order, once gathered */
  size_t slots, batch;               /* how many slots and rows the whole batch has */
  const dm_real *g_out;              /* [n, size] */
  dm_real *g_in[NN_INPUTS_MAX];      /* [n, size of that input], to be written (not added to); NULL = not wanted */
  dm_real *g_w;                      /* [n_w] this slot's sum over its rows, to be written */
  dm_rng rng;                        /* of this node, step and slot, the same in every call: copy it to draw */
  void (*gemm)(const dm_gemm *g);    /* dm_k_gemm when scoring; training may give large ones to BLAS */
} nn_call;

struct nn_op {
  const char *name; /* "dense" */
  bool passes;      /* when scoring its output is its input: nothing is run */
  /** Checks inputs and attributes, sets what nn_node says. DM_EUSAGE: "want rank 1, got 28x28x1" (the graph adds place and name). */
  dm_status (*shape)(const nn_graph *g, nn_node *node, dm_error *err);
  /** First values of parameters (zeroed before) and running figures; NULL = zero. @param rng of this node alone */
  void (*init)(const nn_node *node, dm_real *w, dm_real *state, dm_rng *rng);
  /** Batch sums of these rows into call->partial; only where node->partial > 0 and only in training. Inputs stand, out does not yet. */
  void (*gather)(const nn_graph *g, const nn_node *node, const nn_call *call);
  void (*forward)(const nn_graph *g, const nn_node *node, const nn_call *call); /* NULL: the input node, whose rows are given */
  /** As gather, of what backward needs. */
  void (*gather_back)(const nn_graph *g, const nn_node *node, const nn_call *call);
  void (*backward)(const nn_graph *g, const nn_node *node, const nn_call *call);
  /** Once a step, after forward of all slots: moves the running figures by call->partials. */
  void (*settle)(const nn_graph *g, const nn_node *node, const nn_call *call);
};

/* one file each in ops/ */
extern const nn_op nn_op_input, nn_op_columns, nn_op_dense, nn_op_activation, nn_op_softmax, nn_op_dropout, nn_op_batch_norm, nn_op_layer_norm,
    nn_op_embedding, nn_op_periodic, nn_op_piecewise, nn_op_add, nn_op_concat;

struct nn_graph {
  dm_ctx *ctx;
  dm_arena *memory;
  size_t n, capacity;
  nn_node *nodes;
  size_t n_w, n_state;
};

/** A graph with its input node: rows of d reals. */
dm_status nn_graph_new(dm_ctx *ctx, size_t d, nn_graph **out, dm_error *err);
void nn_graph_free(nn_graph *g); /* NULL allowed */
/**
 * Adds a node; a is copied. @param line_at byte in the --net line + 1, or 0. @param node written: its number.
 * @return DM_EUSAGE (shapes that do not fit: `net: dense at 14: …`), DM_EBUDGET.
 */
dm_status nn_graph_add(nn_graph *g, const nn_op *op, const size_t *in, size_t n_in, const nn_attributes *a, size_t line_at, size_t *node,
                       dm_error *err);
/** First parameters and running figures; adding a node shifts no other's. @param w [n_w] @param state [n_state] */
void nn_graph_init(const nn_graph *g, uint64_t seed, dm_real *w, dm_real *state);

/* ---- activations ------------------------------------------------------------------------ */

/* leaky's unless it is told another */
#define NN_LEAKY_SLOPE 0.01

/** "linear", "relu", …: words of the --net line, but for linear. */
const char *nn_activation_name(dm_activation f);
/** false and *out untouched for another text. */
bool nn_activation_parse(const char *name, dm_activation *out);

/* ---- the --net line ------------------------------------------------------------------ */

/**
 * Adds the layers of a line after node `from`.
 *
 *   net      = layer { "|" layer }
 *   layer    = word { argument } [ activation ]
 *   dense N [activation] | relu | leaky [slope] | gelu | tanh | sigmoid | silu | selu | softmax | dropout P | batch_norm | layer_norm
 *   residual( net )            the net's output plus its input; shapes must be equal
 *   concat( net ; net ; … )    side by side; an empty net is the input itself
 *
 * leaky's slope is 0.01 unless given. At most 1000 layers, nets in nets at most 16 deep.
 *
 * @param last written: the node of the last layer.
 * @return DM_EUSAGE with line 1 (or what it is where the text has several), the byte in it as column, an excerpt with a caret, and
 *         "did you mean" for words; DM_EBUDGET. The graph keeps the nodes added before the failure.
 */
dm_status nn_spec_add(nn_graph *g, const char *line, size_t from, size_t *last, dm_error *err);

#endif
