/* nn: the training loop: order of the rows, validation, NaN guard, time, checkpoints that give the same bits. */
#include "cmocka_all.h"
#include "nn/shelf.h"
#include "nn/train.h"

#include <stdlib.h>

enum { ROWS = 130, VALID = 30, WIDTH = 4, CLASSES = 3, FIGURES = 4096 };

/* ---- a small problem ---------------------------------------------------------------- */

typedef struct figure {
  uint64_t epoch;
  char name[16];
  double value;
} figure;

/* Rows with classes by two of their numbers, a net for them, and what is heard while it trains. */
typedef struct world {
  dm_ctx *ctx;
  nn_graph *graph;
  nn_run *run;
  nn_feed feed;
  nn_head head;
  nn_train_options options;
  dm_training_hooks hooks;
  float x[ROWS + VALID][WIDTH], y[ROWS + VALID];
  size_t train[ROWS], valid[VALID];
  /* what happened */
  size_t fed[64 * ROWS], n_fed;   /* rows in the order in which training took them */
  size_t batches[4096], n_batches; /* rows of each step */
  figure figures[FIGURES];
  size_t n_figures;
  /* what shall happen */
  uint64_t spoil_from, spoil_to;  /* calls of the loss that give NaN */
  uint64_t calls;
  uint64_t cancel_after;          /* epoch */
  uint64_t save_every;
  shelf saved;
} world;

static double uniform(uint64_t i) { return (double)((i + 1) * 2654435761u % 4294967296u >> 8) / 16777216; }

static void feed_rows(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  world *w = (world *)(uintptr_t)user;
  (void)rng;
  for (size_t i = 0; i < n; i++) memcpy(out + i * WIDTH, w->x[rows[i]], sizeof w->x[0]);
  if (!training || dm_ctx_threads(w->ctx) > 1) return;
  for (size_t i = 0; i < n && w->n_fed < 64 * ROWS; i++) w->fed[w->n_fed++] = rows[i];
}

static double loss_rows(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  world *w = (world *)(uintptr_t)user;
  float y[ROWS + VALID];
  for (size_t i = 0; i < n; i++) y[i] = w->y[rows[i]];
  *weight = (double)n;
  double loss = dm_loss_rows(dm_loss_find("softmax", NULL), 0, n, CLASSES, out, CLASSES, y, NULL, scale, g_out, CLASSES);
  uint64_t call = __atomic_fetch_add(&w->calls, 1, __ATOMIC_RELAXED);
  return call >= w->spoil_from && call < w->spoil_to ? (double)NAN : loss;
}

static dm_status heard(void *user, uint64_t epoch, const char *name, double value, dm_error *err) {
  world *w = user;
  assert_true(w->n_figures < FIGURES);
  figure *f = &w->figures[w->n_figures++];
  *f = (figure){.epoch = epoch, .value = value};
  (void)snprintf(f->name, sizeof f->name, "%s", name);
  (void)err;
  return DM_OK;
}

static bool is_due(void *user, uint64_t epoch) {
  const world *w = user;
  return w->save_every && epoch % w->save_every == 0;
}

static dm_status open_checkpoint(void *user, uint64_t epoch, dm_model_writer **out, dm_error *err) {
  world *w = user;
  (void)epoch, (void)err;
  shelf_clear(&w->saved);
  shelf_open(&w->saved, w->ctx);
  *out = &w->saved.writer;
  return DM_OK;
}

static dm_status close_checkpoint(void *user, bool ok, dm_error *err) {
  world *w = user;
  assert_true(ok);
  shelf_close(&w->saved, WIDTH, CLASSES, NULL);
  uint64_t epoch = (uint64_t)dm_json_get_int(w->saved.doc, "epoch", 0);
  return w->cancel_after && epoch >= w->cancel_after ? dm_fail(err, DM_ECANCEL, "interrupted") : DM_OK;
}

static size_t add(world *w, const nn_op *op, size_t from, nn_attributes a) {
  size_t node;
  dm_error err = {0};
  if (nn_graph_add(w->graph, op, &from, 1, &a, 0, &node, &err) != DM_OK) fail_msg("%s", err.message);
  return node;
}

