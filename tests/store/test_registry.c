/* registry: versions, active, hash, references, files; forged rows never harm. */
#include "cmocka_all.h"
#include "store/registry.h"
#include "store/store.h"
#include "store_test.h"
#include "toy_learner.h"

typedef struct fixture {
  dm_ctx *ctx;
  dm_arena *arena;
  dm_store *store;
  dm_frame *frame;
} fixture;

static void open_fixture(fixture *f) {
  dm_ctx_options o = {.threads = 1, .learners = toy_methods};
  assert_int_equal(dm_ctx_new(&o, &f->ctx, NULL), DM_OK);
  assert_int_equal(dm_arena_new(f->ctx, 0, &f->arena, NULL), DM_OK);
  f->store = test_open(f->ctx, ":memory:", DM_STORE_CREATE);
  test_exec(f->store, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, a INTEGER, b REAL, c TEXT, y TEXT)");
  test_exec(f->store, "INSERT INTO t VALUES(1, 1, 0.5, 'red', 'no'), (2, 4, NULL, 'green', 'yes'), (3, -7, 2.25, NULL, 'yes'),"
                      " (4, 100, 1e6, 'blue', 'no'), (5, NULL, -3.5, 'red', 'maybe')");
  assert_int_equal(dm_store_frame(f->store, "t", NULL, 0, &f->frame, NULL, NULL), DM_OK);
}

static void close_fixture(fixture *f) {
  dm_frame_free(f->frame);
  dm_store_close(f->store);
  dm_arena_free(f->arena);
  assert_int_equal(dm_ctx_memory(f->ctx), 0);
  dm_ctx_free(f->ctx);
}

static dm_scorer *new_scorer(fixture *f, double bias) {
  dm_scorer *s = NULL;
  assert_int_equal(toy_scorer(f->ctx, f->frame, bias, &s, NULL), DM_OK);
  return s;
}

/* Saves a model of that bias; @return its version. */
static int64_t save(fixture *f, const char *name, double bias, dm_model_meta *out) {
  dm_scorer *s = new_scorer(f, bias);
  dm_model_meta meta = {.name = name, .params_json = "{\"depth\": 3, \"alpha\": 0.10}", .rows = 5, .seed = UINT64_MAX, .seconds = 0.5,
                        .source_sql = "SELECT * FROM t"};
  const dm_model_metric metrics[] = {{"train", "accuracy", 0.75}, {"test", "auc", (double)NAN}, {"test", "accuracy", 0.5}};
  dm_error err = {0};
  if (dm_registry_save(f->store, s, &meta, metrics, 3, f->arena, &err) != DM_OK) fail_msg("%s", err.message);
  dm_scorer_free(s);
  if (out) *out = meta;
  return meta.version;
}

/* Scores of all rows as one text of bits. */
static void score_bits(fixture *f, const dm_scorer *s, uint64_t out[5]) {
  dm_scratch scratch;
  assert_int_equal(dm_scratch_init(&scratch, s, NULL), DM_OK);
  for (size_t r = 0; r < 5; r++) {
    double raw[3], value, score;
    for (size_t c = 0; c < 3; c++) raw[c] = f->frame->columns[c].values[r];
    assert_int_equal(dm_scorer_row(s, raw, &scratch, &value, &score, NULL, NULL), DM_OK);
    memcpy(&out[r], &value, 8);
  }
  dm_scratch_clear(&scratch, s);
}

