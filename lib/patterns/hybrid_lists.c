/*
 * Search in rows that are lists: while many items are left.
 *
 *   item 2's rows        what stands before it         counted in one pass       its own lists
 *   row 0: 0 1 2 4   ->  0 1                           0: 3, 1: 2 (occurrence    the same search with what is
 *   row 3: 0 2           0                             deliver)                  frequent; masks or words as
 *   row 7: 0 1 2 3       0 1                                                     soon as these can hold it
 *
 * The rows of an item are ordered by where it stands in them, so that passes
 * over them go equally far for many rows in a row, which the CPU foresees.
 *
 * Source: Uno, Kiyomi & Arimura, LCM ver. 2, FIMI 2004 (occurrence deliver,
 * database reduction).
 */
#include "patterns/hybrid.h"

#include <stdlib.h>

enum { AHEAD = 8 }; /* rows that are fetched before they are needed */

/* One pass over the rows of an item. */
typedef struct pass {
  const hybrid_lists *lists;
  const uint32_t *row;
  size_t n;
  uint32_t item;
} pass;

static inline const uint32_t *row_of(const pass *p, size_t i) {
  if (i + AHEAD < p->n) __builtin_prefetch(p->lists->index + p->lists->start[p->row[i + AHEAD]]);
  return p->lists->index + p->lists->start[p->row[i]];
}

static inline uint32_t weight_of(const pass *p, size_t i) { return p->lists->weight[p->row[i]]; }

static inline uint32_t code_of(const hybrid_lists *lists, uint32_t item) { return lists->item ? lists->item[item] : item; }

/* ---- few rows: words ---------------------------------------------------------------- */

static size_t fill_words(hybrid_worker *w, const pass *p) {
  uint64_t *word = w->word;
  uint32_t *seen = w->seen;
  size_t n = 0;
  unsigned bit = 0;
  for (size_t i = 0; i < p->n; i++) {
    uint32_t weight = weight_of(p, i);
    uint64_t bits = (((uint64_t)2 << (weight - 1)) - 1) << bit;
    bit += weight;
    for (const uint32_t *at = row_of(p, i); *at < p->item; at++) {
      seen[n] = *at;
      n += word[*at] == 0;
      word[*at] |= bits;
    }
  }
  return n;
}

static dm_status search_words(hybrid_worker *w, const pass *p) {
  dm_emit *e = w->e;
  uint32_t support = p->lists->support[p->item];
  size_t n = fill_words(w, p), perfect = e->n_perfect;
  size_t equal = w->h->k->gather(w->word, w->seen, n, w->h->min, support, &w->columns, w->equals);
  for (size_t i = 0; i < equal; i++) dm_emit_perfect(e, code_of(p->lists, w->equals[i]));
  if (!e->counts)
    for (size_t i = 0; i < w->columns.n; i++) w->columns.item[i] = code_of(p->lists, w->columns.item[i]);
  dm_status s = hybrid_words_search(w, &w->columns, support);
  dm_emit_unperfect(e, perfect);
  return s;
}

/* ---- what leads on ---------------------------------------------------------------------- */

/* Items that stand before the pass's item often enough, ascending. */
typedef struct found {
  uint32_t *place, *support;
  size_t n;
  size_t ones; /* of all rows together */
} found;

static size_t count_items(hybrid_worker *w, const pass *p) {
  uint32_t *count = w->count;
  size_t ones = 0;
  for (size_t i = 0; i < p->n; i++) {
    uint32_t weight = weight_of(p, i);
    const uint32_t *first = row_of(p, i), *at = first;
    for (; *at < p->item; at++) count[*at] += weight;
    ones += (size_t)(at - first);
  }
  return ones;
}