/* Copies its input, counts steps as a running figure, and gathers a sum as normalisation by batches does. */
static dm_status count_shape(const nn_graph *g, nn_node *node, dm_error *err) {
  (void)err;
  node->shape = g->nodes[node->in[0]].shape;
  node->size = g->nodes[node->in[0]].size;
  node->n_state = node->partial = 1;
  return DM_OK;
}
static void count_gather(const nn_graph *g, const nn_node *node, const nn_call *call) { (void)g, (void)node, call->partial[0] = (double)call->n; }
static void count_forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  memcpy(call->out, call->in[0], call->n * node->size * sizeof(dm_real));
}
static void count_backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  if (call->g_in[0]) memcpy(call->g_in[0], call->g_out, call->n * node->size * sizeof(dm_real));
}
static void count_settle(const nn_graph *g, const nn_node *node, const nn_call *call) { (void)g, (void)node, call->state[0] += 1; }
static const nn_op op_count = {.name = "count", .shape = count_shape, .gather = count_gather, .forward = count_forward,
                               .gather_back = count_gather, .backward = count_backward, .settle = count_settle};

static world *world_new(unsigned threads, bool counts) {
  world *w = calloc(1, sizeof *w);
  assert_non_null(w);
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = threads, .seed = 3}, &w->ctx, NULL), DM_OK);
  for (size_t i = 0; i < ROWS + VALID; i++) {
    for (size_t j = 0; j < WIDTH; j++) w->x[i][j] = (float)(4 * uniform(i * WIDTH + j) - 2);
    w->y[i] = w->x[i][0] * w->x[i][1] > 0 ? 0 : w->x[i][0] > 0 ? 1 : 2;
    if (i % 17 == 0) w->y[i] = (float)(i % 3);
    if (i < ROWS) w->train[i] = i;
    else w->valid[i - ROWS] = i;
  }
  assert_int_equal(nn_graph_new(w->ctx, WIDTH, &w->graph, NULL), DM_OK);
  size_t node = add(w, &nn_op_dense, 0, (nn_attributes){.units = 16, .activation = DM_ACT_TANH});
  if (counts) node = add(w, &op_count, node, (nn_attributes){0});
  node = add(w, &nn_op_dense, node, (nn_attributes){.units = CLASSES});
  assert_int_equal(nn_run_new(w->ctx, w->graph, node, ROWS, 0, &w->run, NULL), DM_OK);
  w->feed = (nn_feed){w, feed_rows};
  w->head = (nn_head){w, loss_rows};
  w->hooks = (dm_training_hooks){.user = w, .epoch = heard, .is_due = is_due, .checkpoint = open_checkpoint, .close = close_checkpoint};
  w->options = (nn_train_options){.name = "net", .epochs = 12, .batch = 32, .schedule = DM_SCHEDULE_CONSTANT, .patience = 100};
  assert_int_equal(dm_optimizer_defaults("adamw", &w->options.optimizer, NULL), DM_OK);
  w->options.optimizer.lr = 0.02;
  return w;
}

static void world_free(world *w) {
  shelf_clear(&w->saved);
  nn_run_free(w->run);
  nn_graph_free(w->graph);
  dm_ctx_free(w->ctx);
  free(w);
}

static dm_status train_status(world *w, size_t n_train, size_t n_valid, nn_train_result *out, dm_error *err) {
  return nn_train(w->run, &w->feed, &w->head, w->train, n_train, w->valid, n_valid, &w->options, &w->hooks, out, err);
}

static nn_train_result train(world *w, size_t n_train, size_t n_valid) {
  nn_train_result r = {0};
  dm_error err = {0};
  if (train_status(w, n_train, n_valid, &r, &err) != DM_OK) fail_msg("%s", err.message);
  return r;
}

static double figure_of(const world *w, uint64_t epoch, const char *name) {
  for (size_t i = 0; i < w->n_figures; i++)
    if (w->figures[i].epoch == epoch && strcmp(w->figures[i].name, name) == 0) return w->figures[i].value;
  return (double)NAN;
}

static double valid_loss(world *w) {
  double loss, weight;
  assert_int_equal(nn_run_loss(w->run, &w->feed, &w->head, w->valid, VALID, &loss, &weight, NULL), DM_OK);
  return loss / weight;
}

/* ---- epochs ------------------------------------------------------------------------------ */

