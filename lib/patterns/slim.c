/*
 * SLIM: a set of patterns that compresses, found without candidates.
 *
 * How often two sets of the table stand together in a cover is counted for all
 * pairs and kept up to date with the covers. Were each such place covered by
 * the union of the two, and nothing else changed, so many bits would be saved:
 * the pair that promises the most is tried next.
 *
 *   covers  a b c | a b | a c        pairs  a b: 2   a c: 2   b c: 1
 *
 * A pair that did not keep its promise is tried again only once it promises more.
 *
 * Source: Smets & Vreeken, SLIM: directly mining descriptive patterns, SIAM
 * International Conference on Data Mining, 2012, sections 4.1-4.3.
 */
#include "patterns/code_table.h"

#include <math.h>

enum { LOGS = 1 << 20 }; /* usages whose logarithms are kept */

/* Two sets by their ids, a < b. */
typedef struct pair {
  uint32_t a, b; /* both 0: the place is free */
  uint64_t together;
  double refused; /* what it had promised when it was tried in vain */
} pair;

typedef struct promise {
  double gain;
  size_t at; /* in pairs */
  uint32_t a, b;
} promise;

typedef struct slim {
  dm_ctx *ctx;
  code_table table;
  uint64_t min_support;
  pair *pairs; /* open addressing, a power of two of places */
  size_t places, n_pairs;
  promise *heap; /* [n_heap] the greatest gain first */
  size_t n_heap, heap_capacity;
  double *h;     /* [n_h] (u + 1) log2 u */
  size_t n_h;
  uint32_t *before, *after; /* the cover of a row before and after a change, as ids with single items */
  bool *covered; /* [n_items] */
  uint32_t *joined; /* items of a union */
  size_t tried, pruned;
} slim;

/* ---- pairs that stand together --------------------------------------------------------------- */

static size_t place_of(const slim *m, uint32_t a, uint32_t b) {
  uint64_t key = ((uint64_t)a << 32 | b) * UINT64_C(0x9E3779B97F4A7C15);
  size_t at = (size_t)(key ^ key >> 29) & (m->places - 1);
  while (m->pairs[at].b && (m->pairs[at].a != a || m->pairs[at].b != b)) at = (at + 1) & (m->places - 1);
  return at;
}

/* Twice the room, without pairs that no longer stand together anywhere. */
static dm_status grow(slim *m, dm_error *err) {
  pair *old = m->pairs;
  size_t n = m->places, living = 0;
  for (size_t i = 0; i < n; i++) living += old[i].together > 0;
  size_t places = 1024;
  while (places < living * 4) places *= 2;
  if (!(m->pairs = dm_alloc(m->ctx, places, sizeof *m->pairs, "pairs of sets", err))) {
    m->pairs = old;
    return DM_EBUDGET;
  }
  m->places = places;
  m->n_pairs = 0;
  for (size_t i = 0; i < n; i++)
    if (old[i].together) {
      m->pairs[place_of(m, old[i].a, old[i].b)] = old[i];
      m->n_pairs++;
    }
  dm_free(m->ctx, old);
  return DM_OK;
}

static dm_status count_pair(slim *m, uint32_t x, uint32_t y, int64_t by, dm_error *err) {
  uint32_t a = x < y ? x : y, b = x < y ? y : x;
  if (m->n_pairs * 2 >= m->places) {
    dm_status s = grow(m, err);
    if (s != DM_OK) return s;
  }
  pair *p = &m->pairs[place_of(m, a, b)];
  m->n_pairs += !p->b;
  p->a = a;
  p->b = b;
  p->together += (uint64_t)by;
  if (!p->together) p->refused = 0; /* ids are given again */
  return DM_OK;
}

static dm_status count_cover(slim *m, const uint32_t *ids, size_t n, int64_t by, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0; i < n; i++)
    for (size_t k = i + 1; s == DM_OK && k < n; k++) s = count_pair(m, ids[i], ids[k], by, err);
  return s;
}

/* The cover of a row with its single items. @return ids in it */
static size_t whole_cover(slim *m, uint32_t r, const uint32_t *sets, size_t n, uint32_t *ids) {
  const dm_csr *rows = &m->table.db->rows;
  size_t total = 0;
  for (size_t i = 0; i < n; i++) {
    const code_set *set = &m->table.sets[sets[i]];
    for (uint32_t k = 0; k < set->n; k++) m->covered[set->items[k]] = true;
    ids[total++] = sets[i];
  }
  for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++) {
    if (!m->covered[rows->index[i]]) ids[total++] = rows->index[i];
    m->covered[rows->index[i]] = false;
  }
  return total;
}

