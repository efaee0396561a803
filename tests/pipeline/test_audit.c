/*
 * 1,000 predictions walked back: a file is written with known places of every
 * record (CRLF, line breaks in quotes, records that do not fit, two-byte
 * letters), imported, cleaned, learned from; each audit must name the line,
 * the byte and the very bytes that were written, and the path must lead to the
 * score that prediction gives.
 */
#include "store/store_test.h"

#include <dm/pipeline.h>

enum { RECORDS = 1400, AUDITS = 1000 };

typedef struct written {
  char *bytes;
  size_t n, n_rows;
  size_t at[RECORDS], length[RECORDS], line[RECORDS], record[RECORDS];
  int value[RECORDS];
} written;

/* Every 17th record has too few fields, every 5th a line break in its note. */
static void write_records(written *w) {
  size_t capacity = (size_t)RECORDS * 80, line = 1, record = 0;
  dm_rng rng;
  dm_rng_init(&rng, 11, DM_STREAM_SAMPLE);
  w->bytes = malloc(capacity);
  assert_non_null(w->bytes);
  w->n = (size_t)snprintf(w->bytes, capacity, "value,colour,note,class\r\n");
  for (int i = 0; i < RECORDS; i++) {
    static const char *const colours[] = {"red", " Red ", "gr\xC3\xBCn", "blue"};
    int value = (int)dm_rng_below(&rng, 1000);
    const char *colour = colours[dm_rng_below(&rng, 4)];
    char *p = w->bytes + w->n;
    size_t left = capacity - w->n;
    line++;
    record++;
    if (i % 17 == 3) {
      w->n += (size_t)snprintf(p, left, "%d,%s\r\n", value, colour);
      continue;
    }
    bool breaks = i % 5 == 0;
    const char *class = value > 600 || (value > 200 && strcmp(colour, "blue") == 0) ? "yes" : "no";
    int n = breaks ? snprintf(p, left, "%d,%s,\"two\r\nlines, \"\"here\"\"\",%s", value, colour, class)
                   : snprintf(p, left, "%d,%s,,%s", value, colour, class);
    size_t k = w->n_rows++;
    w->at[k] = w->n;
    w->length[k] = (size_t)n;
    w->line[k] = line;
    w->record[k] = record;
    w->value[k] = value;
    w->n += (size_t)n;
    w->n += (size_t)snprintf(w->bytes + w->n, capacity - w->n, "\r\n");
    line += breaks;
  }
}

static void make_model(dm_store *store, const char *csv, dm_arena *arena, size_t rows) {
  static const char recipe_text[] = "table: t\nsteps:\n  - trim: {columns: colour}\n  - case: {columns: colour, to: lower}\n";
  dm_error err = {0};
  dm_import_options import = {.table = "t"};
  dm_import_result imported;
  if (dm_store_import(store, csv, &import, arena, &imported, &err) != DM_OK) fail_msg("%s", err.message);
  assert_int_equal(imported.rows, rows);
  const dm_yaml *root;
  dm_recipe *recipe = NULL;
  dm_apply_result applied;
  assert_int_equal(dm_yaml_parse(arena, "r.yaml", recipe_text, strlen(recipe_text), &root, &err), DM_OK);
  assert_int_equal(dm_recipe_from_yaml(dm_store_ctx(store), "r.yaml", root, &recipe, &err), DM_OK);
  if (dm_recipe_apply(store, recipe, false, arena, &applied, &err) != DM_OK) fail_msg("%s", err.message);
  dm_recipe_free(recipe);
  dm_params *params = NULL;
  const char *ignored[] = {"note"};
  assert_int_equal(dm_params_new(dm_store_ctx(store), "tree", dm_learner_tree.params, &params, &err), DM_OK);
  dm_train_options options = {.method = "tree", .target = "class", .model = "m", .ignored = ignored, .n_ignored = 1, .params = params};
  dm_train_result trained;
  dm_src src = {"t", NULL};
  if (dm_train(store, &src, &options, arena, &trained, &err) != DM_OK) fail_msg("%s", err.message);
  dm_params_free(params);
  dm_predict_options into = {.into = "s"};
  dm_predict_result predicted;
  if (dm_predict(store, "m", &src, &into, arena, &predicted, &err) != DM_OK) fail_msg("%s", err.message);
  assert_int_equal(predicted.rows, rows);
}

