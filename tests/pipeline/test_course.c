/*
 * Long trainings: figures of epochs, checkpoints, going on after a failure or
 * Ctrl-C to the same bits, and what refuses to go on.
 */
#include "cmocka_all.h"

#include "pipeline/epoch_learner.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const dm_learner *const methods[] = {&epoch_learner, &dm_learner_tree, NULL};

typedef struct fixture {
  dm_ctx *ctx;
  dm_store *store;
  dm_arena *arena;
  char path[64], notes[2000];
} fixture;

static void on_log(void *user, dm_log_level level, const char *message) {
  fixture *f = user;
  size_t at = strlen(f->notes);
  if (level <= DM_LOG_NOTICE) (void)snprintf(f->notes + at, sizeof f->notes - at, "%s\n", message);
}

/* A context that saw Ctrl-C is of no more use: the next command has its own. */
static void open_with(fixture *f, uint64_t seed, size_t budget) {
  dm_arena_free(f->arena);
  dm_store_close(f->store);
  if (f->ctx) assert_int_equal(dm_ctx_memory(f->ctx), 0);
  dm_ctx_free(f->ctx);
  f->notes[0] = 0;
  memset(&epoch_test, 0, sizeof epoch_test);
  dm_ctx_options o = {.threads = 1, .seed = seed, .budget = budget, .user = f, .log = on_log, .learners = methods};
  assert_int_equal(dm_ctx_new(&o, &f->ctx, NULL), DM_OK);
  assert_int_equal(dm_arena_new(f->ctx, 0, &f->arena, NULL), DM_OK);
  assert_int_equal(dm_store_open(f->ctx, f->path, DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE, &f->store, NULL), DM_OK);
}

static void open_anew(fixture *f, uint64_t seed) { open_with(f, seed, 0); }

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  if (!f) return -1;
  strcpy(f->path, "/tmp/dm-course-XXXXXX");
  int fd = mkstemp(f->path);
  if (fd < 0) return -1;
  close(fd);
  open_anew(f, 0);
  assert_int_equal(dm_store_begin(f->store, NULL), DM_OK);
  assert_int_equal(dm_store_exec(f->store, NULL, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, a REAL, b REAL, c REAL, y REAL)"), DM_OK);
  for (int i = 0; i < 40; i++)
    assert_int_equal(dm_store_exec(f->store, NULL, "INSERT INTO t(a, b, c, y) VALUES(%d, %f, %d, %f)", i % 7, sin(i), i % 3, 1.5 * (i % 7) - sin(i)),
                     DM_OK);
  assert_int_equal(dm_store_commit(f->store, NULL), DM_OK);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  dm_arena_free(f->arena);
  dm_store_close(f->store);
  assert_int_equal(dm_ctx_memory(f->ctx), 0);
  dm_ctx_free(f->ctx);
  (void)unlink(f->path);
  free(f);
  return 0;
}

typedef struct wish {
  const char *method, *source, *rate;
  dm_train_options o;
} wish;

static dm_status train(fixture *f, wish w, dm_train_result *r, dm_error *err) {
  dm_params *params = NULL;
  *err = (dm_error){0};
  w.o.method = w.method ? w.method : "epochs";
  w.o.target = w.o.target ? w.o.target : "y";
  w.o.model = "m";
  const dm_learner *learner = dm_learner_find(f->ctx, w.o.method, err);
  assert_int_equal(dm_params_new(f->ctx, w.o.method, learner->params, &params, err), DM_OK);
  if (w.rate) assert_int_equal(dm_params_set(params, "rate", w.rate, err), DM_OK);
  w.o.params = params;
  dm_status s = dm_train(f->store, &(dm_src){.text = w.source ? w.source : "t"}, &w.o, f->arena, r, err);
  dm_params_free(params);
  return s;
}

static void must_train(fixture *f, wish w, dm_train_result *r) {
  dm_error err;
  if (train(f, w, r, &err) != DM_OK) fail_msg("%s", err.message);
}