static dm_status count_all(slim *m, dm_error *err) {
  const dm_itemdb *db = m->table.db;
  dm_status s = DM_OK;
  for (uint32_t r = 0; s == DM_OK && r < db->rows.n; r++) {
    size_t n = whole_cover(m, r, NULL, 0, m->after);
    s = count_cover(m, m->after, n, (int64_t)db->weight[r], err);
    if (s == DM_OK && r % 1024 == 0) s = dm_ctx_check(m->ctx, err);
  }
  return s;
}

/* Moves ids that the other cover does not have to the front. @return how many these are */
static size_t own_first(uint32_t *ids, size_t n, const uint32_t *other, size_t n_other) {
  size_t own = 0;
  for (size_t i = 0; i < n; i++) {
    bool shared = false;
    for (size_t k = 0; k < n_other && !shared; k++) shared = other[k] == ids[i];
    if (shared) continue;
    uint32_t id = ids[i];
    ids[i] = ids[own];
    ids[own++] = id;
  }
  return own;
}

/* Pairs of which one or both are among the first `own` ids. */
static dm_status count_own(slim *m, const uint32_t *ids, size_t own, size_t n, int64_t by, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0; i < own; i++)
    for (size_t k = i + 1; s == DM_OK && k < n; k++) s = count_pair(m, ids[i], ids[k], by, err);
  return s;
}

/* Called before covers change: what stands together changes with them. */
static dm_status follow(void *user, const code_table *t, dm_error *err) {
  slim *m = user;
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < t->trial.n_changes; i++) {
    const code_change *c = &t->trial.changes[i];
    int64_t weight = (int64_t)t->db->weight[c->row];
    size_t n = whole_cover(m, c->row, t->cover + t->cover_start[c->row], t->n_cover[c->row], m->before);
    size_t k = whole_cover(m, c->row, t->trial.ids + c->first, c->n, m->after);
    size_t own_before = own_first(m->before, n, m->after, k), own_after = own_first(m->after, k, m->before + own_before, n - own_before);
    s = count_own(m, m->before, own_before, n, -weight, err);
    if (s == DM_OK) s = count_own(m, m->after, own_after, k, weight, err);
  }
  return s;
}

/* ---- what a pair promises ---------------------------------------------------------------------- */

static double h(const slim *m, uint64_t usage) {
  if (usage < m->n_h) return m->h[usage];
  return usage ? ((double)usage + 1) * log2((double)usage) : 0;
}

/*
 * Bits saved when the union takes over the c places where X and Y stand together:
 * usages x - c, y - c and c instead of x and y, c usages less in the sum; a set
 * without usage leaves the table.
 */
static double gain_of(const slim *m, const pair *p) {
  const code_set *a = &m->table.sets[p->a], *b = &m->table.sets[p->b];
  uint64_t c = p->together, x = a->usage - c, y = b->usage - c, used = m->table.used - c;
  size_t sets = m->table.n_used + 1 - (x == 0) - (y == 0);
  double before = (double)(m->table.used + m->table.n_used) * log2((double)m->table.used) - h(m, a->usage) - h(m, b->usage);
  double after = (double)(used + sets) * log2((double)used) - h(m, x) - h(m, y) - h(m, c);
  double added = (x ? a->standard : 0) + (y ? b->standard : 0); /* items of the union are those that X and Y had once more */
  return before - after - added;
}

static bool is_less(const promise *x, const promise *y) {
  if (x->gain != y->gain) return x->gain < y->gain;
  return x->a != y->a ? x->a > y->a : x->b > y->b;
}

static void sink_down(promise *heap, size_t n, size_t at) {
  promise moved = heap[at];
  for (size_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && is_less(&heap[child], &heap[child + 1])) child++;
    if (!is_less(&moved, &heap[child])) break;
    heap[at] = heap[child];
  }
  heap[at] = moved;
}

static promise take_greatest(slim *m) {
  promise greatest = m->heap[0];
  m->heap[0] = m->heap[--m->n_heap];
  if (m->n_heap) sink_down(m->heap, m->n_heap, 0);
  return greatest;
}

