/*
 * Conditional databases as rows of items, for as long as there are many items:
 * occurrence deliver (Uno, Kiyomi & Arimura, LCM ver. 2, FIMI 2004) counts all
 * items of the rows of a head in one pass; what is frequent with it makes the
 * next database, which goes over to rows of bits as soon as its tail has at
 * most 64 items.
 */
#include "patterns/lcm_merge.h"

#include <string.h>

enum { MAX_PAIRED = 1024 }; /* items of a tail whose pairs are counted */
enum { MAX_WORDS = 8 };      /* closed sets: 64 times so many outer items are taken along with rows of bits */

/* What the rows of a head have. */
typedef struct head_view {
  const dm_lcm_node *node;
  size_t head;
  const uint32_t *rows;
  size_t n_rows, ones; /* ones: of all their items */
  uint64_t support;
  const uint32_t **at; /* [n_rows] where the head stands in a row: items of the tail before it, items that are out behind it */
  size_t n, n_tail;   /* items that are kept, the tail first; none of them is in all rows */
  uint32_t *item;     /* [n] in the node, ascending */
  uint64_t *count;    /* [n] */
  uint32_t *perfect;  /* [n_perfect] items that are in all rows */
  size_t n_perfect;
} head_view;

static inline const uint32_t *row_start(const head_view *v, size_t r) { return v->node->index + v->node->start[v->rows[r]]; }
static inline const uint32_t *row_end(const head_view *v, size_t r) { return v->node->index + v->node->start[v->rows[r] + 1]; }

/* Where items that are out begin in a row. */
static inline const uint32_t *out_start(const head_view *v, size_t r) {
  if (v->at) return v->at[r] + 1;
  const uint32_t *p = row_start(v, r);
  while (*p != v->head) p++;
  return p + 1;
}

/* Whether an item that is out is in all rows: what the first row has of them, cut down by one row after the other. */
static bool has_outer(dm_lcm_worker *w, const head_view *v) {
  uint32_t *left = w->list;
  size_t n = 0;
  for (const uint32_t *p = out_start(v, 0), *end = row_end(v, 0); p < end; p++) left[n++] = *p;
  for (size_t r = 1; r < v->n_rows && n; r++) {
    const uint32_t *p = out_start(v, r), *end = row_end(v, r);
    size_t kept = 0;
    for (size_t i = 0; i < n && p < end;) {
      uint32_t a = left[i], b = *p;
      left[kept] = a;
      kept += a == b;
      i += a <= b;
      p += b <= a;
    }
    n = kept;
  }
  return n > 0;
}

/* Adds up the weights of the items from `begin` on that stand before `end`. @return items with a count, in w->list */
static inline size_t deliver(uint64_t *count, uint32_t *list, size_t n, const uint32_t *p, const uint32_t *end, uint64_t weight) {
  for (; p < end; p++) {
    uint64_t before = count[*p];
    count[*p] = before + weight;
    list[n] = *p;
    n += before == 0;
  }
  return n;
}

/* Sorts numbers by way of bits, when there are many. */
static void sort_items(dm_lcm_worker *w, uint32_t *item, size_t n) {
  if (n <= 24) {
    for (size_t i = 1; i < n; i++) {
      uint32_t moved = item[i];
      size_t j = i;
      for (; j && item[j - 1] > moved; j--) item[j] = item[j - 1];
      item[j] = moved;
    }
    return;
  }
  uint32_t low = UINT32_MAX, high = 0;
  for (size_t i = 0; i < n; i++) {
    w->seen[item[i] / 64] |= (uint64_t)1 << item[i] % 64;
    low = item[i] < low ? item[i] : low;
    high = item[i] > high ? item[i] : high;
  }
  n = 0;
  for (size_t j = low / 64; j <= high / 64; j++) {
    for (uint64_t left = w->seen[j]; left; left &= left - 1) item[n++] = (uint32_t)(j * 64) + (uint32_t)__builtin_ctzll(left);
    w->seen[j] = 0;
  }
}