static void a_model_comes_back_with_the_same_bits(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  dm_model_meta saved, loaded;
  assert_int_equal(save(&f, "m", 1.5, &saved), 1);
  dm_scorer *fresh = new_scorer(&f, 1.5), *s = NULL;
  dm_error err = {0};
  if (dm_registry_load(f.store, "m", f.arena, &s, &loaded, &err) != DM_OK) fail_msg("%s", err.message);
  uint64_t want[5], got[5];
  score_bits(&f, fresh, want);
  score_bits(&f, s, got);
  assert_memory_equal(want, got, sizeof want);
  assert_int_equal(loaded.id, saved.id);
  assert_string_equal(loaded.sha256, saved.sha256);
  assert_string_equal(loaded.method, "toy");
  assert_string_equal(loaded.task, "classify");
  assert_string_equal(loaded.target, "y");
  assert_string_equal(loaded.status, "ready");
  assert_string_equal(loaded.lib_version, DM_VERSION);
  assert_true(loaded.seed == UINT64_MAX && loaded.rows == 5 && loaded.seconds == 0.5 && loaded.active);
  assert_int_equal(strlen(loaded.started), 24);
  assert_null(loaded.source_digest);
  dm_model_metric *metrics;
  size_t n;
  assert_int_equal(dm_registry_metrics(f.store, loaded.id, f.arena, &metrics, &n, NULL), DM_OK);
  assert_int_equal(n, 2); /* the undefined one has no row */
  assert_string_equal(metrics[0].split, "test");
  assert_true(metrics[0].value == 0.5 && metrics[1].value == 0.75);
  dm_scorer_free(fresh);
  dm_scorer_free(s);
  close_fixture(&f);
}

static void the_hash_is_of_the_model_and_not_of_its_name_or_time(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  dm_model_meta a, b, c;
  save(&f, "a", 1.5, &a);
  save(&f, "b", 1.5, &b);
  save(&f, "a", 1.25, &c);
  assert_string_equal(a.sha256, b.sha256);
  assert_string_not_equal(a.sha256, c.sha256);
  dm_scorer *s = NULL;
  /* another spelling of the same JSON is the same model */
  test_exec(f.store, "UPDATE dm_model SET params = '{\"alpha\":0.1,  \"depth\":3}' WHERE name = 'b'");
  assert_int_equal(dm_registry_load(f.store, "b", f.arena, &s, NULL, NULL), DM_OK);
  dm_scorer_free(s);
  close_fixture(&f);
}

static void versions_rise_and_are_never_given_twice(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  dm_model_meta meta;
  size_t dropped = 0;
  for (int v = 1; v <= 3; v++) assert_int_equal(save(&f, "m", v, NULL), v);
  assert_int_equal(dm_registry_find(f.store, "m", f.arena, &meta, NULL), DM_OK);
  assert_int_equal(meta.version, 3);
  assert_int_equal(dm_registry_activate(f.store, "m@2", NULL), DM_OK);
  assert_int_equal(dm_registry_find(f.store, "m", f.arena, &meta, NULL), DM_OK);
  assert_int_equal(meta.version, 2);
  assert_int_equal(dm_registry_find(f.store, "m@3", f.arena, &meta, NULL), DM_OK);
  assert_false(meta.active);
  assert_int_equal(dm_registry_drop(f.store, "m@3", &dropped, NULL), DM_OK);
  assert_int_equal(dropped, 1);
  assert_int_equal(dm_registry_find(f.store, "m", f.arena, &meta, NULL), DM_OK);
  assert_int_equal(meta.version, 2); /* what was active stays */
  assert_int_equal(save(&f, "m", 4, NULL), 4);
  assert_int_equal(dm_registry_drop(f.store, "m@4", &dropped, NULL), DM_OK);
  assert_int_equal(dm_registry_find(f.store, "m", f.arena, &meta, NULL), DM_OK);
  assert_int_equal(meta.version, 2); /* the newest left */
  assert_int_equal(dm_registry_drop(f.store, "m", &dropped, NULL), DM_OK);
  assert_int_equal(dropped, 2);
  assert_int_equal(test_int(f.store, "SELECT (SELECT count(*) FROM dm_model) + (SELECT count(*) FROM dm_tensor)"
                                     " + (SELECT count(*) FROM dm_active) + (SELECT count(*) FROM dm_metric)"), 0);
  assert_int_equal(save(&f, "m", 5, NULL), 5);
  close_fixture(&f);
}

