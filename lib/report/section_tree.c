/* From a learner's drawing in JSON to the tree chart. */
#include "report/chart.h"
#include "report/sections.h"

#include <stdio.h>
#include <string.h>

/* Node numbers are those of the array; what points elsewhere makes the drawing unusable. */
static bool read_place(const dm_json *node, const char *key, size_t n, size_t *out) {
  const dm_json *v = dm_json_get(node, key);
  *out = DM_TREE_NONE;
  if (!v || v->type == DM_JSON_NULL || (v->type == DM_JSON_INT && v->integer < 0)) return true;
  if (v->type != DM_JSON_INT || (uint64_t)v->integer >= n) return false;
  *out = (size_t)v->integer;
  return true;
}

static bool ends_with(dm_str text, const char *end) {
  size_t n = strlen(end);
  return text.n >= n && memcmp(text.p + text.n - n, end, n) == 0;
}

/* "≤ 2.45" from "petal_length <= 2.45 or missing": the feature stands in the parent's box, what is missing is
 * told apart. */
static dm_status read_test(dm_arena *arena, const dm_json *json, const char *key, dm_str feature, dm_str *out,
                           bool *missing, dm_error *err) {
  static const char suffix[] = " or missing";
  dm_str test = dm_str_of(dm_json_get_string(json, key, "otherwise"));
  if (test.n > feature.n && memcmp(test.p, feature.p, feature.n) == 0 && test.p[feature.n] == ' ')
    test = (dm_str){test.p + feature.n + 1, test.n - feature.n - 1};
  *missing = ends_with(test, suffix);
  if (*missing) test.n -= strlen(suffix);
  *out = test;
  if (test.n < 3 || memcmp(test.p, "<= ", 3) != 0) return DM_OK;
  const char *text = dm_arena_printf(arena, err, "≤ %.*s", (int)(test.n - 3), test.p + 3);
  *out = dm_str_of(text);
  return text ? DM_OK : DM_EBUDGET;
}

static dm_status read_tests(dm_arena *arena, const dm_json *json, dm_tree_node *node, dm_error *err) {
  bool left = false, right = false;
  node->feature = dm_str_of(dm_json_get_string(json, "feature", ""));
  dm_status s = read_test(arena, json, "test", node->feature, &node->left_test, &left, err);
  if (s == DM_OK) s = read_test(arena, json, "test_right", node->feature, &node->right_test, &right, err);
  node->missing = left ? -1 : right ? 1 : 0;
  /* no level goes that way: the test is whether there is a value */
  if (node->missing && dm_str_equal(left ? node->left_test : node->right_test, dm_str_of("in {}"))) {
    node->left_test = dm_str_of(left ? "missing" : "known");
    node->right_test = dm_str_of(left ? "known" : "missing");
    node->missing = 0;
  }
  return s;
}

static dm_status read_node(dm_arena *arena, const dm_json *json, size_t i, dm_tree_view *view,
                           dm_tree_node *node, dm_error *err) {
  bool ok = read_place(json, "parent", view->n, &node->parent) &&
            read_place(json, "left", view->n, &node->left) &&
            read_place(json, "right", view->n, &node->right);
  /* children stand after their parent, so that nothing below loops */
  ok = ok && (i == 0) == (node->parent == DM_TREE_NONE) && (i == 0 || node->parent < i);
  ok = ok && (node->left == DM_TREE_NONE) == (node->right == DM_TREE_NONE);
  ok = ok && (node->left == DM_TREE_NONE || (node->left > i && node->right > i && node->left != node->right));
  node->count = dm_json_get_double(json, "count", 0);
  node->value = dm_json_get_double(json, "value", 0);
  const char *missing = dm_json_get_string(json, "missing", "");
  node->missing = strcmp(missing, "left") == 0 ? -1 : strcmp(missing, "right") == 0 ? 1 : 0;
  if (dm_json_get(json, "missing_left"))
    node->missing = dm_json_get_bool(json, "missing_left", false) ? -1 : 1;
  const dm_json *shares = dm_json_get(json, "share");
  if (view->k) {
    double *share = dm_arena_alloc(arena, view->k, sizeof *share, err);
    if (!share) return DM_EBUDGET;
    ok = ok && shares && shares->n == view->k;
    size_t c = 0;
    for (const dm_json *v = ok ? shares->first : NULL; v; v = v->next) share[c++] = v->real;
    node->share = share;
  }
  if (!ok) return dm_fail(err, DM_EINPUT, "the drawing of node %zu cannot be read", i);
  return node->left == DM_TREE_NONE ? DM_OK : read_tests(arena, json, node, err);
}

