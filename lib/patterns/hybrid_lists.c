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

enum {
  AHEAD = 16,        /* rows that are fetched before they are needed */
  LONG_ROW = 16,     /* items */
  ORDERS = 16,       /* places in a row that are told apart */
  MANY_ITEMS = 65536 /* more are not worth it */
};

/* The rows of an item. */
typedef struct pass {
  const hybrid_lists *lists;
  const uint32_t *light, *heavy; /* heavy[2 i] is a row, heavy[2 i + 1] its weight */
  size_t n_light, n_heavy;
  uint32_t item;
} pass;

static pass pass_of(const hybrid_lists *l, uint32_t item) {
  pass p = {.lists = l, .light = l->row + l->first[item], .n_light = l->light[item] - l->first[item], .item = item};
  p.heavy = l->row + l->light[item];
  p.n_heavy = (l->first[item + 1] - l->light[item]) / 2;
  return p;
}

static inline const uint32_t *light_row(const pass *p, size_t i) {
  if (i + AHEAD < p->n_light) __builtin_prefetch(p->lists->index + p->light[i + AHEAD]);
  return p->lists->index + p->light[i];
}

static inline const uint32_t *heavy_row(const pass *p, size_t i) { return p->lists->index + p->heavy[2 * i]; }
static inline uint32_t heavy_weight(const pass *p, size_t i) { return p->heavy[2 * i + 1]; }
static inline size_t n_rows(const pass *p) { return p->n_light + p->n_heavy; }

static inline uint32_t code_of(const hybrid_lists *lists, uint32_t item) { return lists->item ? lists->item[item] : item; }

/* ---- few rows: words ---------------------------------------------------------------- */

/* @param n items seen so far @return items seen */
static inline size_t set_bits(hybrid_worker *w, const uint32_t *at, uint32_t item, uint64_t bits, size_t n) {
  for (; *at < item; at++) {
    w->seen[n] = *at;
    n += w->word[*at] == 0;
    w->word[*at] |= bits;
  }
  return n;
}

