/*
 * Model rows from anywhere: each is refused with a reason, or scores, draws
 * and describes itself, or recommends, without harm. An input is lines of
 *
 *   method tree            and task, target, params, inputs, transform
 *   tensor 0/feature 0 i32 [3] 00000000ffffffff01000000
 *
 * (name, part, dtype, shape, bytes); the hash is made to match, as one who
 * forges rows would.
 */
#include "model/code_learner.h"
#include "store/registry.h"
#include "store/toy_learner.h"

#include <dm/linear.h>
#include <dm/nn.h>
#include <dm/patterns.h>
#include <dm/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool held) {
  if (!held) abort();
}

/* One database for all inputs, as making the tables takes longer than loading a model. */
static dm_store *open_store(void) {
  static const dm_learner *const learners[] = {&dm_learner_tree, &dm_learner_logistic, &dm_learner_cba, &dm_learner_net,
                                              &dm_learner_autoencoder, &toy_learner, &codes_learner, NULL};
  static dm_store *store;
  dm_ctx *ctx = NULL;
  dm_ctx_options options = {.threads = 1, .budget = (size_t)512 << 20, .learners = learners};
  if (!store) {
    expect(dm_ctx_new(&options, &ctx, NULL) == DM_OK);
    expect(dm_store_open(ctx, ":memory:", DM_STORE_CREATE, &store, NULL) == DM_OK);
    expect(dm_store_ensure_schema(store, NULL) == DM_OK);
    expect(dm_store_exec(store, NULL, "PRAGMA ignore_check_constraints = ON") == DM_OK);
    expect(dm_store_exec(store, NULL, "INSERT INTO dm_active VALUES('m', 1)") == DM_OK);
  }
  expect(dm_store_exec(store, NULL, "DELETE FROM dm_tensor") == DM_OK);
  expect(dm_store_exec(store, NULL, "INSERT OR REPLACE INTO dm_model VALUES(1, 'm', 1, '', '', NULL, 'ready', '{}', '{}', '{}', NULL, 1,"
                                    " NULL, 0, '', '', 0.0, '')") == DM_OK);
  return store;
}

/* Next word of the line, or all that is left of it. */
static dm_str word(dm_str *line, bool rest) {
  const char *end = rest ? NULL : memchr(line->p, ' ', line->n);
  dm_str w = {line->p, end ? (size_t)(end - line->p) : line->n};
  size_t used = w.n + (end != NULL);
  *line = (dm_str){line->p + used, line->n - used};
  return w;
}

static dm_str from_hex(dm_arena *arena, dm_str hex) {
  char *bytes = dm_arena_alloc(arena, hex.n / 2 + 1, 1, NULL);
  expect(bytes != NULL);
  for (size_t i = 0; i + 1 < hex.n; i += 2) {
    const char pair[3] = {hex.p[i], hex.p[i + 1], 0};
    bytes[i / 2] = (char)strtoul(pair, NULL, 16);
  }
  return (dm_str){bytes, hex.n / 2};
}

static void run_bound(dm_store *store, const char *sql, const dm_value *values, int n) {
  dm_stmt *s = NULL;
  bool row;
  expect(dm_stmt_prepare(store, sql, &s, NULL) == DM_OK);
  for (int i = 0; i < n; i++) expect(dm_stmt_bind(s, i + 1, values[i], NULL) == DM_OK);
  (void)dm_stmt_step(s, &row, NULL); /* a part given twice is refused: so be it */
  dm_stmt_free(s);
}

static void add_line(dm_store *store, dm_arena *arena, dm_str line) {
  static const char *const fields[] = {"method", "task", "target", "params", "inputs", "transform"};
  dm_str key = word(&line, false);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (dm_str_equal(key, dm_str_of(fields[i]))) {
      char sql[64];
      (void)snprintf(sql, sizeof sql, "UPDATE dm_model SET %s = ?1", fields[i]);
      run_bound(store, sql, &(dm_value){DM_TEXT, .text = line}, 1);
    }
  if (!dm_str_equal(key, dm_str_of("tensor"))) return;
  dm_value v[5] = {{DM_TEXT}, {DM_INTEGER}, {DM_TEXT}, {DM_TEXT}, {DM_BLOB}};
  v[0].text = word(&line, false);
  dm_str part = word(&line, false);
  (void)dm_text_to_int(part.p, part.n, &v[1].integer);
  v[2].text = word(&line, false);
  v[3].text = word(&line, false);
  v[4].text = from_hex(arena, word(&line, true));
  run_bound(store, "INSERT INTO dm_tensor VALUES(1, ?1, ?2, ?3, ?4, ?5)", v, 5);
}

static void make_hash_match(dm_store *store, dm_arena *arena) {
  dm_model_rows rows;
  char hash[DM_SHA256_HEX];
  (void)dm_store_exec(store, NULL, "UPDATE dm_model SET sha256 = '%064d'", 0);
  if (dm_model_rows_collect(store, 1, arena, &rows, hash, NULL) == DM_OK &&
      dm_model_rows_hash(arena, dm_store_ctx(store), &rows, hash, NULL) == DM_OK)
    expect(dm_store_exec(store, NULL, "UPDATE dm_model SET sha256 = %Q", hash) == DM_OK);
}

/* Values that a row may hold: missing, unseen level, level codes, numbers of any size. */
static double cell(const dm_input *in, size_t k) {
  static const double numbers[] = {0, -1, 0.5, 1, 7, -3.25, 1e300, -1e300, 5e-324};
  if (k % 5 == 4) return (double)NAN;
  if (in->kind == DM_NUMERIC) return numbers[k % (sizeof numbers / sizeof *numbers)];
  return in->levels.n == 0 || k % 7 == 3 ? -1 : (double)(k % in->levels.n);
}