static void every_epoch_takes_all_rows_in_an_order_of_its_own(void **state) {
  (void)state;
  world *w = world_new(1, false);
  nn_train_result r = train(w, ROWS, VALID);
  assert_int_equal(r.epochs, 12);
  assert_int_equal(r.steps, 12 * 5); /* four batches of 32, and one of 2 */
  assert_int_equal(w->n_fed, 12 * ROWS);
  for (size_t e = 0; e < 12; e++) {
    unsigned char seen[ROWS] = {0};
    for (size_t i = 0; i < ROWS; i++) assert_int_equal(seen[w->fed[e * ROWS + i]]++, 0);
    assert_true(memcmp(w->fed + e * ROWS, w->fed + (e ? e - 1 : 1) * ROWS, ROWS * sizeof *w->fed) != 0);
  }
  assert_true(figure_of(w, 12, "train_loss") < figure_of(w, 1, "train_loss") / 1.5);
  assert_near(figure_of(w, 7, "lr"), 0.02, 0);
  assert_string_equal(r.stopped, "epochs");
  world_free(w);
}

static void a_last_batch_of_one_row_joins_the_one_before_where_batches_are_summed(void **state) {
  (void)state;
  for (int counts = 0; counts < 2; counts++) {
    world *w = world_new(1, counts);
    w->options.epochs = 3;
    w->options.batch = 43;
    nn_train_result r = train(w, 87, 0); /* 2 x 43 + 1 */
    assert_int_equal(r.steps, counts ? 3 * 2 : 3 * 3);
    assert_int_equal(w->n_fed, 3 * 87);
    world_free(w);
  }
}

static void the_best_weights_and_running_figures_stay(void **state) {
  (void)state;
  world *w = world_new(1, true);
  w->options.epochs = 60;
  w->options.patience = 5;
  w->options.optimizer.lr = 0.3; /* so large that it wanders */
  nn_train_result r = train(w, ROWS, VALID);
  assert_string_equal(r.stopped, "patience");
  assert_int_equal(r.epochs, r.best_epoch + 6);
  assert_near(r.valid_loss, figure_of(w, r.best_epoch, "valid_loss"), 0);
  assert_near(r.train_loss, figure_of(w, r.best_epoch, "train_loss"), 0);
  assert_near(valid_loss(w), r.valid_loss, 0);
  assert_near((double)w->run->state[0], (double)(5 * r.best_epoch), 0); /* steps up to the best epoch */
  for (uint64_t e = 1; e <= r.epochs; e++) assert_true(figure_of(w, e, "valid_loss") >= r.valid_loss);
  world_free(w);
}

static void without_validation_the_last_weights_stay(void **state) {
  (void)state;
  world *w = world_new(1, true);
  w->options.patience = 1;
  nn_train_result r = train(w, ROWS, 0);
  assert_int_equal(r.epochs, 12);
  assert_int_equal(r.best_epoch, 12);
  assert_true(isnan(r.valid_loss));
  assert_true(isnan(figure_of(w, 1, "valid_loss")));
  assert_near((double)w->run->state[0], 60, 0);
  world_free(w);
}

static void rates_follow_the_schedule(void **state) {
  (void)state;
  world *w = world_new(1, false);
  w->options.schedule = DM_SCHEDULE_COSINE;
  w->options.warmup = 0.25; /* 15 of 60 steps */
  (void)train(w, ROWS, VALID);
  assert_near(figure_of(w, 1, "lr"), 0.02 * 5 / 15, 1e-15); /* of its last step */
  assert_near(figure_of(w, 3, "lr"), 0.02, 1e-15);
  assert_near(figure_of(w, 12, "lr"), 0.01 * (1 + cos(acos(-1) * 44 / 45)), 1e-15);
  world_free(w);
  w = world_new(1, false);
  w->options.schedule = DM_SCHEDULE_EXPONENTIAL;
  (void)train(w, ROWS, VALID);
  assert_near(figure_of(w, 12, "lr"), 0.02 * pow(0.01, 59.0 / 60), 1e-12);
  world_free(w);
  w = world_new(1, false);
  w->options.schedule = DM_SCHEDULE_PLATEAU;
  w->options.patience = 3;
  w->options.optimizer.lr = 0.5;
  w->options.epochs = 40;
  nn_train_result r = train(w, ROWS, VALID);
  assert_true(figure_of(w, r.epochs, "lr") < 0.5);
  world_free(w);
}

