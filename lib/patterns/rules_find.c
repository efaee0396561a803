/*
 * Rules of each set: heads of one item, and from them longer ones.
 *
 *   set {a b c d}   heads {a} {b} {c} {d} that are confident: {a} {b} {d}
 *                   {a b} {a d} from {a}, {b d} from {b}; ... as far as they are confident
 *
 * The body of a longer head is a subset, with at least the support: where a
 * head is not confident, no longer one is. As in ap-genrules, two heads that
 * are alike but for their last items are joined; depth first, so that what is
 * kept is one list of last items a level.
 *
 * Threads take blocks of sets; their rules are put together in the order of the blocks.
 * Source: Agrawal & Srikant, VLDB 1994, section 3.1.
 */
#include "patterns/rules.h"

#include <string.h>

enum { BLOCK = 2048, BLOCKS = 256 }; /* sets that a thread takes at once, at least; blocks at most */

typedef struct block {
  rules_found *rules;
  size_t n, capacity;
  dm_status status;
  dm_error err;
} block;

/* One set at work. */
typedef struct walk {
  dm_ctx *ctx;
  const rules_index *x;
  const dm_rule_options *o;
  uint64_t total;
  size_t max_head;
  block *out;
  uint32_t set;
  size_t n;                     /* its items */
  uint64_t key;                 /* of the set */
  uint64_t keys[RULES_SET_MAX]; /* of its items */
  uint32_t must;                /* places of items that may not stand in the body */
} walk;

/* A head that is confident, by its last item. */
typedef struct last {
  unsigned place;
  uint32_t body;
} last;

static dm_status no_subset(const walk *w, dm_error *err) {
  return dm_fail(err, DM_EUSAGE, "rules: a subset of set %u is not among the sets: want all frequent ones", w->set);
}

static bool is_good(const walk *w, const rules_found *r) {
  if (!w->o->has_min_measure || w->o->measure == DM_Q_VALUE) return true;
  dm_rule_counts c = rules_counts(w->x->sets, r, w->total);
  double v = dm_measure_value(&c, w->o->measure);
  return dm_measure_is_falling(w->o->measure) ? v <= w->o->min_measure : v >= w->o->min_measure;
}

static dm_status keep(walk *w, const rules_found *r) {
  block *b = w->out;
  if (!is_good(w, r)) return DM_OK;
  if (b->n == b->capacity) {
    size_t capacity = b->capacity ? 2 * b->capacity : BLOCK;
    rules_found *more = dm_realloc(w->ctx, b->rules, capacity, sizeof *more, "rules", &b->err);
    if (!more) return DM_EBUDGET;
    b->rules = more;
    b->capacity = capacity;
  }
  b->rules[b->n++] = *r;
  return DM_OK;
}

/* Whether the rule with the body of that key is confident. */
static dm_status look(const walk *w, uint64_t body_key, uint32_t *body, bool *confident) {
  *body = rules_index_find(w->x, body_key);
  if (*body == RULES_NONE) return no_subset(w, &w->out->err);
  *confident = rules_confidence(w->x->sets, &(rules_found){.set = w->set, .body = *body}) >= w->o->min_confidence;
  return DM_OK;
}

/* Heads of the items `head` (key head_key) and one of `lasts`, and all longer ones. */
static dm_status extend(walk *w, uint32_t head, uint64_t head_key, size_t size, const last *lasts, size_t n) {
  dm_status s = DM_OK;
  for (size_t i = 0; i < n && s == DM_OK; i++) {
    uint32_t with = head | UINT32_C(1) << lasts[i].place;
    uint64_t key = head_key + w->keys[lasts[i].place];
    rules_found r = {.set = w->set, .body = lasts[i].body};
    if (!(w->must & ~with)) {
      r.head = rules_index_find(w->x, key);
      if (r.head == RULES_NONE) return no_subset(w, &w->out->err);
      s = keep(w, &r);
    }
    if (size == w->max_head || size + 1 == w->n) continue;
    last longer[RULES_SET_MAX];
    size_t m = 0;
    for (size_t j = i + 1; j < n && s == DM_OK; j++) {
      bool confident = false;
      longer[m].place = lasts[j].place;
      s = look(w, w->key - key - w->keys[lasts[j].place], &longer[m].body, &confident);
      m += confident;
    }
    if (s == DM_OK && m) s = extend(w, with, key, size + 1, longer, m);
  }
  return s;
}

