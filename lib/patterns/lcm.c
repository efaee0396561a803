/*
 * Closed sets, maximal sets and generators by one search, LCM: sets grow by items in the order
 * of falling support, and what tells a closed or maximal set from others is
 * read off its rows, so that no set is stored and tasks need not know of each
 * other; only generators are.
 *
 *   task        head = an item; tail = more frequent items; out = less frequent ones
 *   database    sparse: rows of items -> their rows of items … -> rows of bits, merged -> …
 *               of at most 64 transactions: columns
 *
 * Conditional databases shrink level by level: what is not frequent goes, what
 * is in all rows joins the set, rows that become equal are merged.
 * Source: Uno, Asai, Uchida & Arimura, LCM, FIMI 2003; Uno, Kiyomi & Arimura,
 * LCM ver. 2, FIMI 2004.
 */
#include "patterns/lcm.h"
#include "patterns/tasks.h"

void *dm_lcm_take(dm_lcm_worker *w, size_t count, size_t size) {
  void *p = dm_stack_take(&w->stack, count, size, w->err);
  if (!p) w->status = DM_EBUDGET;
  return p;
}

/* ---- tasks -------------------------------------------------------------------- */

static void bits_as_in_database(dm_lcm_worker *w) {
  w->words = w->search->kind == DM_CLOSED && w->search->db->n_items > DM_LCM_BITS;
  for (uint32_t i = 0; i < DM_LCM_BITS; i++) w->code[i] = i;
}

/* What is left when all items were heads: items that all transactions have, or those that are frequent together. */
static void last_set(dm_lcm_worker *w) {
  const dm_lcm_search *s = w->search;
  if (s->kind == DM_MAXIMAL && s->n_bits) {
    dm_lcm_gathered g;
    bits_as_in_database(w);
    dm_lcm_out out = {0, dm_lcm_first(s->db->n_items - s->n_bits)};
    if (dm_lcm_gather(w, s->exact.a, s->exact.weight, s->exact.n, dm_lcm_first(s->n_bits), &g)) (void)dm_lcm_exact_found(w, &s->exact, &out, &g);
  } else if (s->n_everywhere && (s->kind == DM_CLOSED || s->n_everywhere == s->db->n_items)) {
    for (size_t i = 0; i < s->n_everywhere; i++) dm_lcm_push(w, (uint32_t)i);
    dm_lcm_found(w, s->db->total);
    dm_lcm_pop_to(w, 0);
  }
}

static void bits_head(dm_lcm_worker *w, unsigned head) {
  const dm_lcm_search *s = w->search;
  uint64_t bit = (uint64_t)1 << head, above = dm_lcm_first(s->n_bits) & ~(bit | (bit - 1));
  bits_as_in_database(w);
  if (s->kind == DM_CLOSED)
    (void)dm_lcm_closed_head(w, &s->bits, head, bit - 1, above, s->db->support[head]);
  else if (!(s->gathered & bit))
    (void)dm_lcm_exact_head(w, &s->exact, &(dm_lcm_out){above & ~s->gathered, dm_lcm_first(s->db->n_items - s->n_bits)}, head,
                            (bit - 1) | (above & s->gathered), s->db->support[head]);
}

/* All in one task, the most frequent item first. */
static void all_generators(dm_lcm_worker *w) {
  const dm_lcm_search *s = w->search;
  bits_as_in_database(w);
  if (s->n_bits && !dm_lcm_generators(w, &s->bits, dm_lcm_first(s->n_bits), s->db->support)) return;
  for (size_t head = s->n_bits; head < s->db->n_items; head++)
    if (!dm_lcm_sparse_head(w, &s->root, head)) return;
}

/* Items one after the other, the rarest first: task 0 is the one with the longest tail. */
static dm_status run(void *worker, size_t task, dm_emit *e, dm_error *err) {
  dm_lcm_worker *w = worker;
  size_t n = w->search->db->n_items, head = n - 1 - task;
  w->e = e;
  w->err = err;
  w->found = 0;
  if (w->search->kind == DM_GENERATORS)
    all_generators(w);
  else if (task == n)
    last_set(w);
  else if (head < w->search->n_bits && head >= w->search->n_everywhere)
    bits_head(w, (unsigned)head);
  else if (head >= w->search->n_everywhere)
    (void)dm_lcm_sparse_head(w, &w->search->root, head);
  if (w->found) dm_emit_count(e, w->found);
  return w->status;
}

