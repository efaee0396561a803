/*
 * The whole way (import, profile, recipe, train, predict, evaluate, audit,
 * why, report, export, undo) on a small file, with every request for memory
 * failing in turn: the library's own through the context, SQLite's through its
 * allocator; the n-th alone, or all from the n-th on. Each time: DM_EBUDGET with a
 * message, nothing leaked, the database whole and as it was, and the same
 * store does the work once there is memory again.
 */
#include "cmocka_all.h"

#include "model/code_learner.h"
#include "pipeline/epoch_learner.h"

#include <dm/pipeline.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- memory that fails --------------------------------------------------------------- */

typedef enum owner { OURS, SQLITES } owner;

/* SQLite's allocator has no pointer of the user's, so this is one for the program. */
static struct {
  size_t requests[2]; /* by owner */
  size_t fail_at;     /* 0 = never */
  owner whose;        /* requests that are counted */
  bool for_ever;      /* all fail from then on, whosever they are */
  bool failed;
  size_t blocks;      /* of ours, not released */
} memory;

static bool refuses(owner who) {
  memory.requests[who]++;
  if (!memory.fail_at) return false;
  if (memory.failed && memory.for_ever) return true;
  if (who != memory.whose || memory.requests[who] != memory.fail_at) return false;
  memory.failed = true;
  return true;
}

