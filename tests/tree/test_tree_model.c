/* tree: stored and loaded, forged, described, drawn and traced. */
#include "cmocka_all.h"
#include "tree/table.h"
#include "tree/model.h"

enum { MAX_TENSORS = 16 };

/* ---- a store of tensors in memory ----------------------------------------------- */

typedef struct tensor {
  char name[32];
  dm_dtype type;
  size_t shape[2], rank, bytes;
  void *data;
} tensor;

typedef struct shelf {
  dm_ctx *ctx;
  tensor tensors[MAX_TENSORS];
  size_t n;
  dm_buf json;
  dm_arena *memory;
  const dm_json *doc;
} shelf;

static dm_status put(dm_model_writer *w, const char *name, dm_dtype type, const size_t *shape, size_t rank, const void *data, dm_error *err) {
  shelf *s = w->user;
  tensor *t = &s->tensors[s->n++];
  (void)snprintf(t->name, sizeof t->name, "%s", name);
  *t = (tensor){.type = type, .rank = rank, .shape = {shape[0], rank > 1 ? shape[1] : 1}};
  (void)snprintf(t->name, sizeof t->name, "%s", name);
  t->bytes = t->shape[0] * t->shape[1] * dm_dtype_size(type);
  t->data = dm_alloc(s->ctx, t->bytes + 1, 1, "tensor", err);
  if (!t->data) return DM_EBUDGET;
  if (t->bytes) memcpy(t->data, data, t->bytes);
  return DM_OK;
}

static dm_status get(dm_model_reader *r, const char *name, dm_dtype type, size_t rank, size_t *shape, const void **data, dm_error *err) {
  const shelf *s = r->user;
  for (size_t i = 0; i < s->n; i++) {
    const tensor *t = &s->tensors[i];
    if (strcmp(t->name, name) != 0) continue;
    if (t->type != type || t->rank != rank) return dm_fail(err, DM_EINPUT, "tensor '%s' is of another type", name);
    for (size_t j = 0; j < rank; j++) shape[j] = t->shape[j];
    *data = t->data;
    return DM_OK;
  }
  return dm_fail(err, DM_EINPUT, "tensor '%s' is not there", name);
}

static void save(dm_ctx *ctx, const dm_model *m, shelf *s) {
  *s = (shelf){.ctx = ctx};
  dm_json_out json;
  dm_buf_init(&s->json, ctx, NULL);
  dm_json_out_init(&json, &s->json, false);
  dm_json_object(&json);
  dm_model_writer w = {.user = s, .json = &json, .tensor = put};
  assert_int_equal(m->learner->save(m, &w, NULL), DM_OK);
  dm_json_end_object(&json);
  assert_int_equal(dm_arena_new(ctx, 0, &s->memory, NULL), DM_OK);
  assert_int_equal(dm_json_parse(s->memory, s->json.p, s->json.n, &s->doc, NULL), DM_OK);
}

static void clear(shelf *s) {
  for (size_t i = 0; i < s->n; i++) dm_free(s->ctx, s->tensors[i].data);
  dm_buf_clear(&s->json);
  dm_arena_free(s->memory);
}

static tensor *find(shelf *s, const char *name) {
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->tensors[i].name, name) == 0) return &s->tensors[i];
  fail_msg("no tensor %s", name);
  return NULL;
}

static dm_status load(const shelf *s, const table *t, dm_model **out, dm_error *err) {
  dm_model_reader r = {.user = (void *)(uintptr_t)s, .json = s->doc, .d = t->d, .n_classes = t->k, .levels = t->levels, .tensor = get};
  return dm_learner_tree.load(s->ctx, &r, out, err);
}

/* ---- tables --------------------------------------------------------------------------- */