/* ---- workers --------------------------------------------------------------------- */

static void free_workers(dm_ctx *ctx, dm_lcm_worker *workers, size_t n) {
  for (size_t t = 0; workers && t < n; t++) {
    dm_stack_clear(&workers[t].stack);
    dm_free(ctx, workers[t].count);
    dm_free(ctx, workers[t].seen);
    dm_free(ctx, workers[t].list);
    dm_free(ctx, workers[t].mask);
    dm_free(ctx, workers[t].word);
  }
  dm_free(ctx, workers);
}

static bool has_room(dm_lcm_worker *w, const dm_lcm_search *s, dm_error *err) {
  size_t n = s->db->n_items + DM_LCM_SLACK;
  w->search = s;
  w->err = err;
  dm_stack_init(&w->stack, s->ctx);
  w->count = dm_alloc(s->ctx, n, sizeof *w->count, "search", err);
  w->seen = w->count ? dm_alloc(s->ctx, n / 64 + 1, sizeof *w->seen, "search", err) : NULL;
  w->list = w->seen ? dm_alloc(s->ctx, n, sizeof *w->list, "search", err) : NULL;
  w->mask = w->list ? dm_alloc(s->ctx, n, sizeof *w->mask, "search", err) : NULL;
  w->word = w->mask ? dm_alloc(s->ctx, n, sizeof *w->word, "search", err) : NULL;
  return w->word != NULL;
}

dm_status dm_lcm_mine(dm_ctx *ctx, const dm_itemdb *db, dm_itemset_kind kind, size_t max_counts, dm_reporter *out, dm_error *err) {
  dm_lcm_search s = {.ctx = ctx, .db = db, .kind = kind, .min_support = db->min_support, .max_counts = max_counts, .kernels = dm_lcm_kernels_get()};
  dm_generators generators;
  dm_generators_init(&generators, ctx, db->total);
  s.generators = &generators;
  size_t n_tasks = kind == DM_GENERATORS ? 1 : db->n_items + 1, threads = dm_ctx_threads(ctx) < n_tasks ? dm_ctx_threads(ctx) : n_tasks;
  if (db->rows.n >= UINT32_MAX) return dm_fail(err, DM_EBUDGET, "lcm: %zu different transactions, limit %u", db->rows.n, UINT32_MAX);
  dm_lcm_worker *workers = dm_alloc(ctx, threads + 1, sizeof *workers, "search", err); /* the last one holds what all share */
  dm_status status = workers ? DM_OK : DM_EBUDGET;
  for (size_t t = 0; status == DM_OK && t <= threads; t++)
    if (!has_room(&workers[t], &s, err)) status = DM_EBUDGET;
  if (status == DM_OK && !dm_lcm_root(&workers[threads], &s)) status = DM_EBUDGET;
  if (status == DM_OK) status = dm_tasks_run(ctx, out, n_tasks, workers, sizeof *workers, threads, run, err);
  free_workers(ctx, workers, threads + 1);
  dm_generators_clear(&generators);
  return status;
}

/* Sets that are too long are gone through, too: longer ones tell whether a set is closed or maximal. */
static dm_status mine(dm_ctx *ctx, const dm_itemdb *db, dm_itemset_kind kind, size_t max_size, dm_reporter *out, dm_error *err) {
  (void)max_size;
  return dm_lcm_mine(ctx, db, kind, DM_LCM_MAX_COUNTS, out, err);
}

const dm_miner dm_miner_lcm = {
    .name = "lcm",
    .summary = "closed and maximal sets without a store of sets: conditional databases that become rows of bits",
    .kinds = 1U << DM_CLOSED | 1U << DM_MAXIMAL | 1U << DM_GENERATORS,
    .mine = mine,
};
