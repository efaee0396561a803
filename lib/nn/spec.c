/*
 * The --net line: recursive descent, one function a rule of the grammar in
 * graph.h; every rule takes the node it reads from and gives the node it ends in.
 *
 *   dense 64 relu | residual( dropout 0.1 | dense 64 ) | dense 3
 *   word  argument activation
 */
#include "nn/graph.h"

#include <dm/text.h>
#include <string.h>

enum { LAYERS_MAX = 1000, DEPTH_MAX = 16, UNITS_MAX = 1 << 20 };

/* PyTorch's */
static const double NORM_EPSILON = 1e-5;

typedef struct parser {
  nn_graph *graph;
  const char *line;
  size_t n, at;    /* bytes; the next one */
  size_t layers, depth;
  dm_error *err;
} parser;

typedef struct token {
  const char *p;
  size_t n, at; /* n = 0 at the end of the line */
} token;

/* ---- words and places -------------------------------------------------------------------- */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool is_sign(char c) { return c == '|' || c == '(' || c == ')' || c == ';'; }

/* What comes next, not taken yet: one of | ( ) ; or all up to a blank or one of these. */
static token peek(parser *p) {
  while (p->at < p->n && is_blank(p->line[p->at])) p->at++;
  token t = {p->line + p->at, 0, p->at};
  if (p->at < p->n && is_sign(p->line[p->at])) t.n = 1;
  else
    while (p->at + t.n < p->n && !is_blank(t.p[t.n]) && !is_sign(t.p[t.n])) t.n++;
  return t;
}

static void take(parser *p, token t) { p->at = t.at + t.n; }
static bool is(token t, const char *word) { return strlen(word) == t.n && memcmp(t.p, word, t.n) == 0; }
static bool is_word(token t) { return t.n > 0 && !is_sign(t.p[0]); }

static bool take_if(parser *p, const char *sign) {
  token t = peek(p);
  bool found = is(t, sign);
  if (found) take(p, t);
  return found;
}

/* Tells the place of what was just refused. */
static dm_status place(const parser *p, size_t at) {
  size_t line = 1, start = 0;
  for (size_t i = 0; i < at; i++)
    if (p->line[i] == '\n') line++, start = i + 1;
  dm_error_at(p->err, NULL, line, at - start + 1);
  dm_error_excerpt(p->err, p->line + start, p->n - start, at - start);
  return DM_EUSAGE;
}

static dm_status fail_at(const parser *p, size_t at, const char *what) {
  (void)dm_fail(p->err, DM_EUSAGE, "net: %s", what);
  return place(p, at);
}

/* How a token is shown in a message: cut, and never within a character. */
typedef struct shown {
  char text[48];
} shown;

static shown show(token t) {
  shown s = {"the end of the line"};
  size_t n = t.n < sizeof s.text - 3 ? t.n : sizeof s.text - 3;
  if (t.n == 0) return s;
  n = dm_utf8_valid(t.p, n); /* what is no UTF-8 shows as a dot in the excerpt */
  s.text[0] = '\'';
  memcpy(s.text + 1, t.p, n);
  s.text[n + 1] = '\'';
  s.text[n + 2] = 0;
  return s;
}

/* ---- arguments --------------------------------------------------------------------------- */

static dm_status read_units(parser *p, const char *layer, size_t *units) {
  token t = peek(p);
  int64_t v;
  if (!is_word(t) || !dm_text_to_int(t.p, t.n, &v) || v < 1 || v > UNITS_MAX) {
    (void)dm_fail(p->err, DM_EUSAGE, "net: %s wants its units, a whole number from 1 to %d, got %s", layer, UNITS_MAX, show(t).text);
    return place(p, t.at);
  }
  take(p, t);
  *units = (size_t)v;
  return DM_OK;
}