static dm_status rules_of(walk *w, uint32_t set) {
  const uint32_t *items = rules_items(w->x->sets, set);
  const uint8_t *appear = w->o->appear;
  last lasts[RULES_SET_MAX];
  size_t n = 0;
  w->set = set;
  w->n = rules_size(w->x->sets, set);
  w->key = 0;
  w->must = 0;
  if (w->n < 2) return DM_OK;
  for (size_t i = 0; i < w->n; i++) {
    w->key += w->keys[i] = rules_item_key(w->x, items[i]);
    if (appear && !(appear[items[i]] & DM_APPEAR_BODY)) w->must |= UINT32_C(1) << i;
  }
  if ((size_t)__builtin_popcount(w->must) > w->max_head) return DM_OK;
  for (size_t i = 0; i < w->n; i++) rules_index_prefetch(w->x, w->key - w->keys[i]);
  for (unsigned i = 0; i < w->n; i++) {
    bool confident = false;
    if (appear && !(appear[items[i]] & DM_APPEAR_HEAD)) continue;
    if (w->max_head == 1 && w->must & ~(UINT32_C(1) << i)) continue;
    dm_status s = look(w, w->key - w->keys[i], &lasts[n].body, &confident);
    if (s != DM_OK) return s;
    lasts[n].place = i;
    n += confident;
  }
  return extend(w, 0, 0, 1, lasts, n);
}

static void run_block(walk *w, size_t first, size_t end) {
  dm_status s = dm_ctx_check(w->ctx, &w->out->err);
  for (size_t i = first; i < end && s == DM_OK; i++) s = rules_of(w, (uint32_t)i);
  w->out->status = s;
}

static dm_status join(dm_ctx *ctx, const block *blocks, size_t n_blocks, rules_found **out, size_t *n, dm_error *err) {
  size_t all = 0;
  for (size_t i = 0; i < n_blocks; i++) {
    if (blocks[i].status != DM_OK) {
      if (err) *err = blocks[i].err;
      return blocks[i].status;
    }
    all += blocks[i].n;
  }
  rules_found *rules = dm_alloc(ctx, all ? all : 1, sizeof *rules, "rules", err);
  if (!rules) return DM_EBUDGET;
  *n = 0;
  for (size_t i = 0; i < n_blocks; i++) {
    if (blocks[i].n) memcpy(rules + *n, blocks[i].rules, blocks[i].n * sizeof *rules);
    *n += blocks[i].n;
  }
  *out = rules;
  return DM_OK;
}

dm_status rules_find(dm_ctx *ctx, const rules_index *x, uint64_t total, const dm_rule_options *o, rules_found **out, size_t *n, dm_error *err) {
  size_t n_sets = x->sets->n, size = n_sets / BLOCKS + 1 > BLOCK ? n_sets / BLOCKS + 1 : BLOCK, n_blocks = (n_sets + size - 1) / size;
  block *blocks = dm_alloc(ctx, n_blocks ? n_blocks : 1, sizeof *blocks, "rules", err);
  if (!blocks) return DM_EBUDGET;
  int threads = (int)dm_ctx_threads(ctx);
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1 && n_blocks > 1)
  for (size_t i = 0; i < n_blocks; i++) {
    walk w = {.ctx = ctx, .x = x, .o = o, .total = total, .max_head = o->max_head ? o->max_head : 1, .out = &blocks[i]};
    run_block(&w, i * size, (i + 1) * size < n_sets ? (i + 1) * size : n_sets);
  }
  dm_status s = join(ctx, blocks, n_blocks, out, n, err);
  for (size_t i = 0; i < n_blocks; i++) dm_free(ctx, blocks[i].rules);
  dm_free(ctx, blocks);
  return s;
}