/* The first column of the first row as text, in the arena. */
static const char *ask(fixture *f, const char *sql) {
  dm_stmt *s = NULL;
  dm_error err = {0};
  bool row = false;
  if (dm_stmt_prepare(f->store, sql, &s, &err) != DM_OK || dm_stmt_step(s, &row, &err) != DM_OK) fail_msg("%s", err.message);
  dm_value v = row ? dm_stmt_value(s, 0) : (dm_value){.type = DM_NULL};
  const char *out = v.type == DM_TEXT ? dm_arena_strdup(f->arena, v.text.p, v.text.n, NULL) : "";
  dm_stmt_free(s);
  return out;
}

static const char *const figures = "SELECT group_concat(epoch || name || value) FROM (SELECT * FROM dm_epoch WHERE model_id ="
                                   " (SELECT model_id FROM dm_active WHERE name = 'm') ORDER BY epoch)";
static const char *const rows = "SELECT group_concat(version || status) FROM (SELECT * FROM dm_model ORDER BY version)";
static const char *const kept = "SELECT group_concat(name) FROM (SELECT name FROM dm_tensor WHERE name GLOB 'checkpoint*' ORDER BY name)";

/* What an unbroken training gives; the database is then as it was. */
static void unbroken(fixture *f, wish w, char hash[DM_SHA256_HEX], char *epochs, size_t capacity) {
  dm_train_result r;
  size_t dropped;
  must_train(f, w, &r);
  (void)snprintf(hash, DM_SHA256_HEX, "%s", r.meta.sha256);
  if (epochs) (void)snprintf(epochs, capacity, "%s", ask(f, figures));
  assert_int_equal(dm_registry_drop(f->store, "m", &dropped, NULL), DM_OK);
  assert_int_equal(dm_store_exec(f->store, NULL, "DELETE FROM dm_meta WHERE key GLOB 'last_version*'"), DM_OK);
}

/* ---- tests ---------------------------------------------------------------------- */

static void figures_are_written_with_the_model(void **state) {
  fixture *f = *state;
  dm_train_result r;
  must_train(f, (wish){.o = {.folds = 3}}, &r);
  assert_int_equal(epoch_test.fits, 4); /* of the folds nothing is written */
  assert_string_equal(ask(f, "SELECT count(*) || min(epoch) || max(epoch) || min(name) || count(DISTINCT model_id) FROM dm_epoch"), "10110train_loss1");
  assert_string_equal(ask(f, kept), "");
}

static void a_broken_training_goes_on_to_the_same_bits(void **state) {
  fixture *f = *state;
  char hash[DM_SHA256_HEX], epochs[1000];
  dm_train_result r;
  dm_error err;
  wish w = {.o = {.test = 0.25, .checkpoint = 2}};
  unbroken(f, w, hash, epochs, sizeof epochs);
  for (uint64_t at = 3; at <= 10; at++) {
    epoch_test.fail_in = at;
    assert_int_equal(train(f, w, &r, &err), DM_EINPUT);
    w.o.resume = DM_RESUME_YES; /* the first break has the next ones follow it */
    epoch_test.fail_in = 0;
    assert_string_equal(ask(f, rows), "1training");
    assert_string_equal(ask(f, kept), "checkpoint/order,checkpoint/rng,checkpoint/velocity,checkpoint/weight");
  }
  assert_string_equal(ask(f, "SELECT json_extract(transform, '$.checkpoint.state.epoch') || '' FROM dm_model"), "8");
  must_train(f, w, &r);
  assert_string_equal(r.meta.sha256, hash);
  assert_int_equal(r.meta.version, 1);
  assert_string_equal(ask(f, rows), "1ready");
  assert_string_equal(ask(f, kept), "");
  assert_string_equal(ask(f, figures), epochs);
  dm_scorer *scorer = NULL;
  assert_int_equal(dm_registry_load(f->store, "m", f->arena, &scorer, NULL, &err), DM_OK);
  dm_scorer_free(scorer);
}

static void ctrl_c_keeps_the_last_whole_epoch(void **state) {
  fixture *f = *state;
  char hash[DM_SHA256_HEX], epochs[1000];
  dm_train_result r;
  dm_error err;
  unbroken(f, (wish){0}, hash, epochs, sizeof epochs);
  epoch_test.cancel_in = 7;
  assert_int_equal(train(f, (wish){0}, &r, &err), DM_ECANCEL);
  assert_string_equal(err.message, "interrupted");
  assert_string_equal(err.hint, "epoch 6 of 'm@1' is kept: the same command with --resume goes on");
  open_anew(f, 0);
  assert_string_equal(ask(f, rows), "1training");
  assert_string_equal(ask(f, "SELECT max(epoch) || '' FROM dm_epoch"), "6");
  must_train(f, (wish){.o = {.resume = DM_RESUME_YES}}, &r);
  assert_non_null(strstr(f->notes, "'m@1' goes on after epoch 6"));
  assert_string_equal(r.meta.sha256, hash);
  assert_string_equal(ask(f, figures), epochs);
}

