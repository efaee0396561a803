/*
 * A naive miner: the support of every set of up to 16 items is counted, and the
 * kinds are taken by their definitions. What the searches must find.
 *
 *   set_list want, got;
 *   naive_mine(t, min_support, kind, &want);        want by definition
 *   miner_sets(ctx, miner, &db, kind, max_size, &got);   got by a search
 *   assert_same_sets(&want, &got, "...");
 */
#ifndef DM_TESTS_PATTERNS_NAIVE_H
#define DM_TESTS_PATTERNS_NAIVE_H

#include "patterns/data.h"
#include "patterns/miner.h"

enum { NAIVE_ITEMS = 16 };

/* Sets as bits of their items' codes in the transactions, ascending. */
typedef struct set_list {
  size_t n, capacity;
  struct found_set {
    uint32_t set;
    uint64_t support;
  } *sets;
} set_list;

static inline void add_set(set_list *list, uint32_t set, uint64_t support) {
  if (list->n == list->capacity) {
    list->capacity = list->capacity ? 2 * list->capacity : 64;
    list->sets = realloc(list->sets, list->capacity * sizeof *list->sets);
    assert_non_null(list->sets);
  }
  list->sets[list->n++] = (struct found_set){set, support};
}

static inline void clear_sets(set_list *list) {
  free(list->sets);
  *list = (set_list){0};
}

static inline int compare_sets(const void *a, const void *b) {
  const struct found_set *x = a, *y = b;
  return (x->set > y->set) - (x->set < y->set);
}

/* ---- by definition ------------------------------------------------------------------ */

/* [2^items] supports of all sets: each row counts at its own set, then each set adds up those that have one item more, item by item. */
static inline uint64_t *naive_supports(const dm_transactions *t) {
  size_t end = (size_t)1 << t->n_items;
  uint64_t *support = calloc(end, sizeof *support);
  assert_non_null(support);
  support[0] = t->empty;
  for (size_t r = 0; r < t->rows.n; r++) {
    uint32_t row = 0;
    for (size_t i = t->rows.start[r]; i < t->rows.start[r + 1]; i++) row |= UINT32_C(1) << t->rows.index[i];
    support[row] += t->weight ? t->weight[r] : 1;
  }
  for (size_t bit = 1; bit < end; bit *= 2)
    for (size_t set = 0; set < end; set++)
      if (!(set & bit)) support[set] += support[set | bit];
  assert_true(support[0] == t->total);
  return support;
}

/* One item more or less is enough: support never rises when an item comes. */
static inline bool naive_is_wanted(const uint64_t *support, size_t n_items, uint32_t set, uint64_t min_support, dm_itemset_kind kind) {
  for (size_t i = 0; i < n_items; i++) {
    uint32_t bit = UINT32_C(1) << i;
    if (kind == DM_CLOSED && !(set & bit) && support[set | bit] == support[set]) return false;
    if (kind == DM_MAXIMAL && !(set & bit) && support[set | bit] >= min_support) return false;
    if (kind == DM_GENERATORS && (set & bit) && support[set & ~bit] == support[set]) return false;
  }
  return true;
}

static inline void naive_mine(const dm_transactions *t, uint64_t min_support, dm_itemset_kind kind, set_list *out) {
  assert_true(t->n_items <= NAIVE_ITEMS);
  uint32_t end = UINT32_C(1) << t->n_items;
  uint64_t *support = naive_supports(t);
  *out = (set_list){0};
  for (uint32_t set = 1; set < end; set++)
    if (support[set] >= min_support && naive_is_wanted(support, t->n_items, set, min_support, kind)) add_set(out, set, support[set]);
  free(support);
}

/* ---- by a search --------------------------------------------------------------------- */

typedef struct record_reader {
  const dm_itemdb *db;
  set_list *out;
} record_reader;

static inline dm_status read_records(void *user, const char *p, size_t n, dm_error *err) {
  (void)err;
  record_reader *reader = user;
  while (n) {
    uint32_t n_items, item, set = 0;
    uint64_t support;
    memcpy(&n_items, p, sizeof n_items);
    p += sizeof n_items;
    for (uint32_t i = 0, before = 0; i < n_items; i++, p += sizeof item) {
      memcpy(&item, p, sizeof item);
      assert_true(i == 0 || item > before);
      before = item;
      set |= UINT32_C(1) << reader->db->source[item];
    }
    memcpy(&support, p, sizeof support);
    p += sizeof support;
    size_t size = sizeof n_items + n_items * sizeof item + sizeof support;
    assert_true(n >= size);
    n -= size;
    add_set(reader->out, set, support);
  }
  return DM_OK;
}