static void clipping_changes_the_path(void **state) {
  (void)state;
  world *a = world_new(1, false), *b = world_new(1, false);
  b->options.clip = 0.05;
  (void)train(a, ROWS, 0);
  (void)train(b, ROWS, 0);
  assert_true(memcmp(a->run->w, b->run->w, a->graph->n_w * sizeof(dm_real)) != 0);
  world_free(a);
  world_free(b);
}

/* ---- what goes wrong --------------------------------------------------------------------------- */

static void a_loss_that_is_not_finite_undoes_the_epoch(void **state) {
  (void)state;
  world *w = world_new(1, true);
  w->options.batch = 26; /* 5 steps an epoch, 2 slots each, as many for validation */
  assert_true(nn_run_slots(26) == 2 && nn_run_slots(VALID) == 2);
  w->spoil_from = 10 + 2 + 4, w->spoil_to = 10 + 2 + 8; /* twice in epoch 2 */
  nn_train_result r = train(w, ROWS, VALID);
  assert_int_equal(r.rollbacks, 2);
  assert_int_equal(r.epochs, 12);
  assert_int_equal(r.steps, 60);
  assert_near(figure_of(w, 1, "lr"), 0.02, 0);
  assert_near(figure_of(w, 2, "lr"), 0.005, 0);
  assert_near((double)w->run->state[0], (double)(5 * r.best_epoch), 0); /* undone steps are not in the running figures */
  world_free(w);
}

static void a_loss_that_stays_not_finite_is_an_error(void **state) {
  (void)state;
  world *w = world_new(1, false);
  nn_train_result r;
  dm_error err = {0};
  w->spoil_from = 0, w->spoil_to = UINT64_MAX;
  assert_int_equal(train_status(w, ROWS, VALID, &r, &err), DM_EINPUT);
  assert_string_equal(err.message, "net: in epoch 1 the loss or a weight is not finite, for the 6th time, now at a learning rate of about 0.00063");
  assert_non_null(strstr(err.hint, "--lr"));
  world_free(w);
}

static void a_rate_that_is_huge_is_halved_until_weights_stay_finite(void **state) {
  (void)state;
  world *w = world_new(1, false);
  nn_train_result r;
  dm_error err = {0};
  assert_int_equal(dm_optimizer_defaults("sgd", &w->options.optimizer, NULL), DM_OK);
  w->options.optimizer.lr = 3e38;
  dm_status s = train_status(w, ROWS, VALID, &r, &err);
  if (s == DM_OK) assert_true(r.rollbacks > 0 && isfinite(r.valid_loss));
  else assert_int_equal(s, DM_EINPUT);
  world_free(w);
}

static void options_are_checked(void **state) {
  (void)state;
  world *w = world_new(1, false);
  nn_train_result r;
  dm_error err = {0};
  w->options.batch = 200;
  assert_int_equal(train_status(w, ROWS, VALID, &r, &err), DM_EUSAGE);
  assert_string_equal(err.message, "net: batch-size = 200, want at most the 130 rows to learn from");
  assert_string_equal(err.hint, "30 rows are set aside for validation");
  w->options.batch = 0;
  assert_int_equal(train_status(w, ROWS, VALID, &r, &err), DM_EUSAGE);
  w->options.batch = 32;
  w->options.optimizer.lr = 0;
  assert_int_equal(train_status(w, ROWS, VALID, &r, &err), DM_EUSAGE);
  assert_string_equal(err.message, "net: lr = 0, want a number > 0");
  w->options.optimizer.lr = -1;
  assert_int_equal(train_status(w, ROWS, VALID, &r, &err), DM_EUSAGE);
  w->options.optimizer.lr = 0.1;
  w->options.warmup = 1;
  assert_int_equal(train_status(w, ROWS, VALID, &r, &err), DM_EUSAGE);
  w->options.warmup = 0;
  w->options.clip = -1;
  assert_int_equal(train_status(w, ROWS, VALID, &r, &err), DM_EUSAGE);
  w->options.clip = 0;
  w->options.epochs = 0;
  assert_int_equal(train_status(w, ROWS, VALID, &r, &err), DM_EUSAGE);
  world_free(w);
}

static void cancel_ends_training(void **state) {
  (void)state;
  world *w = world_new(1, false);
  nn_train_result r;
  dm_error err = {0};
  dm_ctx_cancel(w->ctx);
  assert_int_equal(train_status(w, ROWS, VALID, &r, &err), DM_ECANCEL);
  world_free(w);
}

