/*
 * Rules that a shorter body makes needless.
 *
 *   best(B, H) = max(confidence(B -> H), max over b in B of best(B - b, H))
 *
 * is the highest confidence of B and all of its subsets: each subset loses one
 * item more. It is kept for each pair of body and head that was asked for, so
 * that a pair is worked out once, in as many steps as the body has items: no
 * rule is compared with all others. Confidences are compared as fractions,
 * exactly.
 *
 * Source: Bayardo, Agrawal & Gunopulos, ICDE 1999, section 3 (minimum improvement).
 */
#include "patterns/rules.h"

/* both / body */
typedef struct fraction {
  uint64_t both, body;
} fraction;

typedef struct known {
  uint32_t body, head; /* RULES_NONE: empty */
  fraction best;
} known;

typedef struct memory {
  dm_ctx *ctx;
  const rules_index *x;
  known *slots;
  size_t n, capacity; /* a power of two, at most half full */
  dm_error *err;
} memory;

static bool is_above(fraction a, fraction b) {
  return (unsigned __int128)a.both * b.body > (unsigned __int128)b.both * a.body;
}

/* Place of the pair, or the empty one where it goes. */
static known *place_of(known *slots, size_t capacity, uint32_t body, uint32_t head) {
  uint64_t key = ((uint64_t)body << 32 | head) * UINT64_C(0x9E3779B97F4A7C15);
  size_t at = (size_t)(key ^ key >> 32) & (capacity - 1);
  while (slots[at].body != RULES_NONE && (slots[at].body != body || slots[at].head != head)) at = (at + 1) & (capacity - 1);
  return &slots[at];
}

static bool make_room(memory *m) {
  if (m->capacity && 2 * (m->n + 1) <= m->capacity) return true;
  size_t capacity = m->capacity ? 2 * m->capacity : 1024;
  known *slots = dm_alloc(m->ctx, capacity, sizeof *slots, "rules: pruning", m->err);
  if (!slots) return false;
  for (size_t i = 0; i < capacity; i++) slots[i].body = RULES_NONE;
  for (size_t i = 0; i < m->capacity; i++)
    if (m->slots[i].body != RULES_NONE) *place_of(slots, capacity, m->slots[i].body, m->slots[i].head) = m->slots[i];
  dm_free(m->ctx, m->slots);
  m->slots = slots;
  m->capacity = capacity;
  return true;
}

static dm_status remember(memory *m, const rules_found *r, fraction best) {
  if (!make_room(m)) return DM_EBUDGET;
  *place_of(m->slots, m->capacity, r->body, r->head) = (known){r->body, r->head, best};
  m->n++;
  return DM_OK;
}

static dm_status best_of(memory *m, const rules_found *r, fraction *best);

/* The highest confidence of the head with a shorter body that is not empty; 0 / 1 when there is none. */
static dm_status best_shorter(memory *m, const rules_found *r, fraction *best) {
  const dm_itemsets *sets = m->x->sets;
  const uint32_t *items = rules_items(sets, r->body);
  size_t n = rules_size(sets, r->body);
  uint64_t body = rules_set_key(m->x, r->body), set = rules_set_key(m->x, r->set);
  dm_status s = DM_OK;
  *best = (fraction){0, 1};
  for (size_t i = 0; i < n && n > 1 && s == DM_OK; i++) {
    uint64_t key = rules_item_key(m->x, items[i]);
    rules_found shorter = {rules_index_find(m->x, set - key), rules_index_find(m->x, body - key), r->head};
    if (shorter.set == RULES_NONE || shorter.body == RULES_NONE)
      return dm_fail(m->err, DM_EUSAGE, "rules: a subset of set %u is not among the sets: want all frequent ones", r->set);
    fraction other;
    s = best_of(m, &shorter, &other);
    if (s == DM_OK && is_above(other, *best)) *best = other;
  }
  return s;
}

/* The same with the body itself. */
static dm_status best_of(memory *m, const rules_found *r, fraction *best) {
  if (m->capacity) {
    const known *k = place_of(m->slots, m->capacity, r->body, r->head);
    if (k->body != RULES_NONE) {
      *best = k->best;
      return DM_OK;
    }
  }
  fraction own = {m->x->sets->support[r->set], m->x->sets->support[r->body]};
  dm_status s = best_shorter(m, r, best);
  if (s != DM_OK) return s;
  if (!is_above(*best, own)) *best = own;
  return remember(m, r, *best);
}

/* own - other >= least, where the difference is rounded once only. */
static bool improves(fraction own, fraction other, double least) {
  __int128 difference = (__int128)own.both * other.body - (__int128)other.both * own.body;
  return (double)difference / ((double)own.body * (double)other.body) >= least;
}

dm_status rules_prune(dm_ctx *ctx, const rules_index *x, uint64_t total, const dm_rule_options *o, rules_found *rules, size_t *n, dm_error *err) {
  memory m = {.ctx = ctx, .x = x, .err = err};
  dm_status s = DM_OK;
  size_t kept = 0;
  for (size_t i = 0; i < *n && s == DM_OK; i++) {
    const uint64_t *support = x->sets->support;
    fraction own = {support[rules[i].set], support[rules[i].body]}, best;
    if (i % 4096 == 0 && (s = dm_ctx_check(ctx, err)) != DM_OK) break;
    s = best_shorter(&m, &rules[i], &best);
    bool good = !o->drop_redundant || is_above(own, best);
    if (o->min_improvement > 0) {
      fraction empty = {support[rules[i].head], total};
      good = good && improves(own, best, o->min_improvement) && improves(own, empty, o->min_improvement);
    }
    if (good) rules[kept++] = rules[i];
  }
  dm_free(ctx, m.slots);
  if (s == DM_OK) *n = kept;
  return s;
}