static size_t fill_words(hybrid_worker *w, const pass *p) {
  size_t n = 0, bit = p->n_light;
  for (size_t i = 0; i < p->n_light; i++) n = set_bits(w, light_row(p, i), p->item, (uint64_t)1 << i, n);
  for (size_t i = 0; i < p->n_heavy; i++) {
    uint32_t weight = heavy_weight(p, i);
    n = set_bits(w, heavy_row(p, i), p->item, (((uint64_t)2 << (weight - 1)) - 1) << bit, n);
    bit += weight;
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

/* @return items before the one of the pass */
static inline size_t count_row(uint32_t *count, const uint32_t *first, uint32_t item, uint32_t weight) {
  const uint32_t *at = first;
  for (; *at < item; at++) count[*at] += weight;
  return (size_t)(at - first);
}

static size_t count_items(hybrid_worker *w, const pass *p) {
  size_t ones = 0;
  for (size_t i = 0; i < p->n_light; i++) ones += count_row(w->count, light_row(p, i), p->item, 1);
  for (size_t i = 0; i < p->n_heavy; i++) ones += count_row(w->count, heavy_row(p, i), p->item, heavy_weight(p, i));
  return ones;
}

static int by_place(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Takes the counts where few of very many are not zero: from the rows. */
static size_t take_few(hybrid_worker *w, const pass *p, uint32_t all, found *f, uint64_t *keys, size_t *equal) {
  size_t q = 0;
  for (size_t i = 0; i < n_rows(p); i++)
    for (const uint32_t *at = i < p->n_light ? light_row(p, i) : heavy_row(p, i - p->n_light); *at < p->item; at++) {
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

static inline uint64_t mask_of(const uint32_t *code, const uint32_t *at, uint32_t item) {
  uint64_t mask = 0;
  for (; *at < item; at++) mask |= (uint64_t)(code[*at] != HYBRID_NONE) << (code[*at] & 63);
  return mask;
}

static void fill_masks(hybrid_worker *w, const pass *p, hybrid_masks *m) {
  for (size_t i = 0; i < p->n_light; i++) {
    m->mask[m->n] = mask_of(w->code, light_row(p, i), p->item);
    m->weight[m->n] = 1;
    m->n += m->mask[m->n] != 0;
  }
  for (size_t i = 0; i < p->n_heavy; i++) {
    m->mask[m->n] = mask_of(w->code, heavy_row(p, i), p->item);
    m->weight[m->n] = heavy_weight(p, i);
    m->n += m->mask[m->n] != 0;
  }
}

static dm_status search_masks(hybrid_worker *w, const pass *p, const found *f) {
  hybrid_masks m = {.columns = (unsigned)f->n, .support = p->lists->support[p->item]};
  if (!(m.mask = hybrid_take(w, n_rows(p) + 1, sizeof *m.mask)) || !(m.weight = hybrid_take(w, n_rows(p) + 1, sizeof *m.weight)))
    return DM_EBUDGET;
  for (size_t i = 0; i < f->n; i++) {
    w->code[f->place[i]] = (uint32_t)i;
    m.item[i] = code_of(p->lists, f->place[i]);
  }
  fill_masks(w, p, &m);
  for (size_t i = 0; i < f->n; i++) w->code[f->place[i]] = HYBRID_NONE;
  dm_status s = m.columns > hybrid_table_columns(m.n) ? hybrid_masks_merge(w, &m) : DM_OK;
  return s == DM_OK ? hybrid_masks_search(w, &m) : s;
}

/* ---- not so few items in long rows: two words ----------------------------------------------- */

static inline void fill_wide_row(const uint32_t *code, const uint32_t *at, uint32_t item, uint32_t weight, hybrid_wide *m) {
  uint64_t low = 0, high = 0;
  for (; *at < item; at++) {
    uint32_t c = code[*at];
    low |= (uint64_t)(c < 64) << (c & 63);
    high |= (uint64_t)(c >= 64 && c != HYBRID_NONE) << (c & 63);
  }
  m->low[m->n] = low;
  m->high[m->n] = high;
  m->weight[m->n++] = weight;
}

static dm_status search_wide(hybrid_worker *w, const pass *p, const found *f) {
  hybrid_wide m = {.columns = (unsigned)f->n, .support = p->lists->support[p->item]};
  size_t n = n_rows(p);
  if (!(m.low = hybrid_take(w, n, sizeof *m.low)) || !(m.high = hybrid_take(w, n, sizeof *m.high)) ||
      !(m.weight = hybrid_take(w, n, sizeof *m.weight)))
    return DM_EBUDGET;
  for (size_t i = 0; i < f->n; i++) {
    w->code[f->place[i]] = (uint32_t)i;
    m.item[i] = code_of(p->lists, f->place[i]);
  }
  for (size_t i = 0; i < p->n_light; i++) fill_wide_row(w->code, light_row(p, i), p->item, 1, &m);
  for (size_t i = 0; i < p->n_heavy; i++) fill_wide_row(w->code, heavy_row(p, i), p->item, heavy_weight(p, i), &m);
  for (size_t i = 0; i < f->n; i++) w->code[f->place[i]] = HYBRID_NONE;
  return hybrid_wide_search(w, &m);
}

/* ---- lists of what is left ---------------------------------------------------------------- */

typedef struct reduced_row {
  uint32_t first, length, weight; /* place of its items in the index */
} reduced_row;

/* Lists in the making. */
typedef struct reduced {
  hybrid_lists lists;
  uint32_t *index, *item;
  size_t ones;
  reduced_row *row, *sorted; /* as they were read; by falling length */
  size_t n, longest;
  size_t *longer; /* [longest + 3] of a length: rows that are as long or longer */
} reduced;

static bool has_room(hybrid_worker *w, const pass *p, const found *f, reduced *r) {
  size_t ones = 0, n = n_rows(p), longest = w->h->longest + 3;
  for (size_t i = 0; i < f->n; i++) ones += f->support[i];
  if (ones > f->ones) ones = f->ones; /* weights count, too */
  return (r->row = hybrid_take(w, n, sizeof *r->row)) && (r->sorted = hybrid_take(w, n, sizeof *r->sorted)) &&
         (r->item = hybrid_take(w, f->n, sizeof *r->item)) && (r->lists.first = hybrid_take(w, f->n + 2, sizeof *r->lists.first)) &&
         (r->lists.light = hybrid_take(w, f->n, sizeof *r->lists.light)) && (r->longer = hybrid_take(w, longest, sizeof *r->longer)) &&
         (r->index = hybrid_take(w, ones + longest, sizeof *r->index));
}

/* A row with two items at least, in the codes of what was found. */
static inline void copy_row(const uint32_t *code, const uint32_t *at, uint32_t item, uint32_t weight, reduced *r) {
  uint32_t *out = r->index + r->ones, k = 0, *places = r->lists.first + 1;
  for (; *at < item; at++) {
    out[k] = code[*at];
    k += out[k] != HYBRID_NONE;
  }
  if (k < 2) return;
  for (uint32_t i = 1; i < k; i++) places[out[i]] += weight > 1 ? 2 : 1; /* first[i + 1]: what item i needs */
  r->row[r->n++] = (reduced_row){(uint32_t)r->ones, k, weight};
  if (weight > r->lists.heaviest) r->lists.heaviest = weight;
  if (k > r->longest) r->longest = k;
  r->longer[k]++;
  r->ones += k;
}

static void copy_rows(hybrid_worker *w, const pass *p, const found *f, reduced *r) {
  memset(r->lists.first, 0, (f->n + 2) * sizeof *r->lists.first);
  memset(r->longer, 0, (w->h->longest + 3) * sizeof *r->longer);
  for (size_t i = 0; i < f->n; i++) {
    w->code[f->place[i]] = (uint32_t)i;
    r->item[i] = code_of(p->lists, f->place[i]);
  }
  for (size_t i = 0; i < p->n_light; i++) copy_row(w->code, light_row(p, i), p->item, 1, r);
  for (size_t i = 0; i < p->n_heavy; i++) copy_row(w->code, heavy_row(p, i), p->item, heavy_weight(p, i), r);
  for (size_t i = 0; i < f->n; i++) w->code[f->place[i]] = HYBRID_NONE;
}

static void sort_rows(reduced *r) {
  size_t before = 0;
  for (size_t k = r->longest; k > 1; k--) {
    size_t n = r->longer[k];
    r->longer[k] = before;
    before += n;
  }
  for (size_t i = 0; i < r->n; i++) r->sorted[r->longer[r->row[i].length]++] = r->row[i];
}

/* Where lists begin and end. @param end [n_items] out @return places */
static size_t place_lists(hybrid_lists *l, size_t n_items, uint32_t *end) {
  for (size_t i = 0; i < n_items; i++) {
    l->first[i + 1] += l->first[i];
    l->light[i] = l->first[i];
    end[i] = l->first[i + 1];
  }
  return l->first[n_items];
}

/* When all are in, light and end meet. */
static inline void list_row(hybrid_lists *l, uint32_t *end, uint32_t item, uint32_t row, uint32_t weight) {
  if (weight == 1) {
    l->row[l->light[item]++] = row;
  } else {
    end[item] -= 2;
    l->row[end[item]] = row;
    l->row[end[item] + 1] = weight;
  }
}

static dm_status search_lists(hybrid_worker *w, const pass *p, const found *f) {
  reduced r = {.lists = {.item = NULL}};
  uint32_t *end = hybrid_take(w, f->n, sizeof *end);
  if (!end || !has_room(w, p, f, &r)) return DM_EBUDGET;
  hybrid_lists *l = &r.lists;
  copy_rows(w, p, f, &r);
  sort_rows(&r);
  if (!(l->row = hybrid_take(w, place_lists(l, f->n, end), sizeof *l->row))) return DM_EBUDGET;
  for (size_t at = 1; at < r.longest; at++)
    for (size_t i = 0, n = r.longer[at + 1]; i < n; i++)
      list_row(l, end, r.index[r.sorted[i].first + at], r.sorted[i].first, r.sorted[i].weight);
  l->index = r.index;
  l->item = r.item;
  l->support = f->support;
  hybrid_leaf(w, p->lists->support[p->item]);
  dm_status s = DM_OK;
  for (size_t i = f->n; i-- > 0 && s == DM_OK && hybrid_goes_on(w);) s = hybrid_lists_extend(w, l, (uint32_t)i);
  return s;
}

dm_status hybrid_lists_extend(hybrid_worker *w, const hybrid_lists *lists, uint32_t item) {
  dm_emit *e = w->e;
  pass p = pass_of(lists, item);
  size_t perfect = e->n_perfect;
  uint32_t support = lists->support[item];
  dm_stack_mark mark = dm_stack_at(&w->memory);
  dm_status s = DM_OK;
  dm_emit_push(e, code_of(lists, item));
  if (p.n_light + p.n_heavy * (uint64_t)lists->heaviest < w->h->min || e->n >= w->h->max_size) {
    hybrid_leaf(w, support);
  } else if (support <= HYBRID_WORD) {
    s = search_words(w, &p);
  } else {
    found f;
    s = find_items(w, &p, &f);
    if (s != DM_OK || f.n == 0)
      hybrid_leaf(w, support);
    else if (f.n <= 64)
      s = search_masks(w, &p, &f);
    else if (f.n <= 128 && f.ones >= LONG_ROW * n_rows(&p))
      s = search_wide(w, &p, &f);
    else
      s = search_lists(w, &p, &f);
  }
  dm_emit_unperfect(e, perfect);
  dm_emit_pop(e);
  dm_stack_back(&w->memory, mark);
  return s;
}

/* ---- the whole database ---------------------------------------------------------------------- */

/*
 * Lists of the database in the making. Where there are not too many items, the
 * light rows of each are ordered by where it stands in them.
 */
typedef struct turned {
  hybrid_lists *lists;
  const dm_csr *rows;
  const uint32_t *weight;
  size_t orders;
  uint32_t *next; /* [n_items, orders] numbers of light rows, then where the next one goes */
  uint32_t *end;  /* [n_items] the same of the heavy ones, from the end of the list backwards */
} turned;

static inline uint32_t *order_of(const turned *t, size_t row, size_t at) {
  size_t stands = at - t->rows->start[row];
  return t->next + t->rows->index[at] * t->orders + (stands < t->orders ? stands : t->orders - 1);
}

static void count_rows(turned *t) {
  const dm_csr *rows = t->rows;
  for (size_t r = 0; r < rows->n; r++) {
    uint32_t weight = t->weight[r];
    if (weight > t->lists->heaviest) t->lists->heaviest = weight;
    for (size_t i = rows->start[r + 1]; i-- > rows->start[r] + 1 && rows->index[i] >= 64;) {
      if (weight == 1)
        ++*order_of(t, r, i);
      else
        t->end[rows->index[i]] += 2;
    }
  }
}

/* @return places of all lists */
static uint32_t place_rows(turned *t, size_t n_items) {
  uint32_t at = 0;
  for (size_t i = 0; i < n_items; i++) {
    t->lists->first[i] = at;
    for (size_t k = 0; k < t->orders; k++) {
      uint32_t n = t->next[i * t->orders + k];
      t->next[i * t->orders + k] = at;
      at += n;
    }
    t->lists->light[i] = at;
    at = t->end[i] += at;
  }
  return t->lists->first[n_items] = at;
}

static void fill_lists(const turned *t) {
  const dm_csr *rows = t->rows;
  for (size_t r = 0; r < rows->n; r++) {
    uint32_t row = (uint32_t)rows->start[r], weight = t->weight[r];
    for (size_t i = rows->start[r + 1]; i-- > rows->start[r] + 1 && rows->index[i] >= 64;) {
      if (weight == 1)
        t->lists->row[(*order_of(t, r, i))++] = row;
      else
        list_row(t->lists, t->end, rows->index[i], row, weight);
    }
  }
}

dm_status hybrid_lists_init(hybrid *h, dm_error *err) {
  size_t n = h->db->n_items;
  hybrid_lists *l = &h->lists;
  *l = (hybrid_lists){.index = h->db->rows.index, .support = h->support};
  turned t = {.lists = l, .rows = &h->db->rows, .weight = h->db->weight, .orders = n <= MANY_ITEMS ? ORDERS : 1};
  if (!(t.next = dm_alloc(h->ctx, n, t.orders * sizeof *t.next, "search", err)) ||
      !(t.end = dm_alloc(h->ctx, n, sizeof *t.end, "search", err)) ||
      !(l->first = dm_alloc(h->ctx, n + 1, sizeof *l->first, "search", err)) ||
      !(l->light = dm_alloc(h->ctx, n, sizeof *l->light, "search", err)))
    goto done;
  count_rows(&t);
  if (!(l->row = dm_alloc(h->ctx, (size_t)place_rows(&t, n) + 1, sizeof *l->row, "search", err))) goto done;
  fill_lists(&t);
done:
  dm_free(h->ctx, t.next);
  dm_free(h->ctx, t.end);
  return l->row ? DM_OK : DM_EBUDGET;
}

void hybrid_lists_clear(hybrid *h) {
  dm_free(h->ctx, h->lists.first);
  dm_free(h->ctx, h->lists.light);
  dm_free(h->ctx, h->lists.row);
}