/* size (number, some missing), colour (category), 3 classes or a number. */
static void fill(table *t, dm_ctx *ctx, size_t k) {
  table_init(t, ctx, 240, 2, k);
  t->levels[1] = 4;
  for (size_t i = 0; i < 240; i++) {
    t->columns[0][i] = i % 10 == 3 ? (double)NAN : (double)(i % 24);
    t->columns[1][i] = (double)(mix(i) % 4);
    size_t signal = t->columns[0][i] > 11.0 ? 2 : (size_t)t->columns[1][i] % 2;
    t->target[i] = k ? (double)signal : (double)signal * 1.25;
  }
}

static const char *const whole[] = {"ccp_alpha", "0", "max_depth", "4", NULL};

/* ---- stored and loaded ------------------------------------------------------------------ */

static void a_loaded_tree_scores_the_same_bits(void **state) {
  (void)state;
  const size_t classes[] = {3, 0};
  for (size_t c = 0; c < 2; c++) {
    dm_ctx *ctx = new_ctx(1);
    table t;
    shelf first, second;
    dm_model *loaded = NULL;
    fill(&t, ctx, classes[c]);
    dm_model *m = train(ctx, &t, whole);
    save(ctx, m, &first);
    assert_int_equal(load(&first, &t, &loaded, NULL), DM_OK);
    for (size_t i = 0; i < t.n; i++) assert_near(predict(loaded, &t, i), predict(m, &t, i), 0);
    save(ctx, loaded, &second);
    assert_string_equal(first.json.p, second.json.p);
    assert_int_equal(first.n, 9);
    for (size_t i = 0; i < first.n; i++) {
      assert_int_equal(first.tensors[i].bytes, second.tensors[i].bytes);
      assert_memory_equal(first.tensors[i].data, second.tensors[i].data, first.tensors[i].bytes);
    }
    tree_free(m);
    tree_free(loaded);
    clear(&first);
    clear(&second);
    table_clear(&t, ctx);
    dm_ctx_free(ctx);
  }
}

/* One change to a stored tree, and part of what is said of it. */
typedef struct forgery {
  const char *tensor;
  size_t at;     /* element */
  double value;  /* put there */
  const char *message;
} forgery;

static void set(tensor *t, size_t at, double v) {
  if (t->type == DM_I32)
    ((int32_t *)t->data)[at] = (int32_t)v;
  else if (t->type == DM_U8)
    ((uint8_t *)t->data)[at] = (uint8_t)v;
  else
    ((double *)t->data)[at] = v;
}

static void refuses(const shelf *s, const table *t, const char *message) {
  dm_error err = {0};
  dm_model *m = NULL;
  assert_int_equal(load(s, t, &m, &err), DM_EINPUT);
  if (!strstr(err.message, message)) fail_msg("'%s' is not in '%s'", message, err.message);
  assert_null(m);
}