/* Of the items in w->list those that are in enough rows become the view's, the counters zero again. */
static void keep_frequent(dm_lcm_worker *w, head_view *v, size_t n) {
  size_t first = v->n;
  for (size_t i = 0; i < n; i++) {
    uint32_t item = w->list[i];
    uint64_t count = w->count[item];
    w->mask[item] = 0;
    w->word[item] = 0;
    v->perfect[v->n_perfect] = item;
    v->n_perfect += count == v->support;
    v->item[v->n] = item;
    v->n += count >= w->search->min_support && count != v->support;
  }
  sort_items(w, v->item + first, v->n - first);
  for (size_t i = first; i < v->n; i++) v->count[i] = w->count[v->item[i]];
  for (size_t i = 0; i < n; i++) w->count[w->list[i]] = 0;
}

static head_view view_of(const dm_lcm_node *node, size_t head) {
  return (head_view){.node = node, .head = head, .rows = node->in + node->in_start[head], .n_rows = node->in_start[head + 1] - node->in_start[head],
                     .support = node->count[head]};
}

static bool deliver_tail(dm_lcm_worker *w, head_view *v) {
  const dm_lcm_node *node = v->node;
  size_t head = v->head;
  v->at = dm_lcm_take(w, v->n_rows, sizeof *v->at);
  if (!v->at) return false;
  uint64_t *count = w->count;
  uint32_t *list = w->list;
  size_t n = 0;
  for (size_t r = 0; r < v->n_rows; r++) {
    if (r + 24 < v->n_rows) {
      __builtin_prefetch(node->start + v->rows[r + 24]);
      __builtin_prefetch(node->weight + v->rows[r + 24]);
      __builtin_prefetch(row_start(v, r + 12));
      __builtin_prefetch(row_start(v, r + 12) + 12);
    }
    const uint32_t *p = row_start(v, r);
    uint64_t weight = node->weight[v->rows[r]];
    v->ones += (size_t)(row_end(v, r) - p);
    for (; *p < head; p++) {
      uint64_t before = count[*p];
      count[*p] = before + weight;
      list[n] = *p;
      n += before == 0;
    }
    v->at[r] = p;
  }
  size_t room = (v->ones < node->n ? v->ones : node->n) + 1;
  v->item = dm_lcm_take(w, room, sizeof *v->item);
  v->count = v->item ? dm_lcm_take(w, room, sizeof *v->count) : NULL;
  v->perfect = v->count ? dm_lcm_take(w, room, sizeof *v->perfect) : NULL;
  if (!v->perfect) return false;
  keep_frequent(w, v, n);
  v->n_tail = v->n;
  return true;
}

/* @return true when one of them is in all rows */
static bool deliver_outer(dm_lcm_worker *w, head_view *v) {
  size_t n = 0, n_perfect = v->n_perfect;
  for (size_t r = 0; r < v->n_rows; r++) n = deliver(w->count, w->list, n, v->at[r] + 1, row_end(v, r), v->node->weight[v->rows[r]]);
  w->mask[v->head] = 0;
  w->word[v->head] = 0;
  keep_frequent(w, v, n);
  return v->n_perfect > n_perfect;
}

/* ---- over to rows of bits ----------------------------------------------------------- */

static void place_bits(dm_lcm_worker *w, const head_view *v) {
  w->words = (v->n - v->n_tail + 63) / 64;
  for (size_t i = 0; i < v->n_tail; i++) {
    w->code[i] = v->node->code[v->item[i]];
    w->mask[v->item[i]] = (uint64_t)1 << i;
  }
  for (size_t i = v->n_tail; i < v->n; i++) {
    size_t outer = i - v->n_tail;
    w->mask[v->item[i]] = (uint64_t)1 << outer % 64;
    w->word[v->item[i]] = (uint32_t)(outer / 64);
  }
}