static void without_checkpoints_nothing_is_kept(void **state) {
  fixture *f = *state;
  dm_train_result r;
  dm_error err;
  epoch_test.cancel_in = 7;
  assert_int_equal(train(f, (wish){.o = {.checkpoint = DM_CHECKPOINT_NEVER}}, &r, &err), DM_ECANCEL);
  assert_string_equal(err.hint, "");
  open_anew(f, 0);
  assert_string_equal(ask(f, "SELECT group_concat(name) FROM sqlite_schema"), "t");
  must_train(f, (wish){.o = {.resume = DM_RESUME_YES}}, &r);
  assert_non_null(strstr(f->notes, "no unfinished training of 'm': it begins anew"));
  assert_string_equal(ask(f, rows), "1ready");
}

static void folds_are_not_measured_again(void **state) {
  fixture *f = *state;
  dm_train_result whole, r;
  dm_error err;
  wish w = {.o = {.folds = 4, .time_limit = 1000}};
  must_train(f, w, &whole);
  assert_true(epoch_test.time_limit == 200); /* of 1000 s, for four folds and the model */
  open_anew(f, 0);
  epoch_test.spared = 1;
  epoch_test.cancel_in = 6; /* in the second fold: of folds there are no checkpoints */
  assert_int_equal(train(f, w, &r, &err), DM_ECANCEL);
  assert_string_equal(ask(f, rows), "1ready");
  open_anew(f, 0);
  epoch_test.spared = 4;
  epoch_test.cancel_in = 6;
  assert_int_equal(train(f, w, &r, &err), DM_ECANCEL);
  assert_string_equal(ask(f, rows), "1ready,2training");
  open_anew(f, 0);
  w.o.resume = DM_RESUME_YES;
  must_train(f, w, &r);
  assert_int_equal(epoch_test.fits, 1);
  assert_string_equal(ask(f, "SELECT count(DISTINCT sha256) || '' FROM dm_model"), "1");
  assert_int_equal(r.n_cv, whole.n_cv);
  for (size_t i = 0; i < r.n_cv; i++) {
    assert_string_equal(r.cv[i].name, whole.cv[i].name);
    assert_true(r.cv[i].value == whole.cv[i].value && r.cv_sd[i].value == whole.cv_sd[i].value);
  }
}

static void what_is_different_is_named(void **state) {
  fixture *f = *state;
  static const char *const abc[] = {"a", "b"};
  dm_train_result r;
  dm_error err;
  const struct {
    wish w;
    const char *named;
  } others[] = {
      {{.rate = "0.5"}, "rate is 0.5, the training 'm@1' was begun with 0.001"},
      {{.o.test = 0.5}, "test is 0.5, the training 'm@1' was begun with 0"},
      {{.o.folds = 3}, "folds is 3"},
      {{.o = {.features = abc, .n_features = 2}}, "features is [\"a\",\"b\"], the training 'm@1' was begun with [\"a\",\"b\",\"c\"]"},
      {{.o.target = "c", .o.task = DM_TASK_REGRESS}, "target is c"},
      {{.source = "SELECT * FROM t WHERE dm_id < 40"}, "the SHA-256 of the source's rows is"},
  };
  epoch_test.fail_in = 4;
  assert_int_equal(train(f, (wish){.o.checkpoint = 1}, &r, &err), DM_EINPUT);
  epoch_test.fail_in = 0;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    wish w = others[i].w;
    w.o.resume = DM_RESUME_YES;
    assert_int_equal(train(f, w, &r, &err), DM_EUSAGE);
    if (!strstr(err.message, others[i].named)) fail_msg("%s: %s", others[i].named, err.message);
  }
  open_anew(f, 1);
  assert_int_equal(train(f, (wish){.o.resume = DM_RESUME_YES}, &r, &err), DM_EUSAGE);
  assert_non_null(strstr(err.message, "seed is 1, the training 'm@1' was begun with 0"));
  assert_string_equal(ask(f, rows), "1training"); /* nobody took it away */
  must_train(f, (wish){.o.resume = DM_RESUME_IF_SAME}, &r);
  assert_non_null(strstr(f->notes, "training begins anew"));
  assert_string_equal(ask(f, rows), "1training,2ready");
  open_anew(f, 0);
  must_train(f, (wish){.source = "SELECT * FROM t", .o.resume = DM_RESUME_IF_SAME}, &r); /* the rows count, not how they are named */
  assert_string_equal(ask(f, rows), "1ready,2ready");
}

