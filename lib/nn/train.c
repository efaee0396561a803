/*
 * The training loop of every net.
 *
 *   epoch    order of the rows: a permutation by seed and epoch
 *     batch    forward, loss, backward (run.h) -> clip -> learning rate of this step -> optimizer
 *   after it   validation loss -> best weights kept -> figures told -> checkpoint
 *
 * A loss, gradient or weight that is not finite undoes the epoch: it is run
 * again from where the last one ended, with half the learning rate.
 */
#include "core/team.h"
#include "matrix/blas.h"
#include "nn/train_state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Why an epoch ended. */
typedef enum ending { EPOCH_WHOLE, EPOCH_CUT, EPOCH_NOT_FINITE } ending;

/* ---- an epoch ----------------------------------------------------------------- */

static void shuffle(nn_training *t) {
  dm_rng rng;
  dm_rng_init(&rng, dm_ctx_seed(t->ctx), DM_STREAM_NET_ORDER | t->epoch << 16);
  memcpy(t->rows, t->train, t->n_train * sizeof *t->rows);
  dm_rng_shuffle(&rng, t->rows, t->n_train);
}

static void show(const nn_training *t, size_t done, double loss) {
  char what[128];
  int n = snprintf(what, sizeof what, "%s: epoch %llu/%zu, loss %.4g", t->options->name, (unsigned long long)t->epoch + 1, t->options->epochs, loss);
  if (t->best && t->epoch && n > 0 && (size_t)n < sizeof what) (void)snprintf(what + n, sizeof what - (size_t)n, ", validation %.4g", t->valid_loss);
  dm_progress(t->ctx, what, (double)t->epoch * (double)t->n_train + (double)done, (double)t->options->epochs * (double)t->n_train, "rows");
}

static bool is_out_of_time(const nn_training *t) { return t->hooks->time_limit > 0 && dm_seconds() - t->started >= t->hooks->time_limit; }

static double rate_of(const nn_training *t, uint64_t step) { return dm_schedule_rate(&t->schedule, step) * t->factor; }

/* One step on n rows. @param sum loss and weight are added */
static dm_status step(nn_training *t, const size_t *rows, size_t n, uint64_t number, double *sum, double *weight, bool *finite, dm_error *err) {
  double loss, of;
  dm_status s = nn_run_step(t->r, t->feed, t->head, rows, n, number, &loss, &of, err);
  if (s != DM_OK) return s;
  *sum += loss;
  *weight += of;
  if (!(*finite = isfinite(loss) != 0)) return DM_OK;
  if (t->options->clip > 0) (void)dm_clip_norm(t->r->g, t->r->graph->n_w, t->options->clip);
  s = dm_optimizer_set_lr(t->optimizer, rate_of(t, number), err);
  if (s != DM_OK) return s;
  *finite = dm_optimizer_step(t->optimizer, t->r->w, t->r->g, NULL) == DM_OK; /* it refuses what is not finite, nothing else */
  return DM_OK;
}

static dm_status run_batches(nn_training *t, ending *how, dm_error *err) {
  double sum = 0, weight = 0;
  size_t at = 0;
  bool finite = true;
  *how = EPOCH_WHOLE;
  shuffle(t);
  for (size_t b = 0; b < t->batches; b++) {
    size_t n = t->n_train - at < t->options->batch || b + 1 == t->batches ? t->n_train - at : t->options->batch;
    dm_status s = step(t, t->rows + at, n, t->epoch * t->batches + b, &sum, &weight, &finite, err);
    if (s != DM_OK) return s;
    if (!finite) {
      *how = EPOCH_NOT_FINITE;
      return DM_OK;
    }
    at += n;
    show(t, at, sum / weight);
    if (b + 1 == t->batches || !is_out_of_time(t)) continue;
    *how = EPOCH_CUT;
    break;
  }
  t->train_loss = sum / weight;
  return DM_OK;
}

