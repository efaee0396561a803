/*
 * Steps of training: slots of rows through the graph, forward and backward.
 *
 *   thread 0   slot 0: feed, forward … | forward … loss, backward … | backward … | add chunk 0, 2, …
 *   thread 1   slot 1: feed, forward … | forward … loss, backward … | backward … | add chunk 1, 3, …
 *                                      ^                            ^            ^
 *                          a barrier where an op gathered sums of the batch, and before gradients are added
 *
 * Random numbers: the sequence of a node, slot and step has the stream
 * DM_STREAM_NET_STEP | node << 16 | slot << 48, and begins at counter step << 32.
 */
#include "nn/run.h"
#include "core/team.h"

#include <stdio.h>
#include <string.h>

enum {
  ADD_CHUNK = 2048,          /* reals of the gradient that a thread adds at once */
  PARALLEL_FROM = 1 << 18    /* rows * parameters of a step that are worth waking threads for */
};

/* ---- slots ---------------------------------------------------------------------- */

/*
 * Each slot costs a pass over the parameters and products of fewer rows.
 * Measured on 784-256-128-10: two are as fast as one from 32 rows on, four take
 * 15 to 20 % more time of the processors up to 512 rows, eight 75 % at 128.
 */
static const struct {
  size_t from, slots;
} SLOTS[] = {{1, 1}, {16, 2}, {512, 4}, {2048, NN_SLOTS_MAX}};
enum { N_SLOTS = sizeof SLOTS / sizeof *SLOTS };

size_t nn_run_slots(size_t n) {
  size_t i = N_SLOTS - 1;
  while (i > 0 && n < SLOTS[i].from) i--;
  return SLOTS[i].slots;
}

static size_t slot_begin(size_t n, size_t slots, size_t slot) { return n / slots * slot + (slot < n % slots ? slot : n % slots); }

/* The longest slot of any step of at most `batch` rows. */
static size_t longest_slot(size_t batch) {
  size_t longest = 0;
  for (size_t i = 0; i < N_SLOTS && SLOTS[i].from <= batch; i++) {
    size_t most = i + 1 < N_SLOTS && SLOTS[i + 1].from <= batch ? SLOTS[i + 1].from - 1 : batch;
    size_t rows = (most + SLOTS[i].slots - 1) / SLOTS[i].slots;
    if (rows > longest) longest = rows;
  }
  return longest;
}

/* ---- making --------------------------------------------------------------------------- */

/* Where the parts of the block lie; sizes in bytes. */
typedef struct layout {
  size_t bytes;
  bool fits;
} layout;

static size_t reserve(layout *l, size_t count, size_t size) {
  size_t bytes, at = l->bytes;
  l->fits = l->fits && dm_size_mul(count, size, &bytes) && dm_size_add(bytes, 63, &bytes) && dm_size_add(l->bytes, bytes / 64 * 64, &l->bytes);
  return at;
}

/* Twice: without a block it only measures. */
static void lay_out(nn_run *r, layout *l) {
  const nn_graph *g = r->graph;
  char *base = r->block;
  *l = (layout){.fits = true};
  size_t w = reserve(l, g->n_w, sizeof(dm_real)), sum = reserve(l, g->n_w, sizeof(dm_real)), state = reserve(l, g->n_state, sizeof(dm_real));
  size_t arenas = reserve(l, r->slots, sizeof *r->arenas), gradients = reserve(l, r->slots, sizeof *r->gradients);
  size_t partials = reserve(l, g->n * r->slots, sizeof *r->partials);
  if (base) {
    r->w = (dm_real *)(base + w);
    r->g = (dm_real *)(base + sum);
    r->state = (dm_real *)(base + state);
    r->arenas = (dm_real **)(base + arenas);
    r->gradients = (dm_real **)(base + gradients);
    r->partials = (double **)(base + partials);
  }
  for (size_t s = 0; s < r->slots; s++) {
    size_t arena = reserve(l, r->plan->reals, sizeof(dm_real)), gradient = reserve(l, g->n_w, sizeof(dm_real));
    if (base) r->arenas[s] = (dm_real *)(base + arena);
    if (base) r->gradients[s] = (dm_real *)(base + gradient);
    for (size_t i = 0; i < g->n; i++) {
      size_t partial = reserve(l, g->nodes[i].partial, sizeof(double));
      if (base && g->nodes[i].partial) r->partials[i * r->slots + s] = (double *)(base + partial);
    }
  }
}