static void an_unfinished_training_is_no_model(void **state) {
  fixture *f = *state;
  dm_train_result r;
  dm_error err;
  dm_scorer *scorer;
  dm_model_meta meta, *list;
  size_t n;
  char other[80];
  epoch_test.fail_in = 4;
  assert_int_equal(train(f, (wish){.o.checkpoint = 1}, &r, &err), DM_EINPUT);
  epoch_test.fail_in = 0;
  (void)snprintf(other, sizeof other, "%s-copy", f->path);
  static const char *const references[] = {"m", "m@1"};
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(dm_registry_load(f->store, references[i], f->arena, &scorer, NULL, &err), DM_EUSAGE);
    assert_string_equal(err.message, "model 'm@1' is still in training; --resume goes on with it");
    assert_int_equal(dm_registry_find(f->store, references[i], f->arena, &meta, NULL), DM_EUSAGE);
    assert_int_equal(dm_registry_activate(f->store, references[i], NULL), DM_EUSAGE);
    assert_int_equal(dm_registry_export(f->store, references[i], other, NULL), DM_EUSAGE);
  }
  assert_int_equal(access(other, F_OK), -1);
  assert_int_equal(dm_registry_list(f->store, f->arena, &list, &n, NULL), DM_OK);
  assert_int_equal(n, 1);
  assert_string_equal(list[0].status, DM_STATUS_TRAINING);
  assert_false(list[0].active);
  must_train(f, (wish){0}, &r); /* without resume it is left alone, and said so */
  assert_non_null(strstr(f->notes, "'m@1' is not finished"));
  assert_int_equal(r.meta.version, 2);
  assert_int_equal(dm_registry_drop(f->store, "m@2", NULL, NULL), DM_OK);
  assert_string_equal(ask(f, "SELECT count(*) || '' FROM dm_active"), "0"); /* a training does not become active */
  assert_int_equal(dm_registry_drop(f->store, "m@1", NULL, NULL), DM_OK);
  assert_string_equal(ask(f, "SELECT (SELECT count(*) FROM dm_model) || (SELECT count(*) FROM dm_tensor) || (SELECT count(*) FROM dm_epoch)"), "000");
}

static void a_damaged_checkpoint_is_refused(void **state) {
  fixture *f = *state;
  static const char *const damages[] = {
      "UPDATE dm_tensor SET data = zeroblob(length(data)) WHERE name = 'checkpoint/velocity'",
      "DELETE FROM dm_tensor WHERE name = 'checkpoint/order'",
      "UPDATE dm_model SET transform = '{}'",
      "UPDATE dm_model SET transform = replace(transform, '\"epoch\":3', '\"epoch\":2')",
  };
  dm_train_result r;
  dm_error err;
  for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
    epoch_test.fail_in = 4;
    assert_int_equal(train(f, (wish){.o.checkpoint = 1}, &r, &err), DM_EINPUT);
    epoch_test.fail_in = 0;
    assert_int_equal(dm_store_exec(f->store, NULL, "%s", damages[i]), DM_OK);
    assert_int_equal(train(f, (wish){.o.resume = DM_RESUME_YES}, &r, &err), DM_EINPUT);
    assert_non_null(strstr(err.message, "checkpoint of 'm@"));
    assert_int_equal(dm_registry_drop(f->store, "m", NULL, NULL), DM_OK);
  }
}