/* Batches and validation. */
static dm_status run_epoch(nn_training *t, ending *how, dm_error *err) {
  dm_status s = run_batches(t, how, err);
  if (s != DM_OK || *how == EPOCH_NOT_FINITE || (*how == EPOCH_CUT && t->epoch) || !t->n_valid) return s;
  double loss, weight;
  s = nn_run_loss(t->r, t->feed, t->head, t->valid, t->n_valid, &loss, &weight, err);
  if (s != DM_OK) return s;
  t->valid_loss = loss / weight;
  if (!isfinite(t->valid_loss)) *how = EPOCH_NOT_FINITE;
  return DM_OK;
}

/* ---- between epochs -------------------------------------------------------------- */

static dm_status roll_back(nn_training *t, dm_error *err) {
  double rate = rate_of(t, t->epoch * t->batches);
  if (t->rollbacks == NN_ROLLBACKS_MAX) {
    (void)dm_fail(err, DM_EINPUT, "%s: in epoch %llu the loss or a weight is not finite, for the %uth time, now at a learning rate of about %.2g",
                  t->options->name, (unsigned long long)t->epoch + 1, NN_ROLLBACKS_MAX + 1, rate);
    dm_error_hint(err, "a smaller --lr, --clip 1, or inputs that are scaled keep it finite");
    return DM_EINPUT;
  }
  t->rollbacks++;
  t->factor /= 2;
  dm_log(t->ctx, DM_LOG_NOTICE, "%s: the loss or a weight of epoch %llu is not finite: again with half the learning rate", t->options->name,
         (unsigned long long)t->epoch + 1);
  return nn_training_go_back(t, err);
}

static dm_status tell(const nn_training *t, double rate, dm_error *err) {
  const dm_training_hooks *h = t->hooks;
  if (!h->epoch) return DM_OK;
  dm_status s = h->epoch(h->user, t->epoch, "train_loss", t->train_loss, err);
  if (s == DM_OK && t->best) s = h->epoch(h->user, t->epoch, "valid_loss", t->valid_loss, err);
  return s == DM_OK ? h->epoch(h->user, t->epoch, "lr", rate, err) : s;
}

/* A finished epoch is counted, kept and told. @param whole false: time cut the first one short. @param stop written: patience is at its end */
static dm_status finish_epoch(nn_training *t, bool whole, bool *stop, dm_error *err) {
  double rate = rate_of(t, (t->epoch + 1) * t->batches - 1);
  t->epoch++;
  nn_training_keep(t);
  dm_schedule_observe(&t->schedule, t->best ? t->valid_loss : t->train_loss);
  if (t->best) {
    uint64_t at;
    *stop = dm_early_stop_observe(t->best, t->valid_loss, t->kept);
    (void)dm_early_stop_best(t->best, &at);
    if (at + 1 == t->epoch) t->best_train_loss = t->train_loss;
  }
  dm_status s = tell(t, rate, err);
  return s == DM_OK && whole ? nn_training_save(t, is_out_of_time(t), err) : s;
}

/* Time ran out within an epoch: what it did does not count. */
static dm_status drop_epoch(nn_training *t, dm_error *err) {
  dm_status s = nn_training_go_back(t, err);
  return s == DM_OK ? nn_training_save(t, true, err) : s;
}

/* Whether a training that was broken off had come to its end already. */
static bool has_waited(const nn_training *t) {
  if (!t->best || !t->epoch || !t->options->patience) return false;
  dm_early_stop_state best;
  dm_early_stop_state_of(t->best, &best);
  return best.seen - 1 - best.best_at > t->options->patience;
}