static dm_status allocate(nn_run *r, dm_error *err) {
  layout l;
  char what[96];
  (void)snprintf(what, sizeof what, "net: training with %zu parameters in %zu slots of %zu rows", r->graph->n_w, r->slots, r->plan->rows);
  lay_out(r, &l);
  if (!l.fits) return dm_fail(err, DM_EBUDGET, "%s needs more than memory can hold", what);
  if (!(r->block = dm_alloc(r->ctx, l.bytes, 1, what, err))) {
    dm_error_hint(err, "a narrower net, a smaller batch, or more with --memory");
    return DM_EBUDGET;
  }
  lay_out(r, &l);
  nn_graph_init(r->graph, dm_ctx_seed(r->ctx), r->w, r->state);
  return DM_OK;
}

dm_status nn_run_new(dm_ctx *ctx, const nn_graph *g, size_t output, size_t batch, unsigned what, nn_run **out, dm_error *err) {
  if (batch < 1) return dm_fail(err, DM_EUSAGE, "net: batches of %zu rows, want 1 or more", batch);
  nn_run *r = dm_alloc(ctx, 1, sizeof *r, "net", err);
  if (!r) return DM_EBUDGET;
  *r = (nn_run){.ctx = ctx, .graph = g, .output = output, .batch = batch, .slots = nn_run_slots(batch)};
  dm_status s = nn_plan_new(g, &output, 1, longest_slot(batch), NN_PLAN_TRAIN | what, &r->plan, err);
  if (s == DM_OK) s = allocate(r, err);
  if (s != DM_OK) {
    nn_run_free(r);
    return s;
  }
  *out = r;
  return DM_OK;
}

void nn_run_free(nn_run *r) {
  if (!r) return;
  nn_plan_free(r->plan);
  dm_free(r->ctx, r->block);
  dm_free(r->ctx, r);
}

/* ---- one slot of a step ------------------------------------------------------------------ */

typedef struct step {
  nn_run *r;
  const nn_feed *feed;
  const nn_head *head;
  const size_t *rows;
  size_t n, slots;
  uint64_t number;
  bool training;
  double losses[NN_SLOTS_MAX], weights[NN_SLOTS_MAX];
} step;

static dm_rng rng_of(const step *t, size_t node, size_t slot) {
  dm_rng rng;
  dm_rng_init(&rng, dm_ctx_seed(t->r->ctx), DM_STREAM_NET_STEP | (uint64_t)node << 16 | (uint64_t)slot << 48);
  rng.counter = t->number << 32;
  return rng;
}

static nn_call call_of(const step *t, size_t node, size_t slot, bool backward) {
  const nn_run *r = t->r;
  const nn_node *of = &r->graph->nodes[node];
  size_t n = slot_begin(t->n, t->slots, slot + 1) - slot_begin(t->n, t->slots, slot);
  nn_call call = {.training = t->training, .gemm = t->training ? nn_gemm_train : dm_k_gemm, .slots = t->slots, .batch = t->n};
  nn_plan_call(r->plan, r->graph, node, n, r->arenas[slot], backward, &call);
  if (of->n_w) call.w = r->w + of->w;
  if (of->n_w && backward) call.g_w = r->gradients[slot] + of->w;
  if (of->n_state) call.state = r->state + of->state;
  if (of->partial && t->training) {
    call.partial = r->partials[node * r->slots + slot];
    call.partials = (const double *const *)(r->partials + node * r->slots);
  }
  if (t->training) call.rng = rng_of(t, node, slot);
  return call;
}

