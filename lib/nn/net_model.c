/*
 * Making nets from their design: the input stage here, the layers by the line.
 *
 *   input (d) --> periodic | piecewise | columns (numbers)  --\
 *            \                                                 concat --> line --> scores
 *             --> embedding (codes) --------------------------/
 */
#include "nn/net_model.h"

#include <string.h>

static const char *const numeric_names[] = {"none", "periodic", "piecewise"};

const char *net_numeric_name(net_numeric n) { return numeric_names[n]; }

bool net_numeric_parse(const char *name, net_numeric *out) {
  for (size_t i = 0; i < sizeof numeric_names / sizeof *numeric_names; i++)
    if (strcmp(numeric_names[i], name) == 0) {
      *out = (net_numeric)i;
      return true;
    }
  return false;
}

static size_t levels_of(const net_design *design, size_t column) { return design->levels ? design->levels[column] : 0; }

size_t net_numbers(const net_design *design) {
  size_t n = 0;
  for (size_t j = 0; j < design->d; j++) n += levels_of(design, j) == 0;
  return n;
}

/* ---- the graph ------------------------------------------------------------------- */

/* Columns with or without codes, and how many codes. */
typedef struct picked {
  size_t n, *columns, *levels;
} picked;

static dm_status pick(const net_model *m, bool codes, picked *out, dm_error *err) {
  size_t numbers = net_numbers(&m->design), most = codes ? m->design.d - numbers : numbers;
  *out = (picked){.columns = dm_arena_alloc(m->memory, most + 1, sizeof *out->columns, err),
                  .levels = dm_arena_alloc(m->memory, most + 1, sizeof *out->levels, err)};
  if (!out->columns || !out->levels) return DM_EBUDGET;
  for (size_t j = 0; j < m->design.d; j++) {
    if ((levels_of(&m->design, j) > 0) != codes) continue;
    out->columns[out->n] = j;
    out->levels[out->n++] = levels_of(&m->design, j);
  }
  return DM_OK;
}

static dm_status add_numbers(net_model *m, const picked *p, size_t *node, dm_error *err) {
  const net_design *d = &m->design;
  const size_t from = 0;
  nn_attributes a = {.columns = p->columns, .n_columns = p->n};
  const nn_op *op = &nn_op_columns;
  if (d->numeric != NET_NUMERIC_NONE) {
    a.units = d->units;
    a.count = d->count;
    a.sigma = d->sigma;
    op = d->numeric == NET_NUMERIC_PERIODIC ? &nn_op_periodic : &nn_op_piecewise;
  }
  if (d->numeric == NET_NUMERIC_PIECEWISE) {
    a.numbers = d->edges;
    a.n_numbers = p->n * (d->count + 1);
  }
  return nn_graph_add(m->graph, op, &from, 1, &a, 0, node, err);
}

/* The input stage. @param node written: what the layers read */
static dm_status add_input(net_model *m, size_t *node, dm_error *err) {
  picked numbers, codes;
  size_t in[2], n = 0;
  const size_t from = 0;
  dm_status s = pick(m, false, &numbers, err);
  if (s == DM_OK) s = pick(m, true, &codes, err);
  if (s != DM_OK) return s;
  *node = 0;
  if (codes.n == 0 && m->design.numeric == NET_NUMERIC_NONE) return DM_OK;
  if (numbers.n) s = add_numbers(m, &numbers, &in[n++], err);
  if (s == DM_OK && codes.n)
    s = nn_graph_add(m->graph, &nn_op_embedding, &from, 1,
                     &(nn_attributes){.units = m->design.embedding_dim, .columns = codes.columns, .levels = codes.levels, .n_columns = codes.n},
                     0, &in[n++], err);
  if (s == DM_OK && n == 2) return nn_graph_add(m->graph, &nn_op_concat, in, 2, NULL, 0, node, err);
  *node = in[0];
  return s;
}

/* The loss of classes takes scores and makes probabilities itself: a softmax at the end is left to it. */
static dm_status find_scores(net_model *m, size_t end, dm_error *err) {
  const nn_node *node = &m->graph->nodes[end];
  if (m->fitted && node->op == &nn_op_softmax) {
    end = node->in[0];
    node = &m->graph->nodes[end];
  }
  size_t outputs = node->size, wanted = m->fitted ? m->fitted : 1;
  if (outputs != wanted && !(m->fitted == 2 && outputs == 1)) {
    if (m->fitted)
      (void)dm_fail(err, DM_EUSAGE, "net: the last layer gives %zu value%s, the target has %zu classes", outputs, outputs == 1 ? "" : "s", m->fitted);
    else
      (void)dm_fail(err, DM_EUSAGE, "net: the last layer gives %zu values, a number is wanted", outputs);
    dm_error_hint(err, "end the line with 'dense %zu'", wanted);
    return DM_EUSAGE;
  }
  if (m->fitted && node->a.activation == DM_ACT_SIGMOID) {
    (void)dm_fail(err, DM_EUSAGE, "net: the last layer ends in sigmoid, want scores of any size");
    dm_error_hint(err, "leave sigmoid out: the loss makes probabilities itself");
    return DM_EUSAGE;
  }
  m->last = end;
  m->code = node->n_in ? node->in[0] : 0;
  m->outputs = outputs;
  return DM_OK;
}