static dm_status run(nn_training *t, const char **stopped, dm_error *err) {
  bool stop = has_waited(t);
  while (!stop && t->epoch < t->options->epochs) {
    ending how;
    dm_status s = run_epoch(t, &how, err);
    if (s != DM_OK) return s;
    if (how == EPOCH_NOT_FINITE)
      s = roll_back(t, err);
    else if (how == EPOCH_CUT && t->epoch)
      s = drop_epoch(t, err);
    else
      s = finish_epoch(t, how == EPOCH_WHOLE, &stop, err);
    if (s != DM_OK) return s;
    if (t->epoch && t->epoch < t->options->epochs && is_out_of_time(t)) {
      *stopped = "time";
      dm_log(t->ctx, DM_LOG_NOTICE, "%s: time ended training after epoch %llu of %llu", t->options->name, (unsigned long long)t->epoch,
             (unsigned long long)t->options->epochs);
      return DM_OK;
    }
  }
  *stopped = stop ? "patience" : "epochs";
  return DM_OK;
}

/* Threads for all steps: those that slots of rows keep busy, and two at least for the optimizer. */
static size_t threads_of(const nn_training *t) {
  size_t threads = dm_ctx_threads(t->ctx), most = t->r->slots > 2 ? t->r->slots : 2;
  return threads < most ? threads : most;
}

typedef struct whole_run {
  nn_training *t;
  const char **stopped;
  dm_status status;
  dm_error *err;
} whole_run;

static void run_in_team(void *user) {
  whole_run *w = user;
  w->status = run(w->t, w->stopped, w->err);
}

/* ---- before and after --------------------------------------------------------------- */

static dm_status wrong(const nn_train_options *o, const char *field, double value, const char *wanted, dm_error *err) {
  return dm_fail(err, DM_EUSAGE, "%s: %s = %g, want %s", o->name, field, value, wanted);
}

dm_status nn_train_check_batch(const nn_train_options *o, size_t n_train, size_t n_valid, dm_error *err) {
  if (o->batch <= n_train) return DM_OK;
  (void)dm_fail(err, DM_EUSAGE, "%s: batch-size = %zu, want at most the %zu rows to learn from", o->name, o->batch, n_train);
  if (n_valid) dm_error_hint(err, "%zu rows are set aside for validation", n_valid);
  return DM_EUSAGE;
}

static dm_status check(const nn_training *t, dm_error *err) {
  const nn_train_options *o = t->options;
  if (o->epochs < 1) return wrong(o, "epochs", (double)o->epochs, ">= 1", err);
  if (o->batch < 1) return wrong(o, "batch-size", (double)o->batch, ">= 1", err);
  if (!(o->optimizer.lr > 0)) return wrong(o, "lr", o->optimizer.lr, "a number > 0", err);
  if (!(o->warmup >= 0 && o->warmup < 1)) return wrong(o, "warmup", o->warmup, ">= 0 and < 1", err);
  if (!(o->clip >= 0) || isinf(o->clip)) return wrong(o, "clip", o->clip, "a number >= 0", err);
  dm_status s = nn_train_check_batch(o, t->n_train, t->n_valid, err);
  if (s != DM_OK) return s;
  if (o->batch + t->merge_tail > t->r->batch) return dm_fail(err, DM_EINTERNAL, "%s: the run takes batches of %zu rows only", o->name, t->r->batch);
  return DM_OK;
}

static bool takes_batch_sums(const nn_graph *g) {
  for (size_t i = 0; i < g->n; i++)
    if (g->nodes[i].partial) return true;
  return false;
}

/* Falls to a hundredth by the last step. */
enum { EXPONENTIAL_FALL = 100 };

static dm_status init_schedule(nn_training *t, dm_error *err) {
  const nn_train_options *o = t->options;
  uint64_t total = (uint64_t)t->batches * o->epochs, warmup = (uint64_t)(o->warmup * (double)total);
  t->schedule = (dm_schedule){.kind = o->schedule, .lr = o->optimizer.lr, .factor = 1, .warmup = warmup, .total = total};
  if (o->schedule == DM_SCHEDULE_EXPONENTIAL) t->schedule.factor = exp(-log(EXPONENTIAL_FALL) / (double)(total - warmup));
  if (o->schedule == DM_SCHEDULE_PLATEAU) {
    t->schedule.factor = 0.5;
    t->schedule.patience = o->patience ? (o->patience + 2) / 3 : 3;
    t->schedule.threshold = 1e-4;
    t->schedule.min_lr = o->optimizer.lr * 1e-3;
  }
  dm_status s = dm_schedule_init(&t->schedule, err);
  if (s != DM_OK) dm_error_prefix(err, "%s", o->name);
  return s;
}