static void time_ends_training_with_what_there_is(void **state) {
  (void)state;
  world *w = world_new(1, false);
  w->options.epochs = 1000000;
  w->hooks.time_limit = 1e-9;
  nn_train_result r = train(w, ROWS, VALID); /* not even one epoch: its first batch counts */
  assert_string_equal(r.stopped, "time");
  assert_int_equal(r.epochs, 1);
  assert_int_equal(r.steps, 1);
  assert_near(valid_loss(w), r.valid_loss, 0);
  assert_null(w->saved.ctx); /* a part of an epoch is no checkpoint */
  world_free(w);
  w = world_new(1, false);
  w->options.epochs = 1000000;
  w->options.patience = 0;
  w->hooks.epoch = NULL;
  w->hooks.time_limit = 0.05;
  r = train(w, ROWS, VALID);
  assert_string_equal(r.stopped, "time");
  assert_int_equal(r.steps, 5 * r.epochs);
  assert_near(valid_loss(w), r.valid_loss, 0);
  assert_int_equal(dm_json_get_int(w->saved.doc, "epoch", 0), r.epochs); /* where a later run goes on */
  world_free(w);
}

/* ---- checkpoints -------------------------------------------------------------------------------- */

typedef struct variant {
  const char *method;
  dm_schedule_kind schedule;
  size_t n_valid;
  uint64_t spoil_from, spoil_to;
} variant;

static world *variant_new(const variant *v, unsigned threads) {
  world *w = world_new(threads, true);
  assert_int_equal(dm_optimizer_defaults(v->method, &w->options.optimizer, NULL), DM_OK);
  w->options.optimizer.lr = 0.05;
  w->options.schedule = v->schedule;
  w->options.warmup = v->schedule == DM_SCHEDULE_COSINE ? 0.1 : 0;
  w->options.patience = 8;
  w->options.epochs = 20;
  w->options.batch = 65;
  w->spoil_from = v->spoil_from, w->spoil_to = v->spoil_to;
  return w;
}

static void a_training_that_was_broken_off_has_the_same_bits(void **state) {
  (void)state;
  static const variant variants[] = {{"adamw", DM_SCHEDULE_COSINE, VALID, 0, 0},  {"momentum", DM_SCHEDULE_PLATEAU, VALID, 0, 0},
                                     {"rmsprop", DM_SCHEDULE_CONSTANT, 0, 0, 0},  {"sgd", DM_SCHEDULE_PLATEAU, 0, 0, 0},
                                     {"adam", DM_SCHEDULE_EXPONENTIAL, VALID, 3, 5}};
  for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
    world *whole = variant_new(&variants[v], 1);
    nn_train_result want = train(whole, ROWS, variants[v].n_valid), got;
    for (unsigned threads = 1; threads <= 2; threads++)
      for (uint64_t stop = 1; stop <= want.epochs; stop += 4) {
        world *first = variant_new(&variants[v], threads), *second = variant_new(&variants[v], 3 - threads);
        first->save_every = 1;
        first->cancel_after = stop;
        assert_int_equal(train_status(first, ROWS, variants[v].n_valid, &got, NULL), DM_ECANCEL);
        second->hooks.resume = &first->saved.reader;
        second->spoil_to = 0; /* the bad moment lies before the break */
        got = train(second, ROWS, variants[v].n_valid);
        assert_memory_equal(second->run->w, whole->run->w, whole->graph->n_w * sizeof(dm_real));
        assert_memory_equal(second->run->state, whole->run->state, whole->graph->n_state * sizeof(dm_real));
        assert_int_equal(got.epochs, want.epochs);
        assert_int_equal(got.best_epoch, want.best_epoch);
        assert_int_equal(got.steps, want.steps);
        assert_int_equal(got.rollbacks, want.rollbacks);
        assert_string_equal(got.stopped, want.stopped);
        assert_near(got.train_loss, want.train_loss, 0);
        if (variants[v].n_valid) assert_near(got.valid_loss, want.valid_loss, 0);
        for (uint64_t e = stop + 1; e <= want.epochs; e++) assert_near(figure_of(second, e, "train_loss"), figure_of(whole, e, "train_loss"), 0);
        world_free(first);
        world_free(second);
      }
    world_free(whole);
  }
}