/* What a search finds, in its order. @param out out; cleared when it fails */
static inline dm_status try_miner(dm_ctx *ctx, const dm_miner *miner, const dm_itemdb *db, dm_itemset_kind kind, size_t max_size, set_list *out,
                                  uint64_t *count, dm_error *err) {
  *out = (set_list){0};
  record_reader reader = {db, out};
  dm_sink sink = {&reader, read_records};
  dm_reporter_options o = {.format = DM_REPORT_RECORDS, .db = db, .min_size = 1, .max_size = max_size, .sink = &sink};
  dm_reporter *r = NULL;
  dm_status s = dm_reporter_new(ctx, &o, &r, err);
  if (s != DM_OK) return s;
  s = miner->mine(ctx, db, kind, max_size, r, err);
  if (s == DM_OK) s = dm_reporter_finish(r, count, err);
  dm_reporter_free(r);
  if (s != DM_OK) clear_sets(out);
  return s;
}

static inline void miner_sets(dm_ctx *ctx, const dm_miner *miner, const dm_itemdb *db, dm_itemset_kind kind, size_t max_size, set_list *out) {
  dm_error err = {0};
  uint64_t count = 0;
  dm_status s = try_miner(ctx, miner, db, kind, max_size, out, &count, &err);
  if (s != DM_OK) print_error("%s: %s\n", miner->name, err.message);
  assert_int_equal(s, DM_OK);
  assert_true(count == out->n);
}

/* Only how many: the way on which a search may leave out everything else. */
static inline dm_status count_in(dm_ctx *ctx, const dm_miner *miner, const dm_itemdb *db, dm_itemset_kind kind, uint64_t *count, dm_error *err) {
  dm_reporter_options o = {.format = DM_REPORT_COUNT, .db = db, .min_size = 1, .max_size = SIZE_MAX};
  dm_reporter *r = NULL;
  dm_status s = dm_reporter_new(ctx, &o, &r, err);
  if (s == DM_OK) s = miner->mine(ctx, db, kind, SIZE_MAX, r, err);
  if (s == DM_OK) s = dm_reporter_finish(r, count, err);
  dm_reporter_free(r);
  return s;
}

static inline uint64_t miner_count(dm_ctx *ctx, const dm_miner *miner, const dm_itemdb *db, dm_itemset_kind kind) {
  dm_error err = {0};
  uint64_t count = 0;
  dm_status s = count_in(ctx, miner, db, kind, &count, &err);
  if (s != DM_OK) print_error("%s: %s\n", miner->name, err.message);
  assert_int_equal(s, DM_OK);
  return count;
}

/* ---- comparing ----------------------------------------------------------------------- */

/* Of a list only the sets of up to so many items. */
static inline void keep_up_to(set_list *list, size_t max_size) {
  size_t n = 0;
  for (size_t i = 0; i < list->n; i++)
    if ((size_t)__builtin_popcount(list->sets[i].set) <= max_size) list->sets[n++] = list->sets[i];
  list->n = n;
}

static inline void print_set(const char *what, const struct found_set *s) {
  print_error("  %s {", what);
  for (unsigned i = 0; i < 32; i++)
    if (s->set >> i & 1) print_error(" %u", i);
  print_error(" } %llu\n", (unsigned long long)s->support);
}

/* Set by set, in any order; prints those that are too many or too few. Sorts `got`. */
static inline void assert_same_sets(const set_list *want, set_list *got, const char *where) {
  if (got->n) qsort(got->sets, got->n, sizeof *got->sets, compare_sets);
  size_t i = 0, j = 0, wrong = 0;
  while ((i < want->n || j < got->n) && wrong < 10) {
    const struct found_set *w = i < want->n ? &want->sets[i] : NULL, *g = j < got->n ? &got->sets[j] : NULL;
    int order = !w ? 1 : !g ? -1 : compare_sets(w, g);
    if (order == 0 && w->support == g->support) {
      i++;
      j++;
      continue;
    }
    if (wrong++ == 0) print_error("%s: %zu sets, want %zu\n", where, got->n, want->n);
    if (order <= 0) print_set("want", &want->sets[i++]);
    if (order >= 0) print_set("got", &got->sets[j++]);
  }
  assert_int_equal(wrong, 0);
}

#endif