static dm_status build(net_model *m, dm_error *err) {
  size_t node = 0;
  dm_status s = nn_graph_new(m->base.ctx, m->design.d, &m->graph, err);
  if (s == DM_OK) s = add_input(m, &node, err);
  if (s == DM_OK) s = nn_spec_add(m->graph, m->design.line, node, &node, err);
  if (s == DM_OK) s = find_scores(m, node, err);
  if (s == DM_OK) m->base.n_code = m->graph->nodes[m->code].size;
  return s;
}

/* ---- the model -------------------------------------------------------------------- */

static dm_status copy(net_model *m, const net_design *design, dm_error *err) {
  size_t *levels = design->levels ? dm_arena_alloc(m->memory, design->d, sizeof *levels, err) : NULL;
  size_t edges = design->numeric == NET_NUMERIC_PIECEWISE ? net_numbers(design) * (design->count + 1) : 0;
  double *copied = edges ? dm_arena_alloc(m->memory, edges, sizeof *copied, err) : NULL;
  m->design = *design;
  if (!(m->design.line = dm_arena_strdup(m->memory, design->line, strlen(design->line), err))) return DM_EBUDGET;
  if ((design->levels && !levels) || (edges && !copied)) return DM_EBUDGET;
  if (levels) memcpy(levels, design->levels, design->d * sizeof *levels);
  if (copied) memcpy(copied, design->edges, edges * sizeof *copied);
  m->design.levels = levels;
  m->design.edges = copied;
  return DM_OK;
}

dm_status net_model_new(dm_ctx *ctx, const net_design *design, size_t n_classes, size_t fitted, net_model **out, dm_error *err) {
  const dm_learner *learner = dm_learner_find(ctx, "net", err);
  net_model *m = learner ? dm_alloc(ctx, 1, sizeof *m, "net", err) : NULL;
  if (!m) return learner ? DM_EBUDGET : DM_EUSAGE;
  *m = (net_model){.base = {.learner = learner, .ctx = ctx, .d = design->d, .n_classes = n_classes}, .fitted = fitted, .scale = 1};
  dm_status s = dm_arena_new(ctx, 0, &m->memory, err);
  if (s == DM_OK && !(m->classes = dm_arena_alloc(m->memory, fitted, sizeof *m->classes, err))) s = DM_EBUDGET;
  if (s == DM_OK) s = copy(m, design, err);
  if (s == DM_OK) s = build(m, err);
  if (s != DM_OK) {
    net_free(&m->base);
    return s;
  }
  *out = m;
  return DM_OK;
}

dm_status net_model_allocate(net_model *m, dm_error *err) {
  const size_t wanted[2] = {m->last, m->code};
  dm_ctx *ctx = m->base.ctx;
  m->w = dm_alloc(ctx, m->graph->n_w, sizeof *m->w, "weights of the net", err);
  m->state = m->w ? dm_alloc(ctx, m->graph->n_state, sizeof *m->state, "running figures of the net", err) : NULL;
  if (!m->state) return DM_EBUDGET;
  dm_status s = nn_plan_new(m->graph, wanted, 2, NN_SCORE_ROWS, NN_PLAN_SCORE, &m->scoring.plan, err);
  if (s != DM_OK) return s;
  m->scoring.graph = m->graph;
  m->scoring.w = m->w;
  m->scoring.state = m->state;
  /* behind the arena: probabilities of one row, for callers that want the class alone */
  m->base.work = (nn_score_work(&m->scoring) + 63) / 64 * 64 + m->base.n_classes * sizeof(double);
  return DM_OK;
}

void net_free(dm_model *model) {
  if (!model) return;
  net_model *m = (net_model *)model;
  nn_plan_free(m->scoring.plan);
  nn_graph_free(m->graph);
  dm_free(model->ctx, m->w);
  dm_free(model->ctx, m->state);
  dm_arena_free(m->memory);
  dm_free(model->ctx, m);
}