static void checkpoints_are_written_when_they_are_due(void **state) {
  (void)state;
  world *w = world_new(1, false);
  w->save_every = 5;
  (void)train(w, ROWS, VALID);
  assert_int_equal(dm_json_get_int(w->saved.doc, "epoch", 0), 10);
  world_free(w);
}

static void refuses(world *w, const shelf *s, const char *message) {
  nn_train_result r;
  dm_error err = {0};
  w->hooks.resume = &s->reader;
  assert_int_equal(train_status(w, ROWS, VALID, &r, &err), DM_EINPUT);
  if (!strstr(err.message, message)) fail_msg("'%s' is not in '%s'", message, err.message);
}

static void damaged_checkpoints_are_refused(void **state) {
  (void)state;
  world *w = world_new(1, true), *other = world_new(1, true);
  w->save_every = 5;
  (void)train(w, ROWS, VALID);
  static const char *const tensors[] = {"weights", "state", "optimizer", "best"};
  for (size_t i = 0; i < 4; i++) {
    shelf_tensor *t = shelf_find(&w->saved, tensors[i]);
    float kept = *(float *)t->data;
    *(float *)t->data = (float)NAN;
    refuses(other, &w->saved, "finite");
    *(float *)t->data = kept;
    t->shape[0]--;
    refuses(other, &w->saved, "numbers, want");
    t->shape[0]++;
    t->name[0] = '?';
    refuses(other, &w->saved, "is not there");
    t->name[0] = tensors[i][0];
  }
  static const struct {
    const char *from, *to, *message;
  } forgeries[] = {{"\"epoch\":10", "\"epoch\":99", "its epoch"},      {"\"epoch\":10", "\"epoch\":0", "its epoch"},
                   {"\"steps\":50", "\"steps\":49", "its steps"},      {"\"factor\":1.0", "\"factor\":0.0", "its factor"},
                   {"\"rollbacks\":0", "\"rollbacks\":7", "its rollbacks"}, {"\"best_epoch\":", "\"best_epoch\":99", "early stopping"},
                   {"\"best_loss\":", "\"bist_loss\":", "its best epoch"}, {"\"rows\":130", "\"rows\":131", "of another training: rows 131, now 130"},
                   {"\"train_loss\":", "\"treen_loss\":", "its loss"}};
  for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
    const char *at = strstr(w->saved.text.p, forgeries[i].from);
    assert_non_null(at);
    char forged[4096];
    int n = snprintf(forged, sizeof forged, "%.*s%s%s", (int)(at - w->saved.text.p), w->saved.text.p, forgeries[i].to, at + strlen(forgeries[i].from));
    assert_true(n > 0 && (size_t)n < sizeof forged);
    const dm_json *kept = w->saved.doc;
    shelf_scalars(&w->saved, forged);
    refuses(other, &w->saved, forgeries[i].message);
    w->saved.doc = w->saved.reader.json = kept;
  }
  other->options.batch = 16;
  refuses(other, &w->saved, "of another training: batch size 32, now 16");
  world_free(w);
  world_free(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_epoch_takes_all_rows_in_an_order_of_its_own),
      cmocka_unit_test(a_last_batch_of_one_row_joins_the_one_before_where_batches_are_summed),
      cmocka_unit_test(the_best_weights_and_running_figures_stay),
      cmocka_unit_test(without_validation_the_last_weights_stay),
      cmocka_unit_test(rates_follow_the_schedule),
      cmocka_unit_test(clipping_changes_the_path),
      cmocka_unit_test(a_loss_that_is_not_finite_undoes_the_epoch),
      cmocka_unit_test(a_loss_that_stays_not_finite_is_an_error),
      cmocka_unit_test(a_rate_that_is_huge_is_halved_until_weights_stay_finite),
      cmocka_unit_test(options_are_checked),
      cmocka_unit_test(cancel_ends_training),
      cmocka_unit_test(time_ends_training_with_what_there_is),
      cmocka_unit_test(a_training_that_was_broken_off_has_the_same_bits),
      cmocka_unit_test(checkpoints_are_written_when_they_are_due),
      cmocka_unit_test(damaged_checkpoints_are_refused),
  };
  return cmocka_run_group_tests_name("train", tests, NULL, NULL);
}