static void a_training_that_was_dropped_meanwhile_is_saved_anew(void **state) {
  fixture *f = *state;
  dm_checkpoint *c;
  dm_model_meta meta = {.name = "m", .method = "epochs", .task = "regress", .params_json = "{}", .lib_version = DM_VERSION, .started = "now"};
  assert_int_equal(dm_checkpoint_new(f->ctx, &c, NULL), DM_OK);
  for (int i = 1; i <= 3; i++) {
    dm_model_writer *w = dm_checkpoint_open(c);
    assert_int_equal(w->tensor(w, "x", DM_F64, (size_t[]){1}, 1, &(double){i}, NULL), DM_OK);
    assert_int_equal(dm_checkpoint_close(c, NULL), DM_OK);
    if (i == 3) assert_int_equal(dm_registry_drop(f->store, "m", NULL, NULL), DM_OK);
    assert_int_equal(dm_registry_save_training(f->store, c, "{}", &meta, NULL), DM_OK);
    assert_string_equal(ask(f, "SELECT count(*) || '' FROM dm_tensor"), "1");
    assert_int_equal(meta.version, i < 3 ? 1 : 2);
  }
  assert_non_null(strstr(f->notes, "'m@1' is not there any more"));
  dm_checkpoint_free(c);
}

static void a_database_that_cannot_be_written_costs_checkpoints_only(void **state) {
  fixture *f = *state;
  char hash[DM_SHA256_HEX];
  dm_train_result r;
  dm_error err;
  sqlite3 *reader;
  wish w = {.o.checkpoint = 1};
  unbroken(f, w, hash, NULL, 0);
  assert_int_equal(sqlite3_open(f->path, &reader), SQLITE_OK);
  for (int round = 0; round < 3; round++) {
    w.o.checkpoint = round == 1 ? DM_CHECKPOINT_NEVER : 1;
    if (round == 2) {
      epoch_test.fail_in = 4;
      assert_int_equal(train(f, w, &r, &err), DM_EINPUT);
      epoch_test.fail_in = 0;
      w.o.resume = DM_RESUME_YES;
    }
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM t", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_busy_timeout(f->store->db, 1); /* instead of seconds */
    f->notes[0] = 0;
    assert_int_equal(train(f, w, &r, &err), DM_EIO); /* at the very end: so the model has nowhere to go */
    assert_non_null(strstr(err.message, "locked"));
    assert_int_equal(strstr(f->notes, "no checkpoint of epoch 10: the database is locked") != NULL, round != 1);
    if (round == 1) assert_string_equal(err.hint, "with checkpoints --resume could go on");
    if (round == 2) assert_string_equal(err.hint, "epoch 3 of 'm@1' is kept: the same command with --resume goes on");
    assert_int_equal(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_string_equal(ask(f, rows), round == 2 ? "1training" : "");
  }
  must_train(f, w, &r);
  assert_string_equal(r.meta.sha256, hash);
  assert_int_equal(sqlite3_close(reader), SQLITE_OK);
}

static void a_budget_too_small_for_checkpoints_says_so(void **state) {
  fixture *f = *state;
  dm_train_result r;
  dm_error err;
  size_t said = 0, trained = 0;
  for (size_t kb = 1000; kb < 40000; kb += 100) {
    open_with(f, 0, kb << 10);
    dm_status s = train(f, (wish){.source = "SELECT t.* FROM t, t AS u, t AS v LIMIT 20000", .o.checkpoint = 1}, &r, &err);
    trained += s == DM_OK;
    if (s == DM_OK) break;
    assert_int_equal(s, DM_EBUDGET);
    said += strstr(err.hint, "--checkpoint 0 does without it") != NULL;
  }
  assert_int_equal(trained, 1);
  assert_true(said > 0);
}

/* The pipeline over the database of the test, with what its model's node is given beside. */
static dm_status run_pipeline(fixture *f, const char *more, bool resume, dm_error *err) {
  char path[80];
  dm_run_result r;
  (void)snprintf(path, sizeof path, "%s.yaml", f->path);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  (void)fprintf(file, "database: %s\nmodels:\n  - {method: epochs, source: t, target: y, model: m%s}\n", f->path, more);
  assert_int_equal(fclose(file), 0);
  *err = (dm_error){0};
  dm_status s = dm_pipeline_run(f->ctx, path, resume, f->arena, &r, err);
  (void)unlink(path);
  return s;
}

static void a_pipeline_goes_on_with_its_trainings(void **state) {
  fixture *f = *state;
  char hash[DM_SHA256_HEX];
  dm_error err;
  unbroken(f, (wish){0}, hash, NULL, 0);
  epoch_test.cancel_in = 5;
  assert_int_equal(run_pipeline(f, ", time_limit: 60", false, &err), DM_ECANCEL);
  assert_non_null(strstr(err.hint, "epoch 4 of 'm@1' is kept"));
  assert_true(epoch_test.time_limit == 60);
  open_anew(f, 0);
  assert_int_equal(run_pipeline(f, "", true, &err), DM_OK); /* the limit is nothing that the model depends on */
  assert_non_null(strstr(f->notes, "'m@1' goes on after epoch 4"));
  assert_string_equal(ask(f, "SELECT sha256 FROM dm_model"), hash);
  assert_int_equal(run_pipeline(f, "", true, &err), DM_OK); /* done already */
  assert_string_equal(ask(f, rows), "1ready");
  epoch_test.cancel_in = 5;
  assert_int_equal(run_pipeline(f, ", checkpoint: 2", false, &err), DM_ECANCEL);
  open_anew(f, 0);
  assert_int_equal(run_pipeline(f, ", params: {epochs: 4}", true, &err), DM_OK); /* another training: the old one is left alone */
  assert_non_null(strstr(f->notes, "epochs is 4, the training 'm@2' was begun with 10"));
  assert_string_equal(ask(f, rows), "1ready,2training,3ready");
  static const char *const wrong[] = {", time_limit: 0", ", time_limit: x", ", checkpoint: -1", ", checkpoint: 1.5", ", checkpoint: 1e300"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(run_pipeline(f, wrong[i], false, &err), DM_EINPUT);
    assert_int_equal(err.line, 3);
  }
}

static void options_are_refused_where_they_mean_nothing(void **state) {
  fixture *f = *state;
  dm_train_result r;
  dm_error err;
  const wish wrong[] = {{.method = "tree", .o.time_limit = 5},   {.method = "tree", .o.checkpoint = 5},
                        {.method = "tree", .o.checkpoint = -1},  {.method = "tree", .o.resume = DM_RESUME_YES},
                        {.o.time_limit = -1},                    {.o.time_limit = (double)NAN},
                        {.o.time_limit = (double)INFINITY},      {.o.checkpoint = -2}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(train(f, wrong[i], &r, &err), DM_EUSAGE);
    if (i < 4) assert_non_null(strstr(err.message, "tree does not train by epochs"));
    if (i < 4) assert_non_null(strstr(err.hint, "it is for epochs"));
  }
  dm_store *memory, *file = f->store;
  assert_int_equal(dm_store_open(f->ctx, ":memory:", DM_STORE_CREATE, &memory, NULL), DM_OK);
  assert_int_equal(dm_store_exec(memory, NULL, "CREATE TABLE t AS SELECT 1 AS a, 2.5 AS y UNION SELECT 2, 3"), DM_OK);
  f->store = memory;
  assert_int_equal(train(f, (wish){.o.checkpoint = 1}, &r, &err), DM_EUSAGE);
  assert_non_null(strstr(err.message, "memory"));
  assert_int_equal(train(f, (wish){.o.resume = DM_RESUME_YES}, &r, &err), DM_EUSAGE);
  assert_int_equal(train(f, (wish){.o.time_limit = 5}, &r, &err), DM_OK);
  f->store = file;
  dm_store_close(memory);
}

#define with_database(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_database(figures_are_written_with_the_model),
      with_database(a_broken_training_goes_on_to_the_same_bits),
      with_database(ctrl_c_keeps_the_last_whole_epoch),
      with_database(without_checkpoints_nothing_is_kept),
      with_database(folds_are_not_measured_again),
      with_database(what_is_different_is_named),
      with_database(an_unfinished_training_is_no_model),
      with_database(a_damaged_checkpoint_is_refused),
      with_database(a_training_that_was_dropped_meanwhile_is_saved_anew),
      with_database(a_database_that_cannot_be_written_costs_checkpoints_only),
      with_database(a_budget_too_small_for_checkpoints_says_so),
      with_database(a_pipeline_goes_on_with_its_trainings),
      with_database(options_are_refused_where_they_mean_nothing),
  };
  return cmocka_run_group_tests_name("course", tests, NULL, NULL);
}