static void references_say_what_is_wrong(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  dm_scorer *s = NULL;
  dm_error err = {0};
  assert_int_equal(dm_registry_load(f.store, "m", f.arena, &s, NULL, &err), DM_EUSAGE);
  assert_non_null(strstr(err.hint, "no models yet"));
  save(&f, "income", 1, NULL);
  save(&f, "income", 2, NULL);
  const struct {
    const char *reference, *message, *hint;
  } bad[] = {
      {"incone", "no such model: 'incone'", "did you mean 'income'?"},
      {"income@7", "model 'income' has no version 7", "its versions: 1, 2"},
      {"income@", "want NAME or NAME@VERSION", ""},
      {"income@0", "want NAME or NAME@VERSION", ""},
      {"income@x", "want NAME or NAME@VERSION", ""},
      {"@1", "want NAME or NAME@VERSION", ""},
      {"", "want NAME or NAME@VERSION", ""},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    err = (dm_error){0};
    assert_int_equal(dm_registry_load(f.store, bad[i].reference, f.arena, &s, NULL, &err), DM_EUSAGE);
    assert_non_null(strstr(err.message, bad[i].message));
    assert_string_equal(err.hint, bad[i].hint);
    assert_int_equal(dm_registry_activate(f.store, bad[i].reference, &err), DM_EUSAGE);
    assert_int_equal(dm_registry_drop(f.store, bad[i].reference, NULL, &err), DM_EUSAGE);
  }
  assert_null(s);
  test_exec(f.store, "DELETE FROM dm_active");
  assert_int_equal(dm_registry_load(f.store, "income", f.arena, &s, NULL, &err), DM_EUSAGE);
  assert_non_null(strstr(err.message, "no active version"));
  assert_int_equal(dm_registry_activate(f.store, "income", &err), DM_OK); /* the newest */
  dm_model_meta *list;
  size_t n;
  assert_int_equal(dm_registry_list(f.store, f.arena, &list, &n, NULL), DM_OK);
  assert_int_equal(n, 2);
  assert_true(!list[0].active && list[1].active && list[1].version == 2);
  close_fixture(&f);
}

static void names_are_checked_and_quoted(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  char longest[130];
  memset(longest, 'x', sizeof longest);
  longest[129] = 0;
  const char *const bad[] = {"", "a@b", "a\nb", "\xFF", longest};
  dm_scorer *s = new_scorer(&f, 1);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    dm_model_meta meta = {.name = bad[i]};
    dm_error err = {0};
    assert_int_equal(dm_registry_save(f.store, s, &meta, NULL, 0, f.arena, &err), DM_EUSAGE);
    assert_non_null(strstr(err.message, "1 to 128 characters"));
  }
  longest[128] = 0;
  assert_int_equal(save(&f, longest, 1, NULL), 1);
  assert_int_equal(save(&f, "it's \"x\"; DROP TABLE dm_model; --", 1, NULL), 1);
  dm_scorer *loaded = NULL;
  assert_int_equal(dm_registry_load(f.store, "it's \"x\"; DROP TABLE dm_model; --", f.arena, &loaded, NULL, NULL), DM_OK);
  dm_scorer_free(loaded);
  dm_model_meta meta = {.name = "m", .params_json = "{not json"};
  dm_error err = {0};
  assert_int_equal(dm_registry_save(f.store, s, &meta, NULL, 0, f.arena, &err), DM_EINPUT);
  dm_scorer_free(s);
  close_fixture(&f);
}

static void saving_joins_an_open_transaction(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  assert_int_equal(dm_store_begin(f.store, NULL), DM_OK);
  assert_int_equal(save(&f, "m", 1, NULL), 1);
  dm_store_rollback(f.store);
  assert_false(test_has_schema(f.store));
  assert_int_equal(save(&f, "m", 1, NULL), 1);
  close_fixture(&f);
}