/* What models that learn features are asked for besides; others refuse. */
static void use_features(dm_arena *arena, const dm_scorer *s, const double *raw, dm_scratch *scratch) {
  size_t features = dm_encoder_n_inputs(s->encoder);
  float *code = dm_arena_alloc(arena, s->model->n_code + 1, sizeof *code, NULL);
  double value, score, *parts = dm_arena_alloc(arena, features + 1, sizeof *parts, NULL);
  expect(code && parts);
  dm_status status = dm_scorer_code_row(s, raw, scratch, code, NULL);
  expect(s->model->n_code || status == DM_EUSAGE);
  status = dm_scorer_parts_row(s, raw, scratch, &value, &score, parts, NULL);
  expect(!s->target.name || status == DM_EUSAGE);
  for (size_t i = 0; i < features; i++) expect(dm_scorer_feature_name(s, i) != NULL);
}

static void use(dm_ctx *ctx, dm_arena *arena, const dm_scorer *s) {
  const dm_learner *learner = s->model->learner;
  size_t k = s->target.levels.n;
  double *raw = dm_arena_alloc(arena, s->d, sizeof *raw, NULL), *proba = dm_arena_alloc(arena, k + 1, sizeof *proba, NULL), value, score;
  dm_scratch scratch;
  dm_buf text;
  expect(raw && proba && dm_scratch_init(&scratch, s, NULL) == DM_OK);
  for (size_t r = 0; r < 20; r++) {
    for (size_t i = 0; i < s->d; i++) raw[i] = cell(&s->inputs[i], r * 31 + i * (r + 1));
    if (dm_scorer_row(s, raw, &scratch, &value, &score, k ? proba : NULL, NULL) == DM_OK && k) {
      expect(value >= 0 && value < (double)k);
      (void)dm_scorer_value(s, value);
    }
  }
  dm_buf_init(&text, ctx, NULL);
  dm_json_out json;
  dm_json_out_init(&json, &text, false);
  if (learner->describe) (void)learner->describe(s->model, s, &text, NULL);
  if (learner->draw) (void)learner->draw(s->model, s, &json, NULL);
  if (learner->trace) (void)learner->trace(s->model, s, scratch.encoded, &json, NULL);
  use_features(arena, s, raw, &scratch);
  dm_buf_clear(&text);
  dm_scratch_clear(&scratch, s);
}

/* Baskets of one item, of all, and of none; what comes is in no basket, and its rule's body is. */
static void use_rules(dm_ctx *ctx, dm_arena *arena, const dm_rule_model *m) {
  dm_recommendation *list;
  size_t n;
  dm_str *basket;
  dm_buf text;
  for (size_t i = 0; i < m->n_items && i < 64; i++) {
    expect(dm_rule_model_find(m, m->names[i]) == i);
    if (dm_rule_model_recommend(m, &m->names[i], 1, 0, arena, &list, &n, NULL) != DM_OK) continue;
    for (size_t k = 0; k < n; k++) {
      const dm_rule *r = &m->rules[list[k].rule];
      expect(list[k].item < m->n_items && list[k].item != i && r->n_body == 1 && r->body[0] == i);
      expect(list[k].confidence > 0 && list[k].confidence <= 1 && list[k].lift > 0);
    }
  }
  if (dm_rule_model_recommend(m, m->names, m->n_items, 3, arena, &list, &n, NULL) == DM_OK) expect(n == 0);
  if (dm_rule_model_basket(m, "a, b", 4, arena, &basket, &n, NULL) == DM_OK) (void)dm_rule_model_recommend(m, basket, n, 1, arena, &list, &n, NULL);
  for (size_t i = 0; i < m->n; i++)
    for (int k = 0; k < DM_Q_VALUE && i < 64; k++) expect(dm_measure_value(&m->rules[i].counts, (dm_measure)k) >= -1);
  dm_buf_init(&text, ctx, NULL);
  dm_rule_model_text(m, 64, &text);
  dm_buf_clear(&text);
}

static void load_rules(dm_store *store, dm_arena *arena) {
  dm_rule_model *m = NULL;
  dm_error err = {0};
  dm_status s = dm_rule_model_load(store, "m", arena, &m, NULL, &err);
  if (s == DM_OK)
    use_rules(dm_store_ctx(store), arena, m);
  else
    expect((s == DM_EINPUT || s == DM_EBUDGET || s == DM_EUSAGE) && m == NULL && err.message[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  dm_arena *arena = NULL;
  dm_scorer *scorer = NULL;
  dm_error err = {0};
  if (size > 1 << 16) return 0;
  dm_store *store = open_store();
  dm_ctx *ctx = dm_store_ctx(store);
  size_t held = dm_ctx_memory(ctx);
  expect(dm_arena_new(ctx, 0, &arena, &err) == DM_OK);
  for (dm_str left = {(const char *)data, size}; left.n;) {
    const char *end = memchr(left.p, '\n', left.n);
    dm_str line = {left.p, end ? (size_t)(end - left.p) : left.n};
    size_t used = line.n + (end != NULL);
    add_line(store, arena, line);
    left = (dm_str){left.p + used, left.n - used};
  }
  make_hash_match(store, arena);
  dm_status s = dm_registry_load(store, "m", arena, &scorer, NULL, &err);
  bool scores = true;
  if (s == DM_OK)
    use(ctx, arena, scorer);
  else
    expect(dm_registry_scores(store, 1, &scores, NULL) == DM_OK && scorer == NULL && err.message[0]);
  expect(s == DM_OK || s == DM_EINPUT || s == DM_EBUDGET || (s == DM_EUSAGE && !scores));
  load_rules(store, arena);
  dm_scorer_free(scorer);
  dm_arena_free(arena);
  expect(dm_ctx_memory(ctx) == held);
  return 0;
}