/* Bits of the tail in a row of the head. */
static inline uint64_t tail_bits(const dm_lcm_worker *w, const head_view *v, size_t r) {
  uint64_t bits = 0;
  for (const uint32_t *p = row_start(v, r); p < v->at[r]; p++) bits |= w->mask[*p];
  return bits;
}

static bool merged_bits(dm_lcm_worker *w, const head_view *v) {
  dm_lcm_merger m;
  dm_stack_mark table;
  if (!dm_lcm_merge_open(w, v->n_rows, w->words, &m, &table)) return false;
  for (size_t r = 0; r < v->n_rows; r++) {
    uint64_t bits = tail_bits(w, v, r), x[MAX_WORDS + 1] = {0};
    if (!bits) continue;
    if (w->words)
      for (const uint32_t *p = v->at[r] + 1, *end = row_end(v, r); p < end; p++) x[w->word[*p]] |= w->mask[*p];
    (void)dm_lcm_merge_row(&m, bits, v->node->weight[v->rows[r]], x);
  }
  dm_stack_back(&w->stack, table);
  uint64_t tail = dm_lcm_first(v->n_tail);
  return w->search->kind == DM_CLOSED ? dm_lcm_closed(w, &m.rows, tail, 0, v->count) : dm_lcm_generators(w, &m.rows, tail, v->count);
}

/* @param fits false: there are too many rows and outer items */
static bool maximal_bits(dm_lcm_worker *w, const head_view *v, bool *fits) {
  dm_lcm_merger m;
  dm_stack_mark table;
  size_t n_out = v->n - v->n_tail;
  uint32_t *merged = dm_lcm_take(w, v->n_rows, sizeof *merged);
  if (!merged || !dm_lcm_merge_open(w, v->n_rows, 0, &m, &table)) return false;
  for (size_t r = 0; r < v->n_rows; r++) merged[r] = (uint32_t)dm_lcm_merge_row(&m, tail_bits(w, v, r), v->node->weight[v->rows[r]], NULL);
  dm_stack_back(&w->stack, table);
  if (!(*fits = m.rows.n * n_out <= w->search->max_counts)) return true;
  dm_lcm_counted rows = {.n = m.rows.n, .n_out = n_out, .a = m.rows.a, .weight = m.rows.weight};
  if (!(rows.x = dm_lcm_take(w, rows.n * n_out + 1, sizeof *rows.x))) return false;
  memset(rows.x, 0, rows.n * n_out * sizeof *rows.x);
  for (size_t r = 0; r < v->n_rows; r++) {
    uint32_t *x = rows.x + merged[r] * n_out, weight = v->node->weight[v->rows[r]];
    for (const uint32_t *p = v->at[r] + 1, *end = row_end(v, r); p < end; p++)
      if (w->mask[*p]) x[w->word[*p] * 64 + (size_t)__builtin_ctzll(w->mask[*p])] += weight;
  }
  return dm_lcm_maximal(w, &rows, dm_lcm_first(v->n_tail), v->count);
}

/* Goes over to rows of bits, if that can be. */
static bool as_bits(dm_lcm_worker *w, const head_view *v, bool *fits) {
  bool maximal = w->search->kind == DM_MAXIMAL;
  *fits = v->n_tail <= DM_LCM_BITS && (maximal ? w->search->db->total <= UINT32_MAX : v->n - v->n_tail <= 64 * (size_t)MAX_WORDS);
  if (!*fits) return true;
  place_bits(w, v);
  return maximal ? maximal_bits(w, v, fits) : merged_bits(w, v);
}

/* ---- one more level of rows of items --------------------------------------------------- */