/* Cuts every blob of the model in three, as a tensor beyond a part's size is. */
static void tensors_are_read_from_their_parts(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  save(&f, "m", 1.5, NULL);
  test_exec(f.store, "INSERT INTO dm_tensor SELECT model_id, name, 1, dtype, shape, substr(data, 6, 7) FROM dm_tensor"
                     " WHERE length(data) > 12");
  test_exec(f.store, "INSERT INTO dm_tensor SELECT model_id, name, 2, dtype, shape, substr(data, 13) FROM dm_tensor"
                     " WHERE length(data) > 12");
  test_exec(f.store, "UPDATE dm_tensor SET data = substr(data, 1, 5) WHERE part = 0 AND length(data) > 12");
  assert_int_equal(test_int(f.store, "SELECT count(*) FROM dm_tensor WHERE part = 2"), 1);
  dm_scorer *s = NULL;
  dm_error err = {0};
  if (dm_registry_load(f.store, "m", f.arena, &s, NULL, &err) != DM_OK) fail_msg("%s", err.message);
  dm_scorer_free(s);
  test_exec(f.store, "UPDATE dm_tensor SET part = 3 WHERE part = 2");
  assert_int_equal(dm_registry_load(f.store, "m", f.arena, &s, NULL, &err), DM_EINPUT);
  assert_string_equal(err.message, "model 'm@1': tensor '0/weight': parts are missing");
  close_fixture(&f);
}

static void a_large_tensor_is_written_in_parts(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  save(&f, "m", 1.5, NULL);
  size_t n = ((size_t)DM_TENSOR_PART + 5);
  char *data = dm_alloc(f.ctx, n, 1, "test", NULL);
  assert_non_null(data);
  data[0] = 'a';
  data[n - 1] = 'z';
  dm_tensor t = {.name = "1/large", .type = DM_U8, .rank = 1, .shape = {n}, .bytes = n, .data = data};
  assert_int_equal(dm_registry_write_tensors(f.store, 1, &t, 1, NULL), DM_OK);
  assert_int_equal(test_int(f.store, "SELECT count(*) = 2 AND max(length(data)) = 67108864 AND min(length(data)) = 5"
                                     " FROM dm_tensor WHERE name = '1/large'"),
                   1);
  dm_free(f.ctx, data);
  close_fixture(&f);
}

static void forged_rows_are_refused_with_their_reason(void **state) {
  (void)state;
  const struct {
    const char *sql, *part;
  } forged[] = {
      {"UPDATE dm_model SET sha256 = replace(sha256, substr(sha256, 1, 1), 'g')", "rows were changed"},
      {"UPDATE dm_model SET sha256 = 'x'", "not a SHA-256"},
      {"UPDATE dm_model SET status = 'done'", "which no dm has written"},
      {"UPDATE dm_model SET task = 'regress'", "rows were changed"},
      {"UPDATE dm_model SET target = NULL", "rows were changed"},
      {"UPDATE dm_model SET method = 'tree'", "rows were changed"},
      {"UPDATE dm_model SET params = '{\"depth\":4}'", "rows were changed"},
      {"UPDATE dm_model SET transform = '{}'", "rows were changed"},
      {"UPDATE dm_model SET inputs = replace(inputs, 'red', 'rad')", "rows were changed"},
      {"DELETE FROM dm_tensor WHERE name = '0/weight'", "rows were changed"},
      {"INSERT INTO dm_tensor VALUES(1, '0/more', 0, 'u8', '[0]', x'')", "rows were changed"},
      {"UPDATE dm_tensor SET data = zeroblob(24) WHERE name = '0/weight'", "rows were changed"},
      {"UPDATE dm_tensor SET name = '0/wait' WHERE name = '0/weight'", "rows were changed"},
      {"UPDATE dm_tensor SET data = zeroblob(25) WHERE name = '0/weight'", "not what its shape says"},
      {"UPDATE dm_tensor SET shape = '[1e3]' WHERE name = '0/weight'", "something else than sizes"},
      {"UPDATE dm_tensor SET shape = '[-3]' WHERE name = '0/weight'", "something else than sizes"},
      {"UPDATE dm_tensor SET shape = '{}' WHERE name = '0/weight'", "not a JSON array"},
      {"UPDATE dm_tensor SET shape = '[4294967296,4294967296,4294967296]' WHERE name = '0/weight'", "too large"},
      {"UPDATE dm_tensor SET shape = '[2305843009213693952]' WHERE name = '0/weight'", "too large"},
      {"UPDATE dm_tensor SET shape = '[1152921504606846976]' WHERE name = '0/weight'", "not what its shape says"},
      {"UPDATE dm_tensor SET shape = '[1,1,1,1,1,1,1,1,3]' WHERE name = '0/weight'", "more than 8 dimensions"},
      {"UPDATE dm_tensor SET dtype = 'f16' WHERE name = '0/weight'", "unknown dtype"},
      {"UPDATE dm_tensor SET part = 1 WHERE name = '0/weight'", "parts are missing"},
      {"UPDATE dm_tensor SET part = -1 WHERE name = '0/weight'", "parts are missing"},
      {"INSERT INTO dm_tensor VALUES(1, '0/weight', 1, 'f32', '[3]', x'')", "different types or shapes"},
      {"INSERT INTO dm_tensor VALUES(1, '', 0, 'u8', '[0]', x'')", "no usable name"},
  };
  for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
    fixture f;
    open_fixture(&f);
    save(&f, "m", 1.5, NULL);
    test_exec(f.store, forged[i].sql);
    dm_scorer *s = NULL;
    dm_error err = {0};
    assert_int_equal(dm_registry_load(f.store, "m", f.arena, &s, NULL, &err), DM_EINPUT);
    if (!strstr(err.message, forged[i].part)) fail_msg("%s: %s", forged[i].sql, err.message);
    assert_ptr_equal(strstr(err.message, "model 'm@1': "), err.message);
    assert_null(s);
    close_fixture(&f);
  }
}