static void forged_trees_are_refused(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  shelf s;
  fill(&t, ctx, 3);
  dm_model *m = train(ctx, &t, whole);
  const tree_model *tree = (const tree_model *)m;
  assert_int_equal(tree->cells[0].kind, TREE_NUMERIC);
  size_t last = tree->m - 1, category = 1;
  while (tree->cells[category].kind != TREE_CATEGORY) category++;
  const forgery forgeries[] = {
      {"feature", 0, 2, "feature is out of range"},
      {"feature", 0, 1e9, "feature is out of range"},
      {"feature", 0, -2, "feature is out of range"},
      {"left", 0, 0, "children are out of range"},
      {"left", 0, -1, "children are out of range"},
      {"left", 0, (double)tree->m, "children are out of range"},
      {"right", 0, 2147483647, "children are out of range"},
      {"right", 0, 1, "children are out of range"},
      {"right", 1, (double)last, "two parents"},
      {"left", 0, 2, "no parent"},
      {"feature", 0, -1, "no parent"},
      {"feature", last, 0, "children are out of range"},
      {"threshold", 0, (double)NAN, "threshold is not finite"},
      {"threshold", 0, (double)INFINITY, "threshold is not finite"},
      {"threshold", category, -1, "subset is out of range"},
      {"threshold", category, 0.5, "subset is out of range"},
      {"threshold", category, (double)tree->n_subset, "subset is out of range"},
      {"threshold", category, 1e18, "subset is out of range"},
      {"value", 1, -0.5, "not within 0 and 1"},
      {"value", 1, 1.5, "not within 0 and 1"},
      {"value", 1, (double)NAN, "not within 0 and 1"},
      {"value", 1, 0.99, "do not add up to 1"},
      {"count", 0, (double)NAN, "count is no number"},
      {"count", 0, -1, "count is no number"},
      {"impurity", 0, (double)INFINITY, "impurity is not finite"},
      {"missing_left", 0, 4, "missing_left is not within"},
  };
  for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
    save(ctx, m, &s);
    set(find(&s, forgeries[i].tensor), forgeries[i].at, forgeries[i].value);
    refuses(&s, &t, forgeries[i].message);
    clear(&s);
  }
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void forged_shapes_are_refused(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  shelf s;
  fill(&t, ctx, 3);
  dm_model *m = train(ctx, &t, whole);
  for (size_t i = 0; i < 9; i++) {
    save(ctx, m, &s);
    tensor *x = &s.tensors[i];
    if (strcmp(x->name, "subset") == 0)
      x->shape[0] = 0;
    else
      x->shape[0]--;
    refuses(&s, &t, strcmp(x->name, "subset") == 0 ? "subset is out of range" : "tree: the model is damaged");
    x->name[0] = '?';
    refuses(&s, &t, "is not there");
    clear(&s);
  }
  save(ctx, m, &s);
  find(&s, "value")->shape[0] = 0;
  refuses(&s, &t, "0 x 3, want 1 or more nodes x 3");
  find(&s, "value")->shape[0] = 1;
  find(&s, "value")->shape[1] = 2;
  refuses(&s, &t, "1 x 2, want 1 or more nodes x 3");
  clear(&s);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* A chain of right children deeper than any tree of ours. */
static void too_deep_trees_are_refused(void **state) {
  (void)state;
  enum { LEVELS = 1100, M = 2 * LEVELS + 1 };
  dm_ctx *ctx = new_ctx(1);
  table t;
  shelf s;
  fill(&t, ctx, 0);
  t.levels[1] = 0;
  dm_model *m = train(ctx, &t, whole);
  save(ctx, m, &s);
  for (size_t i = 0; i < s.n; i++) {
    tensor *x = &s.tensors[i];
    if (strcmp(x->name, "subset") == 0) continue;
    dm_free(ctx, x->data);
    x->shape[0] = M;
    x->bytes = M * dm_dtype_size(x->type);
    x->data = dm_alloc(ctx, x->bytes, 1, "tensor", NULL);
    for (size_t n = 0; n < M; n++) { /* even nodes test, odd ones are leaves */
      bool test = n % 2 == 0 && n + 1 < M;
      if (strcmp(x->name, "feature") == 0) set(x, n, test ? 0 : -1);
      if (strcmp(x->name, "left") == 0) set(x, n, test ? (double)(n + 1) : -1);
      if (strcmp(x->name, "right") == 0) set(x, n, test ? (double)(n + 2) : -1);
    }
  }
  refuses(&s, &t, "the tree is too deep");
  clear(&s);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* ---- text and JSON ----------------------------------------------------------------------- */

/* A scorer around the model, as the pipeline makes one. */
static dm_scorer *scorer_around(dm_ctx *ctx, const table *t, dm_model *m) {
  static const char *const names[] = {"size", "colour", "kind"};
  static const char *const colours[] = {"blue", "green", "red", "white"}, *const kinds[] = {"big", "even", "odd"};
  dm_frame_builder *b = NULL;
  dm_frame *frame = NULL;
  dm_scorer *s = NULL;
  dm_encoder *encoder = NULL;
  const size_t columns[] = {0, 1};
  assert_int_equal(dm_frame_builder_new(ctx, 3, names, false, t->n, &b, NULL), DM_OK);
  for (size_t i = 0; i < t->n; i++) {
    dm_value v[3] = {{DM_REAL, 0, t->columns[0][i], {NULL, 0}}, {.type = DM_TEXT}, {.type = t->k ? DM_TEXT : DM_REAL, .real = t->target[i]}};
    if (isnan(t->columns[0][i])) v[0].type = DM_NULL;
    v[1].text = dm_str_of(colours[(size_t)t->columns[1][i]]);
    if (t->k) v[2].text = dm_str_of(kinds[(size_t)t->target[i]]);
    assert_int_equal(dm_frame_builder_add(b, v, 0, NULL), DM_OK);
  }
  assert_int_equal(dm_frame_builder_finish(b, &frame, NULL), DM_OK);
  assert_int_equal(dm_encoder_passthrough(ctx, 2, &encoder, NULL), DM_OK);
  assert_int_equal(dm_scorer_new(ctx, frame, columns, 2, 2, encoder, m, &s, NULL), DM_OK);
  dm_frame_free(frame);
  return s;
}

static void trees_read_well(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  dm_buf text;
  fill(&t, ctx, 3);
  dm_scorer *s = scorer_around(ctx, &t, train(ctx, &t, whole));
  dm_buf_init(&text, ctx, NULL);
  assert_int_equal(dm_learner_tree.describe(s->model, s, &text, NULL), DM_OK);
  assert_string_equal(text.p, "decision tree (gini): 3 leaves, depth 2, 240 rows\n"
                              "size <= 11.5 or missing\n"
                              "|  colour in {blue, red}: big (64 rows)\n"
                              "|  colour in {green, white}: even (68 rows)\n"
                              "size > 11.5: odd (108 rows)\n");
  dm_buf_reset(&text);
  assert_int_equal(dm_learner_tree.describe(s->model, NULL, &text, NULL), DM_OK);
  assert_non_null(strstr(text.p, "|  x2 in {0, 2}: class 0 (64 rows)"));
  dm_buf_clear(&text);
  dm_scorer_free(s);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void a_tree_of_one_leaf_reads_well(void **state) {
  (void)state;
  static const char *const all[] = {"ccp_alpha", "100", NULL};
  dm_ctx *ctx = new_ctx(1);
  table t;
  dm_buf text;
  fill(&t, ctx, 0);
  dm_model *m = train(ctx, &t, all);
  dm_buf_init(&text, ctx, NULL);
  assert_int_equal(dm_learner_tree.describe(m, NULL, &text, NULL), DM_OK);
  assert_non_null(strstr(text.p, "decision tree (squared_error): 1 leaf, depth 0, 240 rows\nalways: 1.4"));
  dm_buf_clear(&text);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* Draws or traces, and parses what came. */
static const dm_json *parsed(dm_ctx *ctx, dm_buf *buf, dm_arena **memory) {
  const dm_json *doc = NULL;
  assert_int_equal(dm_arena_new(ctx, 0, memory, NULL), DM_OK);
  assert_int_equal(dm_json_parse(*memory, buf->p, buf->n, &doc, NULL), DM_OK);
  return doc;
}

static void drawings_hold_every_node(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  dm_buf buf;
  dm_json_out json;
  dm_arena *memory = NULL;
  fill(&t, ctx, 3);
  dm_scorer *s = scorer_around(ctx, &t, train(ctx, &t, whole));
  dm_buf_init(&buf, ctx, NULL);
  dm_json_out_init(&json, &buf, false);
  assert_int_equal(dm_learner_tree.draw(s->model, s, &json, NULL), DM_OK);
  const dm_json *nodes = dm_json_get(parsed(ctx, &buf, &memory), "nodes");
  assert_int_equal(nodes->n, 5);
  const dm_json *root = nodes->first, *second = root->next;
  assert_null(dm_json_get(root, "parent"));
  assert_string_equal(dm_json_get_string(root, "feature", ""), "size");
  assert_string_equal(dm_json_get_string(root, "test", ""), "size <= 11.5 or missing");
  assert_int_equal(dm_json_get_int(root, "right", 0), 4);
  assert_near(dm_json_get_double(root, "count", 0), 240, 0);
  assert_int_equal(dm_json_get(root, "share")->n, 3);
  assert_int_equal(dm_json_get_int(second, "parent", -1), 0);
  assert_string_equal(dm_json_get_string(second, "test", ""), "colour in {blue, red}");
  dm_arena_free(memory);
  dm_buf_clear(&buf);
  dm_scorer_free(s);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void traces_tell_the_way_of_a_row(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  dm_buf buf;
  dm_json_out json;
  dm_arena *memory = NULL;
  fill(&t, ctx, 3);
  dm_scorer *s = scorer_around(ctx, &t, train(ctx, &t, whole));
  const double row[] = {(double)NAN, 1}, strange[] = {3, -1};
  dm_buf_init(&buf, ctx, NULL);
  dm_json_out_init(&json, &buf, false);
  assert_int_equal(dm_learner_tree.trace(s->model, s, row, &json, NULL), DM_OK);
  const dm_json *path = parsed(ctx, &buf, &memory), *step = path->first;
  assert_int_equal(path->n, 3);
  assert_string_equal(dm_json_get_string(step, "goes", ""), "left");
  assert_true(dm_json_get_bool(step, "missing", false));
  assert_int_equal(dm_json_get(step, "value")->type, DM_JSON_NULL);
  step = step->next;
  assert_string_equal(dm_json_get_string(step, "value", ""), "green");
  assert_string_equal(dm_json_get_string(step, "goes", ""), "right");
  assert_string_equal(dm_json_get_string(step, "test", ""), "colour in {green, white}");
  assert_false(dm_json_get_bool(step, "missing", true));
  assert_true(dm_json_get_bool(step->next, "leaf", false));
  assert_near(dm_json_get(step->next, "share")->first->next->real, 1, 0);
  dm_arena_free(memory);
  dm_buf_reset(&buf);
  dm_json_out_init(&json, &buf, false);
  assert_int_equal(dm_learner_tree.trace(s->model, s, strange, &json, NULL), DM_OK);
  assert_true(dm_json_get_bool(parsed(ctx, &buf, &memory)->first->next, "unseen", false));
  dm_arena_free(memory);
  dm_buf_clear(&buf);
  dm_scorer_free(s);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void predictions_give_what_is_asked_for(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  fill(&t, ctx, 3);
  dm_model *m = train(ctx, &t, whole);
  double x[4] = {20, 0, 5, 3}, value[2] = {-1, -1}, proba[6] = {-1, -1, -1, -1, -1, -1};
  uint32_t leaf[2] = {99, 99};
  dm_batch batch = {.n = 2, .d = 2, .x = x, .value = value, .proba = proba, .leaf = leaf};
  assert_int_equal(m->learner->predict(m, DM_OUT_LEAF, &batch, NULL), DM_OK);
  assert_near(value[0], -1, 0);
  assert_near(proba[0], -1, 0);
  assert_int_equal(leaf[0], 4);
  assert_int_equal(leaf[1], 3);
  assert_int_equal(m->learner->predict(m, DM_OUT_VALUE | DM_OUT_PROBA, &batch, NULL), DM_OK);
  assert_near(value[0], 2, 0);
  assert_near(value[1], 1, 0);
  for (size_t c = 0; c < 3; c++) assert_near(proba[c], c == 2, 0);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_loaded_tree_scores_the_same_bits), cmocka_unit_test(forged_trees_are_refused),
      cmocka_unit_test(forged_shapes_are_refused),          cmocka_unit_test(too_deep_trees_are_refused),
      cmocka_unit_test(trees_read_well),                    cmocka_unit_test(a_tree_of_one_leaf_reads_well),
      cmocka_unit_test(drawings_hold_every_node),           cmocka_unit_test(traces_tell_the_way_of_a_row),
      cmocka_unit_test(predictions_give_what_is_asked_for),
  };
  return cmocka_run_group_tests_name("tree_model", tests, NULL, NULL);
}