static dm_status weigh_pairs(slim *m, dm_error *err) {
  m->n_heap = 0;
  for (size_t i = 0; i < m->places; i++) {
    const pair *p = &m->pairs[i];
    if (!p->together) continue;
    double gain = gain_of(m, p);
    if (!(gain > 0) || gain <= p->refused * (1 + 1e-9)) continue;
    if (m->n_heap == m->heap_capacity) {
      size_t more = m->heap_capacity * 2 + 1024;
      promise *heap = dm_realloc(m->ctx, m->heap, more, sizeof *heap, "pairs of sets", err);
      if (!heap) return DM_EBUDGET;
      m->heap = heap;
      m->heap_capacity = more;
    }
    m->heap[m->n_heap++] = (promise){gain, i, p->a, p->b};
  }
  for (size_t i = m->n_heap / 2; i-- > 0;) sink_down(m->heap, m->n_heap, i);
  return DM_OK;
}

/* ---- the search ---------------------------------------------------------------------------------- */

static size_t join(const code_set *a, const code_set *b, uint32_t *to) {
  size_t i = 0, k = 0, n = 0;
  while (i < a->n || k < b->n) to[n++] = k == b->n || (i < a->n && a->items[i] < b->items[k]) ? a->items[i++] : b->items[k++];
  return n;
}

/* Tries the pair; *taken tells whether the table is another one now. */
static dm_status try_pair(slim *m, const promise *best, bool *taken, dm_error *err) {
  code_table *t = &m->table;
  uint32_t id;
  size_t n = join(&t->sets[best->a], &t->sets[best->b], m->joined);
  *taken = false;
  m->pairs[best->at].refused = best->gain;
  dm_status s = code_table_try_add(t, m->joined, n, &id, err);
  if (s != DM_OK || id == UINT32_MAX) return s;
  m->tried++;
  if (t->sets[id].support < m->min_support || !code_table_is_better(t)) return DM_OK;
  *taken = true;
  s = code_table_take_add(t, id, err);
  return s == DM_OK ? code_table_prune(t, &m->pruned, err) : s;
}

static dm_status search(slim *m, dm_error *err) {
  dm_status s = weigh_pairs(m, err);
  while (s == DM_OK && m->n_heap) {
    bool taken;
    promise best = take_greatest(m);
    s = dm_ctx_check(m->ctx, err);
    if (s == DM_OK) s = try_pair(m, &best, &taken, err);
    if (s != DM_OK || !taken) continue;
    dm_progress(m->ctx, "slim", (double)m->table.n, 0, "sets");
    s = weigh_pairs(m, err);
  }
  return s;
}

static dm_status prepare(slim *m, const dm_itemdb *db, dm_error *err) {
  dm_status s = code_table_init(m->ctx, db, &m->table, err);
  if (s != DM_OK) return s;
  m->table.taking = follow;
  m->table.user = m;
  m->n_h = db->total < LOGS ? (size_t)db->total + 1 : LOGS;
  m->h = dm_alloc(m->ctx, m->n_h, sizeof *m->h, "logarithms", err);
  m->before = dm_alloc(m->ctx, m->table.longest, sizeof *m->before, "covers", err);
  m->after = dm_alloc(m->ctx, m->table.longest, sizeof *m->after, "covers", err);
  m->joined = dm_alloc(m->ctx, m->table.longest, sizeof *m->joined, "covers", err);
  m->covered = dm_alloc(m->ctx, db->n_items, sizeof *m->covered, "covers", err);
  if (!m->h || !m->before || !m->after || !m->joined || !m->covered) return DM_EBUDGET;
  for (size_t u = 1; u < m->n_h; u++) m->h[u] = ((double)u + 1) * log2((double)u);
  s = grow(m, err);
  return s == DM_OK ? count_all(m, err) : s;
}

dm_status dm_code_table_slim(dm_ctx *ctx, const dm_transactions *t, uint64_t min_support, dm_arena *arena, dm_code_table *out, dm_error *err) {
  if (min_support < 1) return dm_fail(err, DM_EUSAGE, "slim: min-support = 0, want >= 1");
  slim m = {.ctx = ctx, .min_support = min_support};
  dm_itemdb db = {0};
  dm_status s = dm_itemdb_build(ctx, t, 1, &db, err);
  if (s == DM_OK) s = prepare(&m, &db, err);
  if (s == DM_OK) s = search(&m, err);
  if (s == DM_OK) s = code_table_result(&m.table, arena, out, err);
  if (s == DM_OK) {
    out->tried = m.tried;
    out->pruned = m.pruned;
  }
  code_table_clear(&m.table);
  void *blocks[] = {m.pairs, m.heap, m.h, m.before, m.after, m.joined, m.covered};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) dm_free(ctx, blocks[i]);
  dm_itemdb_clear(&db);
  return s;
}