/* Who forges the hash too meets the checks behind it. */
static void rehash(fixture *f) {
  dm_model_rows rows;
  char hash[DM_SHA256_HEX];
  if (dm_model_rows_collect(f->store, 1, f->arena, &rows, hash, NULL) != DM_OK) return;
  if (dm_model_rows_hash(f->arena, f->ctx, &rows, hash, NULL) != DM_OK) return;
  assert_int_equal(dm_store_exec(f->store, NULL, "UPDATE dm_model SET sha256 = %Q WHERE id = 1", hash), DM_OK);
}

static void forged_rows_with_a_right_hash_are_refused_too(void **state) {
  (void)state;
  const struct {
    const char *sql, *part;
  } forged[] = {
      {"UPDATE dm_model SET task = 'regress'", "task 'regress' with 3 classes"},
      {"UPDATE dm_model SET target = 'z'", "target 'z' in dm_model"},
      {"UPDATE dm_model SET method = 'tee'", "no"},
      {"UPDATE dm_model SET transform = '{}'", "no stages"},
      {"UPDATE dm_model SET transform = '[]'", "no stages"},
      {"UPDATE dm_model SET transform = json_set(transform, '$.stages[1]', json('{}'))", "the method of stage 1 is not 'toy'"},
      {"UPDATE dm_model SET transform = json_set(transform, '$.stages[0].method', 'tree')", "is not 'toy'"},
      {"UPDATE dm_model SET transform = json_remove(transform, '$.stages[0].encoder')", "no encoder"},
      {"UPDATE dm_model SET transform = json_set(transform, '$.stages[0].scalars', 7)", "no scalars"},
      {"UPDATE dm_model SET transform = json_remove(transform, '$.stages[0].scalars.bias')", "no bias"},
      {"UPDATE dm_model SET inputs = json_remove(inputs, '$.inputs[2]')", ""},
      {"UPDATE dm_model SET inputs = json_remove(inputs, '$.inputs')", ""},
      {"UPDATE dm_model SET inputs = '7'", ""},
      {"UPDATE dm_tensor SET shape = '[2]', data = zeroblob(16) WHERE name = '0/weight'", "2 weights for 3 columns"},
      {"UPDATE dm_tensor SET data = x'000000000000F07F000000000000F03F000000000000F03F' WHERE name = '0/weight'", "not finite"},
      {"UPDATE dm_tensor SET dtype = 'i64' WHERE name = '0/weight'", "is i64 of rank 1, want f64 of rank 1"},
      {"UPDATE dm_tensor SET shape = '[1,3]' WHERE name = '0/weight'", "f64 of rank 2, want f64 of rank 1"},
      {"DELETE FROM dm_tensor WHERE name = '0/weight'", "tensor '0/weight' is missing"},
  };
  for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
    fixture f;
    open_fixture(&f);
    save(&f, "m", 1.5, NULL);
    test_exec(f.store, forged[i].sql);
    rehash(&f);
    dm_scorer *s = NULL;
    dm_error err = {0};
    assert_int_equal(dm_registry_load(f.store, "m", f.arena, &s, NULL, &err), DM_EINPUT);
    assert_int_equal(err.code, DM_EINPUT);
    if (!strstr(err.message, forged[i].part)) fail_msg("%s: %s", forged[i].sql, err.message);
    assert_null(strstr(err.message, "rows were changed"));
    assert_null(s);
    close_fixture(&f);
  }
}