static dm_status read_view(const dm_section *s, const dm_json *drawing, const dm_scorer *scorer,
                           dm_tree_view *view, dm_error *err) {
  const dm_json *nodes = dm_json_get(drawing, "nodes");
  if (!nodes || nodes->n == 0) return dm_fail(err, DM_EINPUT, "the drawing has no nodes");
  *view = (dm_tree_view){.n = nodes->n,
                         .k = scorer->target.levels.n,
                         .classes = scorer->target.levels.names,
                         .target = dm_str_of(scorer->target.name)};
  dm_tree_node *list = dm_arena_alloc(s->memory, view->n, sizeof *list, err);
  if (!list) return DM_EBUDGET;
  dm_status status = DM_OK;
  size_t i = 0;
  for (const dm_json *json = nodes->first; json && status == DM_OK; json = json->next, i++)
    status = read_node(s->memory, json, i, view, &list[i], err);
  for (i = 1; i < view->n && status == DM_OK; i++)
    if (list[list[i].parent].left != i && list[list[i].parent].right != i)
      status = dm_fail(err, DM_EINPUT, "the drawing of node %zu cannot be read", i);
  view->nodes = list;
  return status;
}

static dm_status draw(const dm_section *s, const dm_tree_view *view, dm_error *err) {
  size_t shown = dm_tree_n_drawn(view);
  char caption[200], title[300];
  if (shown == view->n)
    (void)snprintf(caption, sizeof caption, view->n == 1 ? "The tree: one leaf" : "The tree, %zu nodes",
                   view->n);
  else
    (void)snprintf(caption, sizeof caption, "The tree: %zu of %zu nodes shown; deeper splits are left out",
                   shown, view->n);
  (void)snprintf(title, sizeof title, "Decision tree for %.*s",
                 (int)(view->target.n < 200 ? view->target.n : 200), view->target.p);
  dm_chart chart = {
      .width = 1030,
      .title = title,
      .description =
          "The root at the left; the test that leads into a node stands above it, edges are as thick as "
          "their share of rows."};
  dm_buf piece;
  dm_buf_init(&piece, s->page->body.ctx, err);
  dm_html_wrap(&piece, "<figure><figcaption>", dm_str_of(caption), "</figcaption>\n");
  dm_status status = dm_chart_tree(&piece, &chart, view, err);
  dm_html_wrap(
      &piece, "<p class=\"note\">",
      dm_str_of(view->k ? "Bars: shares of the classes among the training rows of a node; n: their number; "
                          "per cent: share of the class a leaf answers."
                        : "Bars and bold numbers: mean of the target among the training rows of a node, "
                          "between the least and the largest; n: their number."),
      "</p></figure>\n");
  if (status == DM_OK && !dm_html_admit(s->page, &piece))
    dm_html_note(s->page, "The drawing of the tree is left out, so that the page stays small.");
  dm_buf_clear(&piece);
  return status;
}

dm_status dm_section_tree(const dm_section *s, const dm_scorer *scorer, dm_error *err) {
  const dm_learner *learner = scorer->model->learner;
  if (!learner->draw) return DM_OK;
  dm_buf text;
  dm_json_out json;
  dm_buf_init(&text, s->page->body.ctx, err);
  dm_json_out_init(&json, &text, false);
  const dm_json *drawing = NULL;
  dm_tree_view view;
  dm_error problem = {0};
  dm_status status = learner->draw(scorer->model, scorer, &json, err);
  if (status == DM_OK) status = dm_buf_status(&text);
  if (status == DM_OK) status = dm_json_parse(s->memory, text.p, text.n, &drawing, err);
  if (status == DM_OK && dm_json_get(drawing, "nodes")) {
    status = read_view(s, drawing, scorer, &view, &problem);
    status = status == DM_OK ? draw(s, &view, err) : dm_section_told(s, status, &problem, err);
  }
  dm_buf_clear(&text);
  return status;
}