static void feed_slot(const step *t, size_t slot) {
  nn_call call = call_of(t, 0, slot, false);
  t->feed->rows(t->feed->user, t->rows + slot_begin(t->n, t->slots, slot), call.n, t->training, &call.rng, call.out);
}

static void forward_node(const step *t, size_t node, size_t slot) {
  const nn_op *op = t->r->graph->nodes[node].op;
  nn_call call = call_of(t, node, slot, false);
  if (op->forward) op->forward(t->r->graph, &t->r->graph->nodes[node], &call);
}

static void backward_node(const step *t, size_t node, size_t slot) {
  const nn_run *r = t->r;
  const nn_node *of = &r->graph->nodes[node];
  nn_call call = call_of(t, node, slot, true);
  of->op->backward(r->graph, of, &call);
  for (size_t k = 0; k < of->n_in; k++) {
    const nn_place *in = &r->plan->places[of->in[k]];
    if (r->plan->places[node].temp[k] != NN_NONE) dm_k_add(call.g_in[k], call.n * r->graph->nodes[of->in[k]].size, r->arenas[slot] + in->grad);
  }
}

static void loss_of_slot(step *t, size_t slot) {
  nn_call call = call_of(t, t->r->output, slot, false);
  const size_t *rows = t->rows + slot_begin(t->n, t->slots, slot);
  dm_real *g_out = t->training ? nn_plan_at(t->r->plan->places[t->r->output].grad, t->r->arenas[slot]) : NULL;
  t->losses[slot] = t->head->loss(t->head->user, rows, call.n, call.out, 1, g_out, &t->weights[slot]);
}

/* ---- all slots, by threads ------------------------------------------------------------------ */

static bool gathers(const step *t, size_t node) {
  return t->training && t->r->graph->nodes[node].partial && nn_plan_runs(t->r->plan, node);
}

/* Forward of all nodes: what lies between two gathering ones is run slot by slot, while its values are in the cache. */
static void forward(step *t, const dm_member *m) {
  const nn_graph *g = t->r->graph;
  for (size_t slot = m->thread; slot < t->slots; slot += m->threads) feed_slot(t, slot);
  for (size_t from = 1, to; from < g->n; from = to) {
    if (gathers(t, from)) {
      for (size_t slot = m->thread; slot < t->slots; slot += m->threads) {
        nn_call call = call_of(t, from, slot, false);
        g->nodes[from].op->gather(g, &g->nodes[from], &call);
      }
      dm_team_barrier(m);
    }
    for (to = from + 1; to < g->n && !gathers(t, to);) to++;
    for (size_t slot = m->thread; slot < t->slots; slot += m->threads)
      for (size_t i = from; i < to; i++)
        if (nn_plan_runs(t->r->plan, i)) forward_node(t, i, slot);
  }
  for (size_t slot = m->thread; slot < t->slots; slot += m->threads) loss_of_slot(t, slot);
}

static bool learns(const step *t, size_t node) { return t->r->plan->places[node].grad != NN_NONE; }

static void backward(step *t, const dm_member *m) {
  const nn_graph *g = t->r->graph;
  for (size_t from = g->n - 1, to; from > 0; from = to) {
    if (gathers(t, from) && learns(t, from)) {
      for (size_t slot = m->thread; slot < t->slots; slot += m->threads) {
        nn_call call = call_of(t, from, slot, true);
        g->nodes[from].op->gather_back(g, &g->nodes[from], &call);
      }
      dm_team_barrier(m);
    }
    for (to = from - 1; to > 0 && !gathers(t, to);) to--;
    for (size_t slot = m->thread; slot < t->slots; slot += m->threads)
      for (size_t i = from; i > to; i--)
        if (learns(t, i)) backward_node(t, i, slot);
  }
}

