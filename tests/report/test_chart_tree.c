/* report: layout and drawing of trees. With DM_DRAW_TO=DIR the drawings are written there, to be looked at.
 */
#include "cmocka_all.h"
#include "report/markup.h"
#include "report/tree_layout.h"

#include <math.h>
#include <stdlib.h>

#define MOST 400

typedef struct forest {
  dm_tree_node nodes[MOST];
  double shares[MOST][26];
  size_t n, k;
} forest;

static const char *const features[] = {
    "petal_length", "age", "concentration_of_dissolved_oxygen_in_the_northern_basin_mg_l", "<b>&\"'", "温度"};

/* A random tree in preorder. */
static size_t grow(forest *f, dm_rng *rng, size_t parent, size_t level, size_t deepest, double count,
                   double chance) {
  size_t i = f->n++;
  dm_tree_node *node = &f->nodes[i];
  *node = (dm_tree_node){.parent = parent,
                         .left = DM_TREE_NONE,
                         .right = DM_TREE_NONE,
                         .count = count,
                         .value = dm_rng_uniform(rng) * 50};
  double sum = 0;
  for (size_t c = 0; c < f->k; c++) sum += f->shares[i][c] = pow(dm_rng_uniform(rng), 3 + (double)level);
  for (size_t c = 0; c < f->k; c++) f->shares[i][c] /= sum;
  node->share = f->k ? f->shares[i] : NULL;
  if (level + 1 >= deepest || f->n + 2 * deepest >= MOST || (level && dm_rng_uniform(rng) > chance)) return i;
  node->feature = dm_str_of(features[dm_rng_below(rng, level > 2 ? 5 : 2)]);
  bool category = dm_rng_below(rng, 4) == 0;
  node->left_test = dm_str_of(category ? "in {Private, Self-emp-not-inc, Local-gov, State-gov}" : "≤ 2.45");
  node->right_test = dm_str_of(category ? "in {Never-worked, Without-pay}" : "> 2.45");
  node->missing = (int)dm_rng_below(rng, 3) - 1;
  double part = 0.2 + 0.6 * dm_rng_uniform(rng);
  size_t left = grow(f, rng, i, level + 1, deepest, round(count * part), chance);
  f->nodes[i].left = left;
  size_t right = grow(f, rng, i, level + 1, deepest, count - round(count * part), chance);
  f->nodes[i].right = right;
  return i;
}

static dm_tree_view view_of(forest *f, const dm_str *classes) {
  return (dm_tree_view){
      .n = f->n, .k = f->k, .nodes = f->nodes, .classes = classes, .target = dm_str_of("y")};
}

static void boxes_never_overlap_and_parents_stand_between(void **state) {
  (void)state;
  dm_rng rng;
  dm_rng_init(&rng, 3, 1);
  for (int round_ = 0; round_ < 300; round_++) {
    forest f = {.k = 3};
    grow(&f, &rng, DM_TREE_NONE, 0, 2 + (size_t)round_ % 9, 1000, 0.8);
    dm_tree_view view = view_of(&f, NULL);
    dm_tree_place places[MOST];
    size_t levels = 0, drawn = 0, hidden = 0;
    double rows = 0;
    dm_tree_layout(&view, places, &levels, &rows);
    assert_true(levels <= DM_TREE_LEVELS);
    for (size_t i = 0; i < f.n; i++) {
      hidden += places[i].hidden;
      if (!places[i].drawn) continue;
      drawn++;
      assert_true(places[i].row >= -1e-9 && places[i].row <= rows - 1 + 1e-9);
      const dm_tree_node *node = &f.nodes[i];
      if (node->left != DM_TREE_NONE && places[node->left].drawn)
        assert_true(fabs(places[i].row - (places[node->left].row + places[node->right].row) / 2) < 1e-9);
      for (size_t j = 0; j < i; j++)
        if (places[j].drawn && places[j].level == places[i].level)
          assert_true(fabs(places[i].row - places[j].row) >= 1 - 1e-9);
    }
    assert_int_equal(drawn, dm_tree_n_drawn(&view));
    assert_int_equal(drawn + hidden, f.n);
  }
}

static void draw(const char *name, size_t k, size_t deepest, double chance, uint64_t seed,
                 const char *class_format) {
  forest f = {.k = k};
  dm_rng rng;
  dm_rng_init(&rng, seed, 1);
  grow(&f, &rng, DM_TREE_NONE, 0, deepest, 32561, chance);
  char names[26][80];
  dm_str classes[26];
  for (size_t c = 0; c < k; c++) {
    (void)snprintf(names[c], sizeof names[c], class_format, (int)('A' + (int)c));
    classes[c] = dm_str_of(names[c]);
  }
  dm_tree_view view = view_of(&f, classes);
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, NULL), DM_OK);
  dm_buf b;
  dm_buf_init(&b, ctx, NULL);
  dm_chart c = {.width = 1040, .title = "Decision tree", .description = "Tree"};
  assert_int_equal(dm_chart_tree(&b, &c, &view, NULL), DM_OK);
  const char *problem = markup_problem(b.p);
  if (problem) fail_msg("%s: malformed at: %.60s", name, problem);
  assert_false(has_nan(b.p));
  assert_null(strstr(b.p, "<b>"));
  size_t boxes = 0;
  for (const char *p = b.p; (p = strstr(p, " rx=\"3\"")); p++) boxes++;
  assert_int_equal(boxes, dm_tree_n_drawn(&view));
  const char *folder = getenv("DM_DRAW_TO");
  if (folder) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.svg", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(b.p, 1, b.n, out), b.n);
    assert_int_equal(fclose(out), 0);
  }
  dm_buf_clear(&b);
  dm_ctx_free(ctx);
}

static void drawings(void **state) {
  (void)state;
  draw("tree-leaf", 2, 1, 1, 1, "class %c");
  draw("tree-stump", 2, 2, 1, 1, "class %c");
  draw("tree-3-classes", 3, 4, 0.7, 5, "class %c");
  draw("tree-deep", 2, 10, 0.75, 9, "class %c");
  draw("tree-full", 4, 6, 1, 9, "<class> %c & co");
  draw("tree-26", 26, 5, 0.8, 2, "a rather long name of a class that ends with %c");
  draw("tree-regression", 0, 5, 0.8, 4, "%c");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(boxes_never_overlap_and_parents_stand_between),
      cmocka_unit_test(drawings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