/* One byte of one cell of the model is changed. */
static void mutate(fixture *f, dm_rng *rng) {
  static const char *const cells[][3] = {
      {"dm_model", "inputs", "TEXT"},    {"dm_model", "transform", "TEXT"}, {"dm_model", "params", "TEXT"}, {"dm_model", "task", "TEXT"},
      {"dm_model", "sha256", "TEXT"},    {"dm_tensor", "data", "BLOB"},     {"dm_tensor", "name", "TEXT"},  {"dm_tensor", "dtype", "TEXT"},
      {"dm_tensor", "shape", "TEXT"},    {"dm_model", "method", "TEXT"},
  };
  const char *const *cell = cells[dm_rng_below(rng, sizeof cells / sizeof *cells)];
  int64_t at = (int64_t)dm_rng_below(rng, 600) + 1, byte = (int64_t)dm_rng_below(rng, 256);
  (void)dm_store_exec(f->store, NULL,
                      "UPDATE OR IGNORE %s SET %s = CAST(substr(CAST(%s AS BLOB), 1, %lld %% max(length(CAST(%s AS BLOB)), 1))"
                      " || x'%02x' ||"
                      " substr(CAST(%s AS BLOB), 2 + %lld %% max(length(CAST(%s AS BLOB)), 1)) AS %s) WHERE rowid = (SELECT rowid FROM %s"
                      " ORDER BY (rowid * %lld) %% 7 LIMIT 1)",
                      cell[0], cell[1], cell[1], (long long)at, cell[1], (unsigned)byte, cell[1], (long long)at, cell[1], cell[2], cell[0],
                      (long long)dm_rng_below(rng, 100) + 1);
}

/*
 * Thousands of changed models, half of them with a hash to match: each is
 * refused, or scores without harm (the same bits where the hash is the old one).
 */
static void mutants_are_refused_or_harmless(void **state) {
  (void)state;
  enum { MUTANTS = 3000 };
  fixture f;
  open_fixture(&f);
  save(&f, "m", 1.5, NULL);
  test_exec(f.store, "PRAGMA ignore_check_constraints = ON");
  dm_scorer *s = new_scorer(&f, 1.5);
  uint64_t want[5], got[5];
  score_bits(&f, s, want);
  dm_scorer_free(s);
  size_t refused = 0, same = 0, other = 0;
  dm_rng rng;
  dm_rng_init(&rng, 11, 1);
  for (int i = 0; i < MUTANTS; i++) {
    bool with_hash = i % 2 == 1;
    dm_arena_reset(f.arena);
    test_exec(f.store, "SAVEPOINT mutant");
    for (uint64_t k = dm_rng_below(&rng, 3) + 1; k; k--) mutate(&f, &rng);
    if (with_hash) rehash(&f);
    dm_error err = {0};
    s = NULL;
    dm_status status = dm_registry_load(f.store, "m", f.arena, &s, NULL, &err);
    if (status == DM_OK) {
      dm_scratch scratch;
      if (s->d == 3) {
        score_bits(&f, s, got);
        if (memcmp(want, got, sizeof want) == 0) same++;
        else {
          other++;
          assert_true(with_hash);
        }
      } else {
        assert_int_equal(dm_scratch_init(&scratch, s, NULL), DM_OK);
        dm_scratch_clear(&scratch, s);
      }
      dm_scorer_free(s);
    } else {
      refused++;
      assert_int_equal(status, DM_EINPUT);
      assert_true(err.message[0] != 0);
      assert_null(s);
    }
    test_exec(f.store, "ROLLBACK TO mutant");
    test_exec(f.store, "RELEASE mutant");
  }
  assert_true(refused > MUTANTS / 4);
  assert_true(same > 0 && other > 0);
  close_fixture(&f);
}