static dm_status init(nn_training *t, dm_error *err) {
  const nn_train_options *o = t->options;
  const nn_graph *g = t->r->graph;
  size_t tail = o->batch ? t->n_train % o->batch : 0, n_optimizer;
  t->merge_tail = tail == 1 && t->n_train > o->batch && takes_batch_sums(g);
  dm_status s = check(t, err);
  if (s != DM_OK) return s;
  t->batches = t->n_train / o->batch + (tail && !t->merge_tail);
  s = init_schedule(t, err);
  if (s == DM_OK) s = dm_optimizer_new(t->ctx, g->n_w, &o->optimizer, &t->optimizer, err);
  if (s != DM_OK) return s;
  t->n_kept = g->n_w + g->n_state;
  (void)dm_optimizer_state(t->optimizer, &n_optimizer);
  t->rows = dm_alloc(t->ctx, t->n_train, sizeof *t->rows, "order of the rows", err);
  t->kept = t->rows ? dm_alloc(t->ctx, t->n_kept + n_optimizer, sizeof *t->kept, "weights of the last epoch", err) : NULL;
  if (!t->kept) return DM_EBUDGET;
  if (t->n_valid) s = dm_early_stop_new(t->ctx, t->n_kept, o->patience ? o->patience : UINT64_MAX, 0, &t->best, err);
  if (s != DM_OK) return s;
  if (t->hooks->resume) return nn_training_resume(t, err);
  nn_training_keep(t);
  return DM_OK;
}

/* The weights that stay: the best, or the last. */
static void finish(nn_training *t, const char *stopped, nn_train_result *out) {
  *out = (nn_train_result){.epochs = t->epoch, .best_epoch = t->epoch, .steps = dm_optimizer_t(t->optimizer), .train_loss = t->train_loss,
                           .valid_loss = (double)NAN, .stopped = stopped, .rollbacks = t->rollbacks};
  if (!t->best || !dm_early_stop_restore(t->best, t->kept)) return;
  out->valid_loss = dm_early_stop_best(t->best, &out->best_epoch);
  out->best_epoch++;
  out->train_loss = t->best_train_loss;
  memcpy(t->r->w, t->kept, t->r->graph->n_w * sizeof *t->kept);
  if (t->r->graph->n_state) memcpy(t->r->state, t->kept + t->r->graph->n_w, t->r->graph->n_state * sizeof *t->kept);
}

dm_status nn_train(nn_run *r, const nn_feed *feed, const nn_head *head, const size_t *train, size_t n_train, const size_t *valid,
                   size_t n_valid, const nn_train_options *options, const dm_training_hooks *hooks, nn_train_result *out, dm_error *err) {
  static const dm_training_hooks nobody = {0};
  nn_training t = {.ctx = r->ctx, .r = r, .feed = feed, .head = head, .train = train, .valid = valid, .n_train = n_train, .n_valid = n_valid,
                   .options = options, .hooks = hooks ? hooks : &nobody, .started = dm_seconds(), .factor = 1, .valid_loss = (double)NAN};
  const char *stopped = "epochs";
  int threads = dm_blas_one_thread();
  dm_status s = init(&t, err);
  if (s == DM_OK) {
    whole_run w = {&t, &stopped, DM_OK, err};
    dm_team_open(t.ctx, threads_of(&t), run_in_team, &w);
    s = w.status;
  }
  if (s == DM_OK) finish(&t, stopped, out);
  dm_blas_restore(threads);
  dm_early_stop_free(t.best);
  dm_optimizer_free(t.optimizer);
  dm_free(t.ctx, t.kept);
  dm_free(t.ctx, t.rows);
  return s;
}