/* A number v with 0 <= v < 1. */
static dm_status read_share(parser *p, const char *layer, const char *what, double *share) {
  token t = peek(p);
  double v;
  if (!is_word(t) || !dm_text_to_double(t.p, t.n, &v) || !(v >= 0 && v < 1)) {
    (void)dm_fail(p->err, DM_EUSAGE, "net: %s wants %s, a number from 0 to below 1, got %s", layer, what, show(t).text);
    return place(p, t.at);
  }
  take(p, t);
  *share = v;
  return DM_OK;
}

/* Whether the next word begins like a number: leaky's argument may be left out. */
static bool number_follows(parser *p) {
  token t = peek(p);
  return t.n > 0 && ((t.p[0] >= '0' && t.p[0] <= '9') || strchr("+-.", t.p[0]));
}

/* ---- layers ------------------------------------------------------------------------------ */

static dm_status add(parser *p, const nn_op *op, const size_t *in, size_t n_in, const nn_attributes *a, size_t at, size_t *node) {
  dm_status s = nn_graph_add(p->graph, op, in, n_in, a, at + 1, node, p->err);
  return s == DM_EUSAGE ? place(p, at) : s;
}

typedef struct layer layer;
typedef dm_status read_layer(parser *p, const layer *l, size_t at, size_t from, size_t *last);

struct layer {
  const char *name;
  read_layer *read; /* reads the arguments, adds the nodes */
  dm_activation activation;
};

static dm_status read_dense(parser *p, const layer *l, size_t at, size_t from, size_t *last);
static dm_status read_dropout(parser *p, const layer *l, size_t at, size_t from, size_t *last);
static dm_status read_batch_norm(parser *p, const layer *l, size_t at, size_t from, size_t *last);
static dm_status read_layer_norm(parser *p, const layer *l, size_t at, size_t from, size_t *last);
static dm_status read_residual(parser *p, const layer *l, size_t at, size_t from, size_t *last);
static dm_status read_concat(parser *p, const layer *l, size_t at, size_t from, size_t *last);
static dm_status read_softmax(parser *p, const layer *l, size_t at, size_t from, size_t *last);
static dm_status read_activation(parser *p, const layer *l, size_t at, size_t from, size_t *last);

/* The activations, which may also follow dense, come first. */
enum { N_ACTIVATIONS = 8 };
static const layer layers[] = {
    {"relu", read_activation, DM_ACT_RELU},       {"leaky", read_activation, DM_ACT_LEAKY}, {"gelu", read_activation, DM_ACT_GELU},
    {"tanh", read_activation, DM_ACT_TANH},       {"sigmoid", read_activation, DM_ACT_SIGMOID}, {"silu", read_activation, DM_ACT_SILU},
    {"selu", read_activation, DM_ACT_SELU},       {"softmax", read_softmax, DM_ACT_LINEAR}, {"dense", read_dense, DM_ACT_LINEAR},
    {"dropout", read_dropout, DM_ACT_LINEAR},     {"batch_norm", read_batch_norm, DM_ACT_LINEAR}, {"layer_norm", read_layer_norm, DM_ACT_LINEAR},
    {"residual", read_residual, DM_ACT_LINEAR},   {"concat", read_concat, DM_ACT_LINEAR},
};
enum { N_LAYERS = sizeof layers / sizeof *layers };

static const layer *find_layer(token t, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (is(t, layers[i].name)) return &layers[i];
  return NULL;
}

/* Into a; leaky may have an argument of its own. */
static dm_status read_activation_into(parser *p, const layer *l, nn_attributes *a) {
  a->activation = l->activation;
  if (l->activation != DM_ACT_LEAKY) return DM_OK;
  a->rate = NN_LEAKY_SLOPE;
  return number_follows(p) ? read_share(p, l->name, "its slope below 0", &a->rate) : DM_OK;
}

static dm_status read_activation(parser *p, const layer *l, size_t at, size_t from, size_t *last) {
  nn_attributes a = {0};
  dm_status s = read_activation_into(p, l, &a);
  return s == DM_OK ? add(p, &nn_op_activation, &from, 1, &a, at, last) : s;
}