/* The path's last step is a leaf, and each step before it goes where its value belongs. */
static void check_path(const dm_json *path, int value) {
  assert_true(path->n >= 2);
  for (const dm_json *step = path->first; step; step = step->next) {
    assert_int_equal(dm_json_get_bool(step, "leaf", false), step->next == NULL);
    if (strcmp(dm_json_get_string(step, "feature", ""), "value") == 0) assert_int_equal(dm_json_get_int(step, "value", -1), value);
  }
}

static void check_row(dm_store *store, const written *w, size_t row, double score, dm_arena *arena) {
  dm_error err = {0};
  dm_buf text;
  dm_json_out out;
  const dm_json *audit;
  dm_buf_init(&text, dm_store_ctx(store), &err);
  dm_json_out_init(&out, &text, false);
  if (dm_audit_json(store, "m", (int64_t)row + 1, &out, &err) != DM_OK) fail_msg("row %zu: %s", row + 1, err.message);
  assert_int_equal(dm_json_parse(arena, text.p, text.n, &audit, &err), DM_OK);
  const dm_json *origin = dm_json_get(audit, "origin"), *raw = dm_json_get(origin, "raw");
  assert_true(dm_json_get_double(audit, "score", -1) == score);
  assert_int_equal(dm_json_get_int(origin, "line", 0), w->line[row]);
  assert_int_equal(dm_json_get_int(origin, "record", 0), w->record[row]);
  assert_int_equal(dm_json_get_int(origin, "byte_offset", -1), w->at[row]);
  assert_true(dm_json_get_bool(origin, "verified", false));
  assert_true(raw->string.n >= w->length[row]);
  assert_memory_equal(raw->string.p, w->bytes + w->at[row], w->length[row]);
  check_path(dm_json_get(audit, "path"), w->value[row]);
  const dm_json *colour = dm_json_get(audit, "features")->first->next;
  bool was_spaced = w->bytes[w->at[row] + (size_t)snprintf(NULL, 0, "%d,", w->value[row])] == ' ';
  assert_string_equal(dm_json_get_string(colour, "name", ""), "colour");
  assert_int_equal(dm_json_get(colour, "changes")->n, was_spaced ? 2 : 0);
  dm_buf_clear(&text);
}

static void a_thousand_predictions_lead_back_to_their_bytes(void **state) {
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.threads = 2, .learners = dm_methods};
  dm_arena *arena = NULL;
  written w = {0};
  char csv[128], db[128];
  (void)state;
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  write_records(&w);
  assert_true(w.n_rows > AUDITS);
  test_path(csv, "data.csv");
  test_path(db, "a.db");
  test_write(csv, w.bytes, w.n);
  dm_store *store = test_open(ctx, db, DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE);
  make_model(store, csv, arena, w.n_rows);
  dm_stmt *scores = NULL;
  bool more;
  assert_int_equal(dm_stmt_prepare(store, "SELECT score FROM s ORDER BY dm_id", &scores, NULL), DM_OK);
  double *score = malloc(w.n_rows * sizeof *score);
  assert_non_null(score);
  for (size_t i = 0; i < w.n_rows; i++) {
    assert_int_equal(dm_stmt_step(scores, &more, NULL), DM_OK);
    score[i] = dm_stmt_value(scores, 0).real;
  }
  dm_stmt_free(scores);
  for (size_t i = 0; i < AUDITS; i++) check_row(store, &w, i * w.n_rows / AUDITS, score[i * w.n_rows / AUDITS], arena);
  free(score);
  free(w.bytes);
  dm_store_close(store);
  dm_arena_free(arena);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_thousand_predictions_lead_back_to_their_bytes)};
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