static int by_place(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Takes the counts where few of very many are not zero: from the rows. */
static size_t take_few(hybrid_worker *w, const pass *p, uint32_t all, found *f, uint64_t *keys, size_t *equal) {
  size_t q = 0;
  for (size_t i = 0; i < p->n; i++)
    for (const uint32_t *at = row_of(p, i); *at < p->item; at++) {
      uint32_t c = w->count[*at];
      w->count[*at] = 0;
      if (c == all)
        w->equals[q++] = *at;
      else if (c >= w->h->min)
        keys[f->n++] = (uint64_t)*at << 32 | c;
    }
  qsort(keys, f->n, sizeof *keys, by_place);
  for (size_t i = 0; i < f->n; i++) {
    f->place[i] = (uint32_t)(keys[i] >> 32);
    f->support[i] = (uint32_t)keys[i];
  }
  *equal = q;
  return f->n;
}

/* The perfect ones go to the emit. */
static dm_status find_items(hybrid_worker *w, const pass *p, found *f) {
  uint32_t all = p->lists->support[p->item];
  size_t equal = 0;
  *f = (found){.ones = count_items(w, p)};
  bool few = f->ones < p->item / 64;
  size_t places = (few ? f->ones : p->item) + DM_K_SPARE;
  uint64_t *keys = NULL;
  if (!(f->place = hybrid_take(w, places, sizeof *f->place)) || !(f->support = hybrid_take(w, places, sizeof *f->support)) ||
      (few && !(keys = hybrid_take(w, places, sizeof *keys))))
    return DM_EBUDGET;
  f->n = few ? take_few(w, p, all, f, keys, &equal)
             : w->h->k->take(w->count, p->item, w->h->min, all, f->place, f->support, w->equals, &equal);
  for (size_t i = 0; i < equal; i++) dm_emit_perfect(w->e, code_of(p->lists, w->equals[i]));
  return DM_OK;
}

/* ---- few items: masks ------------------------------------------------------------------- */

static dm_status search_masks(hybrid_worker *w, const pass *p, const found *f) {
  hybrid_masks m = {.columns = (unsigned)f->n, .support = p->lists->support[p->item]};
  if (!(m.mask = hybrid_take(w, p->n + 1, sizeof *m.mask)) || !(m.weight = hybrid_take(w, p->n + 1, sizeof *m.weight))) return DM_EBUDGET;
  for (size_t i = 0; i < f->n; i++) {
    w->code[f->place[i]] = (uint32_t)i;
    m.item[i] = code_of(p->lists, f->place[i]);
  }
  for (size_t i = 0; i < p->n; i++) {
    uint64_t mask = 0;
    for (const uint32_t *at = row_of(p, i); *at < p->item; at++) {
      uint32_t c = w->code[*at];
      mask |= (uint64_t)(c != HYBRID_NONE) << (c & 63);
    }
    m.mask[m.n] = mask;
    m.weight[m.n] = weight_of(p, i);
    m.n += mask != 0;
  }
  for (size_t i = 0; i < f->n; i++) w->code[f->place[i]] = HYBRID_NONE;
  dm_status s = m.columns > HYBRID_TABLE ? hybrid_masks_merge(w, &m) : DM_OK;
  return s == DM_OK ? hybrid_masks_search(w, &m) : s;
}

/* ---- lists of what is left ---------------------------------------------------------------- */

/* Lists in the making. */
typedef struct reduced {
  hybrid_lists lists;
  size_t *start;
  uint32_t *index, *weight, *length, *item;
  uint32_t *order;    /* rows by falling length */
  size_t *longer;     /* [longest + 2] of a length: rows that are as long or longer */
  size_t n, longest;
  uint32_t heaviest;  /* weight */
} reduced;

static bool has_room(hybrid_worker *w, const pass *p, const found *f, reduced *r) {
  size_t ones = 0;
  for (size_t i = 0; i < f->n; i++) ones += f->support[i];
  if (ones > f->ones) ones = f->ones; /* weights count, too */
  return (r->start = hybrid_take(w, p->n + 1, sizeof *r->start)) && (r->weight = hybrid_take(w, p->n, sizeof *r->weight)) &&
         (r->length = hybrid_take(w, p->n, sizeof *r->length)) && (r->order = hybrid_take(w, p->n, sizeof *r->order)) &&
         (r->item = hybrid_take(w, f->n, sizeof *r->item)) &&
         (r->lists.first = hybrid_take(w, f->n + 2, sizeof *r->lists.first)) &&
         (r->longer = hybrid_take(w, w->h->longest + 3, sizeof *r->longer)) &&
         (r->lists.row = hybrid_take(w, ones + 1, sizeof *r->lists.row)) && (r->index = hybrid_take(w, ones + w->h->longest + 1, sizeof *r->index));
}

/* Rows with two items at least, in the codes of what was found. first[i + 2] is how many rows item i has. */
static void copy_rows(hybrid_worker *w, const pass *p, const found *f, reduced *r) {
  size_t *many = r->lists.first + 2, ones = 0;
  memset(r->lists.first, 0, (f->n + 2) * sizeof *r->lists.first);
  memset(r->longer, 0, (w->h->longest + 3) * sizeof *r->longer);
  for (size_t i = 0; i < f->n; i++) {
    w->code[f->place[i]] = (uint32_t)i;
    r->item[i] = code_of(p->lists, f->place[i]);
  }
  for (size_t i = 0; i < p->n; i++) {
    uint32_t *out = r->index + ones, k = 0;
    for (const uint32_t *at = row_of(p, i); *at < p->item; at++) {
      out[k] = w->code[*at];
      k += out[k] != HYBRID_NONE;
    }
    if (k < 2) continue;
    for (uint32_t c = 1; c < k; c++) many[out[c]]++;
    r->start[r->n] = ones;
    r->length[r->n] = k;
    r->weight[r->n] = weight_of(p, i);
    if (r->weight[r->n] > r->heaviest) r->heaviest = r->weight[r->n];
    if (k > r->longest) r->longest = k;
    r->longer[k]++;
    r->n++;
    ones += k;
  }
  for (size_t i = 0; i < f->n; i++) w->code[f->place[i]] = HYBRID_NONE;
}

/* Item by item, rows by where it stands in them. */
static void turn_rows(const found *f, reduced *r) {
  size_t *next = r->lists.first + 1, before = 0;
  for (size_t k = r->longest; k > 1; k--) {
    size_t n = r->longer[k];
    r->longer[k] = before;
    before += n;
  }
  for (size_t i = 0; i < r->n; i++) r->order[r->longer[r->length[i]]++] = (uint32_t)i;
  r->longer[r->longest + 1] = 0;
  for (size_t i = 0; i < f->n; i++) next[i + 1] += next[i];
  for (size_t at = 1; at < r->longest; at++)
    for (size_t i = 0, n = r->longer[at + 1]; i < n; i++) {
      uint32_t row = r->order[i];
      r->lists.row[next[r->index[r->start[row] + at]]++] = row;
    }
}

static dm_status search_lists(hybrid_worker *w, const pass *p, const found *f) {
  reduced r = {.n = 0};
  if (!has_room(w, p, f, &r)) return DM_EBUDGET;
  copy_rows(w, p, f, &r);
  turn_rows(f, &r);
  r.lists.start = r.start;
  r.lists.index = r.index;
  r.lists.weight = r.weight;
  r.lists.item = r.item;
  r.lists.support = f->support;
  r.lists.heaviest = r.heaviest;
  hybrid_leaf(w, p->lists->support[p->item]);
  dm_status s = DM_OK;
  for (size_t i = f->n; i-- > 0 && s == DM_OK && hybrid_goes_on(w);) s = hybrid_lists_extend(w, &r.lists, (uint32_t)i);
  return s;
}

dm_status hybrid_lists_extend(hybrid_worker *w, const hybrid_lists *lists, uint32_t item) {
  dm_emit *e = w->e;
  pass p = {.lists = lists, .row = lists->row + lists->first[item], .n = lists->first[item + 1] - lists->first[item], .item = item};
  size_t perfect = e->n_perfect;
  uint32_t support = lists->support[item];
  dm_stack_mark mark = dm_stack_at(&w->memory);
  dm_status s = DM_OK;
  dm_emit_push(e, code_of(lists, item));
  if (p.n * lists->heaviest < w->h->min || e->n >= w->h->max_size) {
    hybrid_leaf(w, support);
  } else if (support <= HYBRID_WORD) {
    s = search_words(w, &p);
  } else {
    found f;
    s = find_items(w, &p, &f);
    if (s != DM_OK || f.n == 0)
      hybrid_leaf(w, support);
    else
      s = f.n <= 64 ? search_masks(w, &p, &f) : search_lists(w, &p, &f);
  }
  dm_emit_unperfect(e, perfect);
  dm_emit_pop(e);
  dm_stack_back(&w->memory, mark);
  return s;
}

/* ---- the whole database ---------------------------------------------------------------------- */

dm_status hybrid_lists_init(hybrid *h, dm_error *err) {
  const dm_csr *rows = &h->db->rows;
  size_t n = h->db->n_items, ones = rows->start[rows->n] - rows->n;
  hybrid_lists *l = &h->lists;
  *l = (hybrid_lists){.start = rows->start, .index = rows->index, .weight = h->db->weight, .support = h->support};
  if (!(l->first = dm_alloc(h->ctx, n + 2, sizeof *l->first, "search", err)) ||
      !(l->row = dm_alloc(h->ctx, ones + 1, sizeof *l->row, "search", err)))
    return DM_EBUDGET;
  size_t *next = l->first + 1; /* start of item i stands at i + 1 until it is filled */
  for (size_t r = 0; r < rows->n; r++) {
    if (l->weight[r] > l->heaviest) l->heaviest = l->weight[r];
    for (size_t i = rows->start[r] + 1; i < rows->start[r + 1]; i++) next[rows->index[i] + 1]++;
  }
  for (size_t i = 0; i < n; i++) next[i + 1] += next[i];
  for (size_t r = 0; r < rows->n; r++)
    for (size_t i = rows->start[r] + 1; i < rows->start[r + 1]; i++) l->row[next[rows->index[i]]++] = (uint32_t)r;
  return DM_OK;
}

void hybrid_lists_clear(hybrid *h) {
  dm_free(h->ctx, h->lists.first);
  dm_free(h->ctx, h->lists.row);
}