static dm_status read_softmax(parser *p, const layer *l, size_t at, size_t from, size_t *last) {
  (void)l;
  return add(p, &nn_op_softmax, &from, 1, &(nn_attributes){0}, at, last);
}

/* dense applies the activation that follows it itself; softmax is a node of its own. */
static dm_status read_dense(parser *p, const layer *l, size_t at, size_t from, size_t *last) {
  nn_attributes a = {0};
  dm_status s = read_units(p, l->name, &a.units);
  token t = peek(p);
  const layer *activation = find_layer(t, N_ACTIVATIONS);
  if (s == DM_OK && activation) {
    take(p, t);
    s = read_activation_into(p, activation, &a);
  }
  if (s == DM_OK) s = add(p, &nn_op_dense, &from, 1, &a, at, last);
  return s == DM_OK && activation && activation->read == read_softmax ? add(p, &nn_op_softmax, last, 1, &(nn_attributes){0}, t.at, last) : s;
}

static dm_status read_dropout(parser *p, const layer *l, size_t at, size_t from, size_t *last) {
  nn_attributes a = {0};
  dm_status s = read_share(p, l->name, "the share to drop", &a.rate);
  return s == DM_OK ? add(p, &nn_op_dropout, &from, 1, &a, at, last) : s;
}

static dm_status read_batch_norm(parser *p, const layer *l, size_t at, size_t from, size_t *last) {
  (void)l;
  return add(p, &nn_op_batch_norm, &from, 1, &(nn_attributes){.rate = NORM_EPSILON}, at, last);
}

static dm_status read_layer_norm(parser *p, const layer *l, size_t at, size_t from, size_t *last) {
  (void)l;
  return add(p, &nn_op_layer_norm, &from, 1, &(nn_attributes){.rate = NORM_EPSILON}, at, last);
}

/* ---- nets in nets ------------------------------------------------------------------------ */

static dm_status read_net(parser *p, size_t from, size_t *last);

/* @param at of the layer's word */
static dm_status open_bracket(parser *p, const layer *l, size_t at) {
  if (!take_if(p, "(")) {
    token t = peek(p);
    (void)dm_fail(p->err, DM_EUSAGE, "net: %s wants '(' and its layers, got %s", l->name, show(t).text);
    return place(p, t.at);
  }
  if (p->depth++ == DEPTH_MAX) {
    (void)dm_fail(p->err, DM_EUSAGE, "net: nets in nets deeper than %d", DEPTH_MAX);
    return place(p, at);
  }
  return DM_OK;
}

static dm_status close_bracket(parser *p, const layer *l, size_t at) {
  token t = peek(p);
  if (take_if(p, ")")) {
    p->depth--;
    return DM_OK;
  }
  if (is(t, ";")) return fail_at(p, t.at, "';' parts the nets of concat( ) only");
  (void)dm_fail(p->err, DM_EUSAGE, "net: ')' of %s at %zu is missing", l->name, at + 1);
  return place(p, t.at);
}

static dm_status read_residual(parser *p, const layer *l, size_t at, size_t from, size_t *last) {
  size_t both[2] = {from, from};
  dm_status s = open_bracket(p, l, at);
  token t = peek(p);
  if (s == DM_OK && is(t, ")")) return fail_at(p, t.at, "residual( ) has no layers");
  if (s == DM_OK && t.n > 0) s = read_net(p, from, &both[1]);
  if (s == DM_OK) s = close_bracket(p, l, at);
  return s == DM_OK ? add(p, &nn_op_add, both, 2, &(nn_attributes){0}, at, last) : s;
}