static void *our_allocate(void *user, size_t size, size_t alignment) {
  (void)user;
  if (refuses(OURS)) return NULL;
  memory.blocks++;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void our_release(void *user, void *block) {
  (void)user;
  memory.blocks--;
  free(block);
}

static sqlite3_mem_methods plain;
static void *sqlites_malloc(int n) { return refuses(SQLITES) ? NULL : plain.xMalloc(n); }
static void *sqlites_realloc(void *p, int n) { return refuses(SQLITES) ? NULL : plain.xRealloc(p, n); }

static void memory_is_there(void) {
  memory.fail_at = memory.requests[OURS] = memory.requests[SQLITES] = 0;
  memory.failed = false;
}

/* ---- the way, step by step ----------------------------------------------------------- */

static char folder[] = "/tmp/dm-faults-XXXXXX";
static char people_csv[64], export_csv[64], x_db[64], before_db[64], after_db[64];

static const char recipe_text[] =
    "table: people\n"
    "steps:\n"
    "  - trim: {columns: [name, city]}\n"
    "  - case: {columns: city, to: title}\n"
    "  - replace: {columns: name, pattern: '(\\d+)', with: '#$1', regex: true}\n"
    "  - recode: {column: city, map: {Rome: Roma, '?': null}}\n"
    "  - parse_date: {columns: born, formats: ['%d.%m.%Y', '%Y-%m-%d'], on_error: missing}\n"
    "  - parse_number: {columns: price, decimal: ','}\n"
    "  - fill: {columns: age, with: median}\n"
    "  - fill: {columns: city, with: mode}\n"
    "  - drop_duplicates: {columns: [id]}\n"
    "  - filter: {where: 'age < 90'}\n"
    "  - derive: {column: old, as: 'age >= 40', type: integer}\n";

typedef struct way {
  dm_ctx *ctx;
  dm_store *store;
  dm_arena *arena;
} way;

static dm_status import(way *w, dm_error *err) {
  static const char *const nulls[] = {"NA"};
  dm_import_options o = {.table = "people", .csv = {.nulls = nulls, .n_nulls = 1}};
  dm_import_result r;
  return dm_store_import(w->store, people_csv, &o, w->arena, &r, err);
}

static dm_status profile(way *w, dm_error *err) {
  dm_profile p;
  dm_json_out json;
  dm_buf buf;
  dm_buf_init(&buf, w->ctx, err);
  dm_json_out_init(&json, &buf, true);
  dm_status s = dm_profile_table(w->store, "people", "label", w->arena, &p, err);
  if (s == DM_OK) dm_profile_json(&p, &json);
  if (s == DM_OK) s = dm_buf_status(&buf);
  dm_buf_clear(&buf);
  return s;
}

static dm_status apply(way *w, dm_error *err) {
  const dm_yaml *node = NULL;
  dm_recipe *recipe = NULL;
  dm_apply_result r;
  dm_status s = dm_yaml_parse(w->arena, "recipe.yaml", recipe_text, sizeof recipe_text - 1, &node, err);
  if (s == DM_OK) s = dm_recipe_from_yaml(w->ctx, "recipe.yaml", node, &recipe, err);
  if (s == DM_OK) s = dm_recipe_apply(w->store, recipe, false, w->arena, &r, err);
  dm_recipe_free(recipe);
  return s;
}

static dm_status train(way *w, dm_error *err) {
  dm_params *params = NULL;
  dm_train_result r;
  dm_status s = dm_params_new(w->ctx, "tree", dm_learner_tree.params, &params, err);
  dm_train_options o = {.method = "tree", .target = "label", .test = 0.25, .train_metrics = true, .params = params};
  if (s == DM_OK) s = dm_train(w->store, &(dm_src){.text = "people"}, &o, w->arena, &r, err);
  dm_params_free(params);
  return s;
}

/* By epochs, with a checkpoint after each; what a fault left is gone on with. */
static dm_status train_long(way *w, dm_error *err) {
  dm_params *params = NULL;
  dm_train_result r;
  dm_status s = dm_params_new(w->ctx, "epochs", epoch_params, &params, err);
  if (s == DM_OK) s = dm_params_set(params, "epochs", "3", err);
  dm_train_options o = {.method = "epochs", .target = "id", .task = DM_TASK_REGRESS, .test = 0.25, .params = params, .checkpoint = 1, .resume = DM_RESUME_YES};
  if (s == DM_OK) s = dm_train(w->store, &(dm_src){.text = "people"}, &o, w->arena, &r, err);
  dm_params_free(params);
  return s;
}

static dm_status predict(way *w, dm_error *err) {
  dm_predict_result r;
  return dm_predict(w->store, "tree", &(dm_src){.text = "people"}, &(dm_predict_options){.into = "scored"}, w->arena, &r, err);
}

static dm_status evaluate(way *w, dm_error *err) {
  dm_evaluation e;
  return dm_evaluate(w->store, "tree", &(dm_src){.text = "SELECT * FROM people WHERE age > 30"}, w->arena, &e, err);
}

/* A model without a target, and a tree on what it has learned. */
static dm_status train_features(way *w, dm_error *err) {
  static const char *const ignored[] = {"label"};
  dm_params *params = NULL;
  dm_train_result r;
  dm_status s = dm_params_new(w->ctx, "codes", codes_params, &params, err);
  dm_train_options o = {.method = "codes", .test = 0.25, .ignored = ignored, .n_ignored = 1, .params = params};
  if (s == DM_OK) s = dm_train(w->store, &(dm_src){.text = "people"}, &o, w->arena, &r, err);
  dm_params_free(params);
  return s;
}

static dm_status train_on_features(way *w, dm_error *err) {
  dm_params *params = NULL;
  dm_train_result r;
  dm_status s = dm_params_new(w->ctx, "tree", dm_learner_tree.params, &params, err);
  dm_train_options o = {.method = "tree", .model = "both", .target = "label", .features_from = "codes", .test = 0.25, .params = params};
  if (s == DM_OK) s = dm_train(w->store, &(dm_src){.text = "people"}, &o, w->arena, &r, err);
  dm_params_free(params);
  return s;
}

static dm_status encode(way *w, dm_error *err) {
  dm_predict_result r;
  return dm_encode(w->store, "codes", &(dm_src){.text = "people"}, &(dm_predict_options){.into = "encoded"}, false, w->arena, &r, err);
}

static dm_status evaluate_features(way *w, dm_error *err) {
  dm_evaluation e;
  return dm_evaluate(w->store, "codes", &(dm_src){.text = "people"}, w->arena, &e, err);
}

static dm_status audit_model(way *w, const char *model, dm_error *err) {
  dm_json_out json;
  const dm_json *doc = NULL;
  dm_buf buf, text;
  dm_buf_init(&buf, w->ctx, err);
  dm_buf_init(&text, w->ctx, err);
  dm_json_out_init(&json, &buf, true);
  dm_status s = dm_audit_json(w->store, model, 7, &json, err);
  if (s == DM_OK) s = dm_buf_status(&buf);
  if (s == DM_OK) s = dm_json_parse(w->arena, buf.p, buf.n, &doc, err);
  if (s == DM_OK) s = dm_audit_text(doc, &text, err);
  if (s == DM_OK) s = dm_buf_status(&text);
  dm_buf_clear(&text);
  dm_buf_clear(&buf);
  return s;
}

static dm_status audit(way *w, dm_error *err) { return audit_model(w, "tree", err); }
static dm_status audit_stages(way *w, dm_error *err) { return audit_model(w, "both", err); }

static dm_status why(way *w, dm_error *err) {
  dm_why r;
  return dm_why_row(w->store, "people", 7, NULL, w->arena, &r, err);
}

static dm_status report(way *w, dm_error *err) {
  dm_buf html;
  dm_buf_init(&html, w->ctx, err);
  dm_status s = dm_report_html(w->store, &(dm_report_options){0}, &html, err);
  if (s == DM_OK) s = dm_buf_status(&html);
  dm_buf_clear(&html);
  return s;
}

static dm_status export(way *w, dm_error *err) {
  uint64_t rows;
  return dm_store_export(w->store, "people", export_csv, &(dm_export_options){.format = DM_EXPORT_CSV}, &rows, err);
}

static dm_status history_and_undo(way *w, dm_error *err) {
  dm_history_entry *entries;
  dm_apply_result r;
  size_t n;
  dm_status s = dm_history(w->store, w->arena, &entries, &n, err);
  if (s == DM_OK) s = dm_undo(w->store, 2, w->arena, &r, err);
  return s;
}

typedef dm_status step(way *w, dm_error *err);

static const dm_learner *const methods[] = {&dm_learner_tree, &epoch_learner, &codes_learner, NULL};

static dm_status open_way(way *w, dm_error *err) {
  *w = (way){0};
  dm_ctx_options o = {.threads = 1, .allocate = our_allocate, .release = our_release, .learners = methods};
  dm_status s = dm_ctx_new(&o, &w->ctx, err);
  if (s == DM_OK) s = dm_arena_new(w->ctx, 0, &w->arena, err);
  if (s == DM_OK) s = dm_store_open(w->ctx, x_db, DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE, &w->store, err);
  return s;
}

static void close_way(way *w) {
  dm_arena_free(w->arena);
  dm_store_close(w->store);
  if (w->ctx) assert_int_equal(dm_ctx_memory(w->ctx), 0);
  dm_ctx_free(w->ctx);
  assert_int_equal(memory.blocks, 0);
}

/* ---- states of the database ---------------------------------------------------------- */

/* What a user sees of x.db, times and unfinished trainings left out; free() it. */
static char *state_of_database(void) {
  static const char *const queries[] = {
      "SELECT group_concat(integrity_check) FROM pragma_integrity_check",
      "SELECT group_concat(name || coalesce(sql, ''), char(10)) FROM (SELECT * FROM sqlite_schema ORDER BY name)",
      "SELECT group_concat(id || command || status) FROM dm_run",
      "SELECT group_concat(run_id || rule || row_id || column || quote(old) || quote(new)) FROM dm_change",
      "SELECT group_concat(table_name || accepted || sha256) FROM dm_source",
      "SELECT group_concat(record || quote(raw)) FROM dm_reject",
      "SELECT group_concat(table_name || name || type || format) FROM dm_column",
      "SELECT group_concat(name || version || sha256) FROM dm_model WHERE status = 'ready'",
      "SELECT group_concat(model_id || name || length(data)) FROM dm_tensor WHERE name NOT GLOB 'checkpoint/*'",
      "SELECT group_concat(epoch || name || value) FROM dm_epoch WHERE model_id IN (SELECT id FROM dm_model WHERE status = 'ready')",
      "SELECT group_concat(split || name || value) FROM dm_metric",
      "SELECT group_concat(dm_id || quote(name) || quote(city) || quote(age) || quote(born) || quote(price)) FROM people",
      "SELECT group_concat(dm_id || prediction || score) FROM scored",
      "SELECT group_concat(dm_id || e1 || e3) FROM encoded",
  };
  sqlite3 *db = NULL;
  sqlite3_str *out = sqlite3_str_new(NULL);
  assert_int_equal(sqlite3_open_v2(x_db, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), SQLITE_OK);
  for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
    sqlite3_stmt *q = NULL; /* a table that is not there yet gives no statement */
    if (sqlite3_prepare_v2(db, queries[i], -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
      sqlite3_str_appendf(out, "%s\n", sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
  }
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  char *text = sqlite3_str_finish(out), *copy = strdup(text);
  sqlite3_free(text);
  assert_non_null(copy);
  assert_int_equal(strncmp(copy, "ok\n", 3), 0);
  return copy;
}

static void copy_file(const char *from, const char *to) {
  char block[65536];
  char journal[80];
  (void)snprintf(journal, sizeof journal, "%s-journal", to);
  (void)unlink(journal);
  FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
  assert_non_null(out);
  for (size_t n = 1; in && n > 0;) {
    n = fread(block, 1, sizeof block, in);
    assert_int_equal(fwrite(block, 1, n, out), n);
  }
  if (in) (void)fclose(in);
  assert_int_equal(fclose(out), 0);
}

/* ---- one fault ----------------------------------------------------------------------- */

typedef struct trial {
  step *run;
  const char *before, *after; /* states */
  owner whose;
  bool for_ever;
  bool again; /* the same store is to do the work afterwards */
  size_t unseen; /* requests of ours that may fail without a word, since the work knows another way */
  size_t complaints;
} trial;

static void complain(trial *t, size_t n, const char *what, const char *detail) {
  if (t->complaints++ < 20)
    print_error("request %zu of %s failed%s: %s%s\n", n, t->whose == OURS ? "ours" : "SQLite's", t->for_ever ? ", and all after it" : "", what, detail);
}

static void check_state(trial *t, size_t n, const char *want, const char *what) {
  char *now = state_of_database();
  if (strcmp(now, want) != 0) complain(t, n, what, now);
  free(now);
}

/* @return false when the n-th request was never made. */
static bool try_fault(trial *t, size_t n) {
  way w;
  dm_error err = {0};
  copy_file(before_db, x_db);
  memory_is_there();
  memory.whose = t->whose;
  memory.for_ever = t->for_ever;
  memory.fail_at = n;
  dm_status s = open_way(&w, &err);
  bool opened = s == DM_OK;
  if (s == DM_OK) s = t->run(&w, &err);
  bool failed = memory.failed;
  memory_is_there();
  if (s == DM_OK && failed && t->whose == OURS && t->unseen-- == 0) complain(t, n, "nobody said so", "");
  /* SQLite's json_valid() takes its own lack of memory for bad JSON */
  bool misnamed = t->whose == SQLITES && strstr(err.message, "CHECK constraint failed: json_valid");
  if (s != DM_OK && !misnamed && (s != DM_EBUDGET || err.code != s || !err.message[0])) complain(t, n, "it is called ", err.message);
  if (s != DM_OK && opened && t->again) {
    err = (dm_error){0};
    s = t->run(&w, &err);
    if (s != DM_OK) complain(t, n, "with memory again the same store says: ", err.message);
  }
  close_way(&w);
  check_state(t, n, s == DM_OK ? t->after : t->before, s == DM_OK ? "done, but the database holds\n" : "refused, but the database holds\n");
  return failed;
}

static void fail_step(step *run, size_t unseen) {
  way w;
  dm_error err = {0};
  copy_file(after_db, before_db); /* of the step before, whether its faults went well or not */
  copy_file(after_db, x_db);
  memory.blocks = 0;
  memory_is_there();
  char *before = state_of_database();
  if (open_way(&w, &err) != DM_OK || run(&w, &err) != DM_OK) fail_msg("without a fault: %s", err.message);
  size_t most[2] = {memory.requests[OURS], memory.requests[SQLITES]};
  close_way(&w);
  copy_file(x_db, after_db);
  char *after = state_of_database();
  trial t = {.run = run, .before = before, .after = after};
  size_t limits[2] = {1500, 150}; /* all of ours; of SQLite's, which are its own to test, a sample */
  if (getenv("DM_TEST_SLOW")) limits[OURS] = limits[SQLITES] = 12;
  for (int mode = 0; mode < 4; mode++) {
    t.whose = mode < 2 ? OURS : SQLITES;
    t.for_ever = mode % 2;
    t.unseen = unseen;
    size_t tried = 0;
    for (size_t n = 1; n < most[t.whose]; n += most[t.whose] / limits[t.whose] + 1) {
      t.again = tried++ % 8 == 0;
      (void)try_fault(&t, n);
    }
    if (try_fault(&t, 2 * most[t.whose] + 1000)) complain(&t, 0, "requests without end", "");
    print_message("  %zu of %zu requests of %s failed%s\n", tried, most[t.whose], t.whose == OURS ? "ours" : "SQLite's",
                  t.for_ever ? ", with all after them" : "");
  }
  free(before);
  free(after);
  assert_int_equal(t.complaints, 0);
}

#define FAULTS_IN(name, run, unseen) \
  static void name(void **state) {   \
    (void)state;                     \
    fail_step(run, unseen);          \
  }

FAULTS_IN(import_without_memory, import, 0)
FAULTS_IN(profile_without_memory, profile, 0)
FAULTS_IN(apply_without_memory, apply, 6) /* regular expressions do without being compiled to machine code */
FAULTS_IN(train_without_memory, train, 0)
FAULTS_IN(train_long_without_memory, train_long, 0)
FAULTS_IN(predict_without_memory, predict, 0)
FAULTS_IN(evaluate_without_memory, evaluate, 0)
FAULTS_IN(audit_without_memory, audit, 0)
FAULTS_IN(train_features_without_memory, train_features, 0)
FAULTS_IN(train_on_features_without_memory, train_on_features, 0)
FAULTS_IN(encode_without_memory, encode, 0)
FAULTS_IN(evaluate_features_without_memory, evaluate_features, 0)
FAULTS_IN(audit_stages_without_memory, audit_stages, 0)
FAULTS_IN(why_without_memory, why, 0)
FAULTS_IN(report_without_memory, report, 0)
FAULTS_IN(export_without_memory, export, 0)
FAULTS_IN(undo_without_memory, history_and_undo, 0)

static int begin(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  (void)snprintf(people_csv, sizeof people_csv, "%s/people.csv", folder);
  (void)snprintf(export_csv, sizeof export_csv, "%s/export.csv", folder);
  (void)snprintf(x_db, sizeof x_db, "%s/x.db", folder);
  (void)snprintf(after_db, sizeof after_db, "%s/after.db", folder);
  (void)snprintf(before_db, sizeof before_db, "%s/before.db", folder);
  FILE *f = fopen(people_csv, "wb");
  if (!f) return -1;
  (void)fputs("id,name,city,age,born,price,label\n", f);
  for (int i = 0; i < 60; i++) {
    static const char *const cities[] = {"rome", " oslo", "?"};
    char age[8] = "NA";
    if (i % 7) (void)snprintf(age, sizeof age, "%d", 20 + i * 37 % 80);
    (void)fprintf(f, "%d, Ann %d ,%s,%s,%02d.0%d.19%d,\"%d,5\",%s\n", i - i / 20, i, cities[i % 3], age, 1 + i % 28, 1 + i % 9, 50 + i % 50,
                  i * 13 % 11, i * 37 % 80 < 40 ? "yes" : "no");
  }
  (void)fputs("61,one,field,too,many,for,this,table\n\"62,never closed\n", f);
  return fclose(f);
}

static int end(void **state) {
  (void)state;
  (void)unlink(people_csv);
  (void)unlink(export_csv);
  (void)unlink(x_db);
  (void)unlink(before_db);
  (void)unlink(after_db);
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(import_without_memory),   cmocka_unit_test(profile_without_memory), cmocka_unit_test(apply_without_memory),
      cmocka_unit_test(train_without_memory),    cmocka_unit_test(train_long_without_memory),
      cmocka_unit_test(predict_without_memory),  cmocka_unit_test(evaluate_without_memory),
      cmocka_unit_test(audit_without_memory),    cmocka_unit_test(train_features_without_memory),
      cmocka_unit_test(train_on_features_without_memory), cmocka_unit_test(encode_without_memory),
      cmocka_unit_test(evaluate_features_without_memory), cmocka_unit_test(audit_stages_without_memory),
      cmocka_unit_test(why_without_memory),     cmocka_unit_test(report_without_memory),
      cmocka_unit_test(export_without_memory),   cmocka_unit_test(undo_without_memory),
  };
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain) != SQLITE_OK) return 1;
  sqlite3_mem_methods failing = plain;
  failing.xMalloc = sqlites_malloc;
  failing.xRealloc = sqlites_realloc;
  /* without look-aside memory every request is seen */
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK || sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK) return 1;
  cmocka_set_test_filter(getenv("DM_TEST_FILTER"));
  return cmocka_run_group_tests_name("faults", tests, begin, end);
}
