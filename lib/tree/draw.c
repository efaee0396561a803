/* A tree as JSON for the report, and the path of one row for the audit. */
#include "tree/model.h"

#include <math.h>

static void put_index(dm_json_out *out, const char *key, int64_t i) {
  dm_json_key(out, key);
  dm_json_int(out, i);
}

static void put_number(dm_json_out *out, const char *key, double v) {
  dm_json_key(out, key);
  dm_json_double(out, v);
}

/* "share": of each class, or "value". */
static void put_value(const tree_model *t, size_t node, dm_json_out *out) {
  size_t k = t->base.n_classes;
  put_number(out, "count", t->count[node]);
  if (!k) {
    put_number(out, "value", t->value[node]);
  } else {
    dm_json_key(out, "share");
    dm_json_array(out);
    for (size_t c = 0; c < k; c++) dm_json_double(out, t->value[node * k + c]);
    dm_json_end_array(out);
  }
  put_number(out, "impurity", t->impurity[node]);
}

/* "feature" and "test"; text is room. */
static void put_test(const tree_model *t, const dm_scorer *scorer, size_t node, bool left, dm_buf *text, dm_json_out *out) {
  dm_buf_reset(text);
  tree_print_feature(scorer, t->cells[node].feature, text);
  dm_json_key(out, "feature");
  dm_json_string_n(out, text->p ? text->p : "", text->n);
  dm_buf_reset(text);
  tree_print_test(t, scorer, node, left, text);
  dm_json_key(out, "test");
  dm_json_string_n(out, text->p ? text->p : "", text->n);
}

static void draw_node(const tree_model *t, const dm_scorer *scorer, size_t node, int64_t parent, dm_buf *text, dm_json_out *out) {
  const tree_cell *c = &t->cells[node];
  dm_json_object(out);
  put_index(out, "id", (int64_t)node);
  if (parent >= 0) put_index(out, "parent", parent);
  if (c->kind != TREE_LEAF) {
    put_index(out, "left", c->left);
    put_index(out, "right", c->right);
    put_test(t, scorer, node, true, text, out);
    dm_buf_reset(text);
    tree_print_test(t, scorer, node, false, text);
    dm_json_key(out, "test_right");
    dm_json_string_n(out, text->p ? text->p : "", text->n);
  }
  put_value(t, node, out);
  dm_json_end_object(out);
}

dm_status tree_draw(const dm_model *model, const dm_scorer *scorer, dm_json_out *out, dm_error *err) {
  const tree_model *t = (const tree_model *)model;
  int64_t *parent = dm_alloc(model->ctx, t->m, sizeof *parent, "tree drawing", err);
  if (!parent) return DM_EBUDGET;
  dm_buf text;
  dm_buf_init(&text, model->ctx, err);
  parent[0] = -1;
  dm_json_object(out);
  dm_json_key(out, "nodes");
  dm_json_array(out);
  for (size_t i = 0; i < t->m; i++) {
    const tree_cell *c = &t->cells[i];
    if (c->kind != TREE_LEAF) parent[c->left] = parent[c->right] = (int64_t)i;
    draw_node(t, scorer, i, parent[i], &text, out);
  }
  dm_json_end_array(out);
  dm_json_end_object(out);
  dm_status s = dm_buf_status(&text);
  dm_buf_clear(&text);
  dm_free(model->ctx, parent);
  return s == DM_OK ? dm_buf_status(out->buf) : s;
}

/* The cell that is tested: a number, a level's name, or null. */
static void put_cell(const dm_scorer *scorer, const tree_cell *c, double x, dm_json_out *out) {
  dm_json_key(out, "value");
  if (isnan(x) || (c->kind == TREE_CATEGORY && x < 0)) {
    dm_json_null(out);
  } else if (c->kind == TREE_CATEGORY && scorer && (size_t)x < scorer->features[c->feature].levels.n) {
    dm_str name = scorer->features[c->feature].levels.names[(size_t)x];
    dm_json_string_n(out, name.p, name.n);
  } else {
    dm_json_double(out, x);
  }
}

static void trace_step(const tree_model *t, const dm_scorer *scorer, size_t node, double x, bool left, dm_buf *text, dm_json_out *out) {
  const tree_cell *c = &t->cells[node];
  dm_json_object(out);
  put_index(out, "node", (int64_t)node);
  put_test(t, scorer, node, left, text, out);
  put_cell(scorer, c, x, out);
  dm_json_put_string(out, "goes", left ? "left" : "right");
  dm_json_put_bool(out, "missing", isnan(x));
  if (c->kind == TREE_CATEGORY && x < 0) {
    dm_json_put_bool(out, "unseen", true);
  }
  dm_json_end_object(out);
}

dm_status tree_trace(const dm_model *model, const dm_scorer *scorer, const double *x, dm_json_out *out, dm_error *err) {
  const tree_model *t = (const tree_model *)model;
  dm_buf text;
  size_t at = 0;
  dm_buf_init(&text, model->ctx, err);
  dm_json_array(out);
  while (t->cells[at].kind != TREE_LEAF) {
    const tree_cell *c = &t->cells[at];
    uint32_t next = tree_walk(t, c, x[c->feature]);
    trace_step(t, scorer, at, x[c->feature], next == c->left, &text, out);
    at = next;
  }
  dm_json_object(out);
  put_index(out, "node", (int64_t)at);
  dm_json_put_bool(out, "leaf", true);
  put_value(t, at, out);
  dm_json_end_object(out);
  dm_json_end_array(out);
  dm_status s = dm_buf_status(&text);
  dm_buf_clear(&text);
  return s == DM_OK ? dm_buf_status(out->buf) : s;
}