bool dm_lcm_invert(dm_lcm_worker *w, dm_lcm_node *node, size_t first) {
  size_t n = node->n_tail, *start = dm_lcm_take(w, n + 2, sizeof *start);
  if (!start) return false;
  memset(start, 0, (n + 2) * sizeof *start);
  for (size_t r = 0; r < node->n_rows; r++)
    for (size_t i = node->start[r]; i < node->start[r + 1] && node->index[i] < n; i++) start[node->index[i] + 2]++;
  for (size_t i = 0; i < n; i++) start[i + 2] = start[i + 1] + (i < first ? 0 : start[i + 2]);
  uint32_t *in = dm_lcm_take(w, start[n + 1] + 1, sizeof *in);
  if (!in) return false;
  for (size_t r = 0; r < node->n_rows; r++)
    for (size_t i = node->start[r]; i < node->start[r + 1] && node->index[i] < n; i++)
      if (node->index[i] >= first) in[start[node->index[i] + 1]++] = (uint32_t)r;
  node->in_start = start;
  node->in = in;
  return true;
}

/* In how many rows two items of the tail are together, for all pairs in one pass over the rows: most heads turn out to be the last. */
static bool count_pairs(dm_lcm_worker *w, dm_lcm_node *node) {
  size_t n = node->n_tail;
  if (n > MAX_PAIRED || w->search->db->total > UINT32_MAX) return true;
  uint32_t *pairs = dm_lcm_take(w, n * (n - 1) / 2 + 1, sizeof *pairs);
  if (!pairs) return false;
  memset(pairs, 0, n * (n - 1) / 2 * sizeof *pairs);
  for (size_t r = 0; r < node->n_rows; r++) {
    const uint32_t *first = node->index + node->start[r], *end = node->index + node->start[r + 1];
    uint32_t weight = node->weight[r];
    for (const uint32_t *p = first + 1; p < end && *p < n; p++) {
      uint32_t *count = pairs + (size_t)*p * (*p - 1) / 2;
      for (const uint32_t *q = first; q < p; q++) count[*q] += weight;
    }
  }
  node->pairs = pairs;
  return true;
}

static bool next_node(dm_lcm_worker *w, const head_view *v, dm_lcm_node *next) {
  *next = (dm_lcm_node){.n = v->n, .n_tail = v->n_tail, .count = v->count};
  uint32_t *code = dm_lcm_take(w, v->n, sizeof *code), *weight = code ? dm_lcm_take(w, v->n_rows, sizeof *weight) : NULL;
  size_t *start = weight ? dm_lcm_take(w, v->n_rows + 1, sizeof *start) : NULL;
  uint32_t *index = start ? dm_lcm_take(w, v->ones + 1, sizeof *index) : NULL;
  if (!index) return false;
  for (size_t i = 0; i < v->n; i++) {
    code[i] = v->node->code[v->item[i]];
    w->word[v->item[i]] = (uint32_t)i;
    w->mask[v->item[i]] = 1;
  }
  size_t n = 0, ones = 0;
  start[0] = 0;
  for (size_t r = 0; r < v->n_rows; r++) {
    size_t row = v->rows[r];
    for (size_t i = v->node->start[row]; i < v->node->start[row + 1]; i++) {
      index[ones] = w->word[v->node->index[i]];
      ones += w->mask[v->node->index[i]];
    }
    weight[n] = v->node->weight[row];
    if (ones > start[n] && index[start[n]] < v->n_tail)
      start[++n] = ones;
    else
      ones = start[n];
  }
  dm_stack_shrink(&w->stack, index, ones * sizeof *index);
  next->n_rows = n;
  next->code = code;
  next->weight = weight;
  next->start = start;
  next->index = index;
  return count_pairs(w, next) && dm_lcm_invert(w, next, 0);
}

/* The heads of the next database, in the order of the kind. */
static bool all_heads(dm_lcm_worker *w, const dm_lcm_node *node) {
  bool up = w->search->kind == DM_GENERATORS;
  for (size_t i = 0; i < node->n_tail; i++)
    if (!dm_lcm_sparse_head(w, node, up ? i : node->n_tail - 1 - i)) return false;
  return true;
}