static void tables_that_are_not_plain_are_refused(void **state) {
  (void)state;
  const struct {
    const char *sql[3], *part;
  } forged[] = {
      {{"CREATE TRIGGER x BEFORE INSERT ON dm_tensor BEGIN SELECT 1; END"}, "dm_tensor is a table with triggers"},
      {{"CREATE TEMP TRIGGER x BEFORE INSERT ON main.dm_active BEGIN SELECT 1; END"}, "dm_active is a table with triggers"},
      {{"ALTER TABLE dm_model RENAME TO other", "CREATE VIEW dm_model AS SELECT * FROM other"}, "dm_model is a view"},
      {{"ALTER TABLE dm_model ADD COLUMN x INT AS (abs(-1))"}, "generated columns"},
  };
  for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
    fixture f;
    open_fixture(&f);
    save(&f, "m", 1.5, NULL);
    for (size_t k = 0; k < 3 && forged[i].sql[k]; k++) test_exec(f.store, forged[i].sql[k]);
    dm_scorer *s = NULL;
    dm_error err = {0};
    assert_int_equal(dm_registry_load(f.store, "m", f.arena, &s, NULL, &err), DM_EINPUT);
    if (!strstr(err.message, forged[i].part)) fail_msg("%s: %s", forged[i].sql[0], err.message);
    s = new_scorer(&f, 1);
    dm_model_meta meta = {.name = "m"};
    assert_int_equal(dm_registry_save(f.store, s, &meta, NULL, 0, f.arena, &err), DM_EINPUT);
    dm_scorer_free(s);
    close_fixture(&f);
  }
}

static void models_travel_in_files(void **state) {
  (void)state;
  fixture f, g;
  char path[128];
  open_fixture(&f);
  open_fixture(&g);
  test_path(path, "model.db");
  dm_error err = {0};
  dm_model_meta a, b;
  save(&f, "m", 1, NULL);
  save(&f, "m", 2, &a);
  assert_int_equal(dm_registry_add_epochs(f.store, a.id, &(dm_model_epoch){3, "valid_loss", 0.5}, 1, NULL), DM_OK);
  assert_int_equal(dm_registry_export(f.store, "mm", path, &err), DM_EUSAGE);
  assert_int_equal(access(path, F_OK), -1);
  if (dm_registry_export(f.store, "m@2", path, &err) != DM_OK) fail_msg("%s", err.message);
  if (dm_registry_import(g.store, path, NULL, g.arena, &b, &err) != DM_OK) fail_msg("%s", err.message);
  assert_int_equal(b.version, 2); /* free in the new file: kept */
  assert_string_equal(a.sha256, b.sha256);
  assert_string_equal(a.started, b.started);
  assert_true(b.active);
  assert_int_equal(dm_registry_import(g.store, path, "m", g.arena, &b, &err), DM_OK);
  assert_int_equal(b.version, 3);
  dm_scorer *s = NULL;
  assert_int_equal(dm_registry_load(g.store, "m@2", g.arena, &s, NULL, &err), DM_OK);
  dm_scorer_free(s);
  dm_model_metric *metrics;
  size_t n;
  assert_int_equal(dm_registry_metrics(g.store, b.id, g.arena, &metrics, &n, NULL), DM_OK);
  assert_int_equal(n, 2);
  dm_model_epoch *epochs;
  assert_int_equal(dm_registry_epochs(g.store, b.id, g.arena, &epochs, &n, NULL), DM_OK);
  assert_true(n == 1 && epochs[0].epoch == 3 && epochs[0].value == 0.5);
  save(&f, "other", 3, NULL);
  assert_int_equal(dm_registry_export(f.store, "other", path, &err), DM_OK);
  assert_int_equal(dm_registry_import(g.store, path, NULL, g.arena, &b, &err), DM_EUSAGE);
  assert_non_null(strstr(err.message, "more than one model"));
  dm_store *file = test_open(f.ctx, path, DM_STORE_WRITE);
  test_exec(file, "UPDATE dm_tensor SET data = zeroblob(length(data))");
  dm_store_close(file);
  assert_int_equal(dm_registry_import(g.store, path, "m", g.arena, &b, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "rows were changed"));
  assert_int_equal(dm_registry_import(g.store, "/nowhere.db", NULL, g.arena, &b, &err), DM_EIO);
  close_fixture(&f);
  close_fixture(&g);
}