static dm_status read_concat(parser *p, const layer *l, size_t at, size_t from, size_t *last) {
  size_t ends[NN_INPUTS_MAX], n = 0;
  dm_status s = open_bracket(p, l, at);
  while (s == DM_OK) {
    token t = peek(p);
    if (n == NN_INPUTS_MAX) {
      (void)dm_fail(p->err, DM_EUSAGE, "net: concat takes at most %d nets", NN_INPUTS_MAX);
      return place(p, t.at);
    }
    ends[n] = from; /* an empty net is the input itself */
    if (t.n > 0 && !is(t, ";") && !is(t, ")")) s = read_net(p, from, &ends[n]);
    n++;
    if (s != DM_OK || !take_if(p, ";")) break;
  }
  if (s == DM_OK) s = close_bracket(p, l, at);
  if (s == DM_OK && n < 2) s = fail_at(p, at, "concat wants two nets or more, parted by ';'");
  return s == DM_OK ? add(p, &nn_op_concat, ends, n, &(nn_attributes){0}, at, last) : s;
}

/* ---- the line ---------------------------------------------------------------------------- */

static dm_status fail_word(const parser *p, token t) {
  const char *names[N_LAYERS];
  for (size_t i = 0; i < N_LAYERS; i++) names[i] = layers[i].name;
  shown word = show(t);
  (void)dm_fail(p->err, DM_EUSAGE, "net: %s is no layer", word.text);
  word.text[strlen(word.text) - 1] = 0;
  const char *near = dm_text_nearest(word.text + 1, names, N_LAYERS);
  if (near)
    dm_error_hint(p->err, "did you mean '%s'?", near);
  else
    dm_error_hint(p->err, "layers: dense N, dropout P, batch_norm, layer_norm, residual( ), concat( ; ), relu, leaky, gelu, tanh, sigmoid, silu, "
                          "selu, softmax");
  return place(p, t.at);
}

/* Where a layer must begin and none does. */
static dm_status fail_no_layer(const parser *p, token t, bool after_bar) {
  if (after_bar) return fail_at(p, t.at, is(t, "|") ? "an empty layer between '|' and '|'" : "a layer is missing after '|'");
  if (t.n == 0) return fail_at(p, t.at, "the line is empty, want layers such as 'dense 64 relu | dropout 0.1'");
  if (is(t, "|")) return fail_at(p, t.at, "an empty layer before '|'");
  if (is(t, "(")) return fail_at(p, t.at, "'(' stands behind residual and concat only");
  return fail_at(p, t.at, is(t, ")") ? "')' closes nothing" : "';' parts the nets of concat( ) only");
}

static dm_status read_one(parser *p, bool after_bar, size_t from, size_t *last) {
  token t = peek(p);
  if (!is_word(t)) return fail_no_layer(p, t, after_bar);
  const layer *l = find_layer(t, N_LAYERS);
  if (!l) return fail_word(p, t);
  if (++p->layers > LAYERS_MAX) {
    (void)dm_fail(p->err, DM_EUSAGE, "net: more than %d layers", LAYERS_MAX);
    return place(p, t.at);
  }
  take(p, t);
  return l->read(p, l, t.at, from, last);
}

/* layer { "|" layer } up to a sign that this rule does not know. */
static dm_status read_net(parser *p, size_t from, size_t *last) {
  for (bool after_bar = false;; after_bar = true) {
    dm_status s = read_one(p, after_bar, from, &from);
    if (s != DM_OK) return s;
    token t = peek(p);
    if (is_word(t) || is(t, "(")) {
      (void)dm_fail(p->err, DM_EUSAGE, "net: %s is too much here, want '|' or the end of the net", show(t).text);
      if (find_layer(t, N_LAYERS)) dm_error_hint(p->err, "put '|' between layers");
      return place(p, t.at);
    }
    if (!take_if(p, "|")) break;
  }
  *last = from;
  return DM_OK;
}

dm_status nn_spec_add(nn_graph *g, const char *line, size_t from, size_t *last, dm_error *err) {
  parser p = {.graph = g, .line = line, .n = strlen(line), .err = err};
  size_t end;
  dm_status s = read_net(&p, from, &end);
  if (s != DM_OK) return s;
  token t = peek(&p);
  if (is(t, ")")) return fail_at(&p, t.at, "')' closes nothing");
  if (is(t, ";")) return fail_at(&p, t.at, "';' parts the nets of concat( ) only");
  *last = end;
  return DM_OK;
}