static bool go_deeper(dm_lcm_worker *w, const head_view *v) {
  bool fits;
  if (!as_bits(w, v, &fits) || fits) return !w->e->stop && w->status == DM_OK;
  dm_lcm_node next;
  return next_node(w, v, &next) && all_heads(w, &next);
}

/* Whether the head is frequent with an item before it. */
static bool has_pair(const dm_lcm_node *node, size_t head, uint64_t min_support) {
  const uint32_t *count = node->pairs + head * (head - 1) / 2;
  uint32_t most = 0;
  for (size_t i = 0; i < head; i++) most = count[i] > most ? count[i] : most;
  return most >= min_support;
}

/* Whether an item that is out is in enough rows of the head. */
static bool meets_outer(dm_lcm_worker *w, const head_view *v) {
  size_t n = 0, r = 0;
  bool found = false;
  for (; r < v->n_rows && !found; r++)
    for (const uint32_t *p = out_start(v, r), *end = row_end(v, r); p < end; p++) {
      uint64_t before = w->count[*p];
      w->count[*p] = before + v->node->weight[v->rows[r]];
      w->list[n] = *p;
      n += before == 0;
      found |= w->count[*p] >= w->search->min_support;
    }
  while (n-- > 0) w->count[w->list[n]] = 0;
  return found;
}

/* The head and what all its rows have: is it one of those wanted? */
static bool is_wanted(dm_lcm_worker *w, const head_view *v, bool is_last) {
  return w->search->kind == DM_CLOSED || (is_last && !meets_outer(w, v));
}

static bool deeper_head(dm_lcm_worker *w, head_view *v) {
  dm_stack_mark mark = dm_stack_at(&w->stack);
  if (!deliver_tail(w, v)) return false;
  bool ok = true, has_out;
  if (v->n_tail)
    has_out = deliver_outer(w, v);
  else
    has_out = has_outer(w, v);
  if (!has_out) {
    size_t before = w->e->n;
    dm_lcm_push(w, v->node->code[v->head]);
    for (size_t i = 0; i < v->n_perfect; i++) dm_lcm_push(w, v->node->code[v->perfect[i]]);
    if (is_wanted(w, v, !v->n_tail)) dm_lcm_found(w, v->support);
    ok = !v->n_tail || go_deeper(w, v);
    dm_lcm_pop_to(w, before);
  }
  dm_stack_back(&w->stack, mark);
  return ok;
}

/* A head that is frequent with no item before it. */
static bool last_head(dm_lcm_worker *w, const head_view *v) {
  if (has_outer(w, v) || !is_wanted(w, v, true)) return true;
  size_t before = w->e->n;
  dm_lcm_push(w, v->node->code[v->head]);
  dm_lcm_found(w, v->support);
  dm_lcm_pop_to(w, before);
  return true;
}

/* Items that are out, and those that are in all rows, are of no use. */
static bool generator_head(dm_lcm_worker *w, head_view *v) {
  dm_stack_mark mark = dm_stack_at(&w->stack);
  bool is_one, ok = dm_lcm_generator(w, v->node->code[v->head], v->support, &is_one);
  if (!ok || !is_one) return ok;
  if (!v->node->pairs || has_pair(v->node, v->head, w->search->min_support)) ok = deliver_tail(w, v) && (!v->n_tail || go_deeper(w, v));
  dm_emit_pop(w->e);
  dm_stack_back(&w->stack, mark);
  return ok;
}

bool dm_lcm_sparse_head(dm_lcm_worker *w, const dm_lcm_node *node, size_t head) {
  if (w->e->stop) return false;
  head_view v = view_of(node, head);
  if (w->search->kind == DM_GENERATORS) return generator_head(w, &v);
  if (node->pairs && !has_pair(node, head, w->search->min_support)) return last_head(w, &v);
  if (v.support <= 64) return dm_lcm_columns_head(w, node, head);
  return deeper_head(w, &v);
}