/* ---- every allocation fails in turn ----------------------------------------------- */

typedef struct faults {
  size_t left; /* allocations until one fails */
} faults;

static void *failing_allocate(void *user, size_t size, size_t alignment) {
  faults *f = user;
  if (f->left == 0) return NULL;
  f->left--;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *block) {
  (void)user;
  free(block);
}

/* Reads a frame, saves a model of it, loads it again. */
static dm_status round_trip(dm_ctx *ctx, dm_store *store, dm_arena *arena, dm_error *err) {
  dm_frame *frame = NULL;
  dm_scorer *s = NULL;
  dm_model_meta meta = {.name = "m"};
  char digest[DM_SHA256_HEX];
  dm_status status = dm_store_frame(store, "t", NULL, 0, &frame, digest, err);
  if (status == DM_OK) status = toy_scorer(ctx, frame, 1, &s, err);
  if (status == DM_OK) status = dm_registry_save(store, s, &meta, NULL, 0, arena, err);
  dm_scorer_free(s);
  s = NULL;
  if (status == DM_OK) status = dm_registry_load(store, "m", arena, &s, &meta, err);
  dm_scorer_free(s);
  dm_frame_free(frame);
  return status;
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state) {
  (void)state;
  faults f = {.left = SIZE_MAX};
  dm_ctx_options o = {.threads = 1, .learners = toy_methods, .allocate = failing_allocate, .release = release, .user = &f};
  dm_ctx *ctx;
  dm_arena *arena;
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, a INTEGER, c TEXT, y TEXT)");
  test_exec(store, "INSERT INTO t VALUES(1, 1, 'red', 'no'), (2, 4, 'green', 'yes'), (3, NULL, 'red', 'no')");
  dm_status status = DM_EBUDGET;
  size_t n = 0;
  for (; status != DM_OK; n++) {
    size_t held = dm_ctx_memory(ctx);
    dm_error err = {0};
    f.left = SIZE_MAX;
    assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
    f.left = n;
    status = round_trip(ctx, store, arena, &err);
    f.left = SIZE_MAX;
    dm_arena_free(arena);
    if (status != DM_OK) {
      assert_int_equal(status, DM_EBUDGET);
      assert_int_equal(err.code, DM_EBUDGET);
      assert_true(err.message[0] != 0);
    }
    assert_int_equal(dm_ctx_memory(ctx), held);
  }
  assert_true(n > 50);
  assert_int_equal(test_int(store, "SELECT count(*) FROM dm_model"), test_int(store, "SELECT count(DISTINCT model_id) FROM dm_tensor"));
  dm_store_close(store);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_model_comes_back_with_the_same_bits),
      cmocka_unit_test(the_hash_is_of_the_model_and_not_of_its_name_or_time),
      cmocka_unit_test(versions_rise_and_are_never_given_twice),
      cmocka_unit_test(references_say_what_is_wrong),
      cmocka_unit_test(names_are_checked_and_quoted),
      cmocka_unit_test(saving_joins_an_open_transaction),
      cmocka_unit_test(tensors_are_read_from_their_parts),
      cmocka_unit_test(a_large_tensor_is_written_in_parts),
      cmocka_unit_test(forged_rows_are_refused_with_their_reason),
      cmocka_unit_test(forged_rows_with_a_right_hash_are_refused_too),
      cmocka_unit_test(mutants_are_refused_or_harmless),
      cmocka_unit_test(tables_that_are_not_plain_are_refused),
      cmocka_unit_test(models_travel_in_files),
      cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_leaks),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