static double total(const step *t, const double *parts) {
  double sum = 0;
  for (size_t slot = 0; slot < t->slots; slot++) sum += parts[slot];
  return sum;
}

/* Of a mean: losses are summed. */
static dm_real scale_of(double weight) { return weight > 0 ? (dm_real)(1 / weight) : 0; }

/* g = (slot 0 + slot 1 + …) / weight, chunk by chunk. */
static void add_gradients(const step *t, const dm_member *m) {
  const nn_run *r = t->r;
  dm_real scale = scale_of(total(t, t->weights));
  for (size_t from = m->thread * ADD_CHUNK; from < r->graph->n_w; from += m->threads * ADD_CHUNK) {
    size_t n = r->graph->n_w - from < ADD_CHUNK ? r->graph->n_w - from : ADD_CHUNK;
    dm_k_sum((const dm_real *const *)r->gradients, t->slots, from, n, scale, r->g + from);
  }
}

static void settle(const step *t) {
  const nn_graph *g = t->r->graph;
  for (size_t i = 1; i < g->n; i++) {
    if (!g->nodes[i].op->settle || !nn_plan_runs(t->r->plan, i)) continue;
    nn_call call = call_of(t, i, 0, false);
    g->nodes[i].op->settle(g, &g->nodes[i], &call);
  }
}

static void run_slots(void *user, const dm_member *m) {
  step *t = user;
  forward(t, m);
  if (!t->training) return;
  backward(t, m);
  dm_team_barrier(m);
  add_gradients(t, m);
}

static void run_step(step *t) {
  size_t threads = dm_ctx_threads(t->r->ctx) < t->slots ? dm_ctx_threads(t->r->ctx) : t->slots;
  dm_team_run(t->r->ctx, t->n < PARALLEL_FROM / (t->r->graph->n_w + 1) ? 1 : threads, run_slots, t);
  if (t->training) settle(t);
}

/* ---- public ----------------------------------------------------------------------------------- */

dm_status nn_run_step(nn_run *r, const nn_feed *feed, const nn_head *head, const size_t *rows, size_t n, uint64_t number, double *loss,
                      double *weight, dm_error *err) {
  dm_status s = dm_ctx_check(r->ctx, err);
  if (s != DM_OK) return s;
  step t = {.r = r, .feed = feed, .head = head, .rows = rows, .n = n, .slots = nn_run_slots(n), .number = number, .training = true};
  run_step(&t);
  *loss = total(&t, t.losses);
  *weight = total(&t, t.weights);
  r->rows = n;
  r->weight = *weight;
  return DM_OK;
}

void nn_run_input_gradient(const nn_run *r, dm_real *out) {
  size_t d = r->graph->nodes[0].size, slots = nn_run_slots(r->rows);
  dm_real scale = scale_of(r->weight);
  for (size_t slot = 0; slot < slots; slot++) {
    const dm_real *g = nn_plan_at(r->plan->places[0].grad, r->arenas[slot]);
    size_t from = slot_begin(r->rows, slots, slot) * d, to = slot_begin(r->rows, slots, slot + 1) * d;
    for (size_t i = from; i < to; i++) out[i] = g ? g[i - from] * scale : 0;
  }
}

dm_status nn_run_loss(nn_run *r, const nn_feed *feed, const nn_head *head, const size_t *rows, size_t n, double *loss, double *weight,
                      dm_error *err) {
  double sum = 0, weights = 0;
  for (size_t from = 0; from < n; from += r->batch) {
    size_t rest = n - from < r->batch ? n - from : r->batch;
    step t = {.r = r, .feed = feed, .head = head, .rows = rows + from, .n = rest, .slots = nn_run_slots(rest)};
    dm_status s = dm_ctx_check(r->ctx, err);
    if (s != DM_OK) return s;
    run_step(&t);
    sum += total(&t, t.losses);
    weights += total(&t, t.weights);
  }
  *loss = sum;
  *weight = weights;
  return DM_OK;
}
