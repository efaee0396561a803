/* KRIMP and SLIM: lengths by hand, the same table as a search written the slow way, covers that hold. */
#include "data.h"

#include <dm/patterns.h>
#include <math.h>

enum { MAX_ITEMS = 12, MAX_SETS = 512, MAX_ROWS = 200 };

/* ---- the slow way: sets as bits of a word, every cover found anew ---------------------------------- */

typedef struct slow {
  uint32_t rows[MAX_ROWS];
  size_t n, d;
  uint32_t sets[MAX_SETS]; /* in the order of covering */
  size_t m;
  uint64_t usage[MAX_SETS], item_usage[MAX_ITEMS], item_support[MAX_ITEMS];
} slow;

static uint64_t support_of(const slow *x, uint32_t set) {
  uint64_t n = 0;
  for (size_t r = 0; r < x->n; r++) n += (x->rows[r] & set) == set;
  return n;
}

static int size_of(uint32_t set) { return __builtin_popcount(set); }

static bool covers_first(const slow *x, uint32_t a, uint32_t b) {
  if (size_of(a) != size_of(b)) return size_of(a) > size_of(b);
  if (support_of(x, a) != support_of(x, b)) return support_of(x, a) > support_of(x, b);
  uint32_t first = (a ^ b) & -(a ^ b); /* the lowest item that only one has */
  return (a & first) != 0;
}

static void cover(slow *x) {
  memset(x->usage, 0, sizeof x->usage);
  memset(x->item_usage, 0, sizeof x->item_usage);
  for (size_t r = 0; r < x->n; r++) {
    uint32_t left = x->rows[r];
    for (size_t i = 0; i < x->m; i++)
      if ((left & x->sets[i]) == x->sets[i]) {
        left &= ~x->sets[i];
        x->usage[i]++;
      }
    for (size_t i = 0; i < x->d; i++) x->item_usage[i] += left >> i & 1;
  }
}

static double standard_of(const slow *x, uint32_t set) {
  double sum = 0, bits = 0;
  for (size_t i = 0; i < x->d; i++) sum += (double)x->item_support[i];
  for (size_t i = 0; i < x->d; i++)
    if (set >> i & 1) bits += log2(sum / (double)x->item_support[i]);
  return bits;
}

static double length_of(slow *x) {
  double sum = 0, bits = 0;
  cover(x);
  for (size_t i = 0; i < x->m; i++) sum += (double)x->usage[i];
  for (size_t i = 0; i < x->d; i++) sum += (double)x->item_usage[i];
  for (size_t i = 0; i < x->m; i++)
    if (x->usage[i]) bits += (double)(x->usage[i] + 1) * log2(sum / (double)x->usage[i]) + standard_of(x, x->sets[i]);
  for (size_t i = 0; i < x->d; i++)
    if (x->item_usage[i]) bits += (double)(x->item_usage[i] + 1) * log2(sum / (double)x->item_usage[i]) + standard_of(x, 1u << i);
  return bits;
}

static void insert(slow *x, uint32_t set) {
  size_t at = 0;
  while (at < x->m && covers_first(x, x->sets[at], set)) at++;
  memmove(x->sets + at + 1, x->sets + at, (x->m - at) * sizeof *x->sets);
  x->sets[at] = set;
  x->m++;
}

static void take_out(slow *x, uint32_t set) {
  size_t at = 0;
  while (x->sets[at] != set) at++;
  x->m--;
  memmove(x->sets + at, x->sets + at + 1, (x->m - at) * sizeof *x->sets);
}

static uint64_t usage_of(const slow *x, uint32_t set) {
  for (size_t i = 0; i < x->m; i++)
    if (x->sets[i] == set) return x->usage[i];
  return 0;
}

/* Sets whose usage fell from what it was in `before` join those that are to be looked at. */
static size_t note_fallen(const slow *before, const slow *now, uint32_t *fallen, size_t n) {
  for (size_t i = 0; i < before->m; i++) {
    bool known = false;
    for (size_t k = 0; k < n; k++) known |= fallen[k] == before->sets[i];
    if (!known && usage_of(now, before->sets[i]) < before->usage[i]) fallen[n++] = before->sets[i];
  }
  return n;
}

static double slow_prune(slow *x, const slow *before, double best) {
  uint32_t fallen[MAX_SETS];
  size_t n = note_fallen(before, x, fallen, 0);
  while (n) {
    size_t least = 0;
    for (size_t k = 1; k < n; k++) {
      uint64_t a = usage_of(x, fallen[k]), b = usage_of(x, fallen[least]);
      if (a < b || (a == b && covers_first(x, fallen[k], fallen[least]))) least = k;
    }
    uint32_t set = fallen[least];
    fallen[least] = fallen[--n];
    slow without = *x;
    take_out(&without, set);
    double length = length_of(&without);
    if (usage_of(x, set) && !(length < best - 1e-6)) continue;
    slow was = *x;
    take_out(&was, set);
    *x = without;
    best = length;
    n = note_fallen(&was, x, fallen, n);
  }
  return best;
}

/* ---- what both work on ------------------------------------------------------------------------------- */

/* Bits of the rows, by the places that items have in a database: the more frequent first. */
static void read_rows(slow *x, const dm_transactions *t, const dm_itemdb *db, uint32_t *bit) {
  x->n = t->rows.n;
  x->d = db->n_items;
  for (size_t i = 0; i < db->n_items; i++) {
    bit[db->source[i]] = 1u << i;
    x->item_support[i] = db->support[i];
  }
  for (size_t r = 0; r < t->rows.n; r++)
    for (size_t i = t->rows.start[r]; i < t->rows.start[r + 1]; i++) x->rows[r] |= bit[t->rows.index[i]];
  cover(x);
}

static int compare_sets(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* All sets of support 2 and more, in no order that helps, as codes of the transactions. */
static void all_sets(const slow *x, const dm_itemdb *db, dm_arena *arena, dm_itemsets *out) {
  size_t n = 0, ones = 0, room = (size_t)1 << x->d;
  size_t *start = dm_arena_alloc(arena, room + 1, sizeof *start, NULL);
  uint32_t *items = dm_arena_alloc(arena, room * x->d, sizeof *items, NULL);
  uint64_t *support = dm_arena_alloc(arena, room, sizeof *support, NULL);
  for (uint32_t set = 1; set < room; set++) {
    if ((support[n] = support_of(x, set)) < 2) continue;
    for (size_t i = 0; i < x->d; i++)
      if (set >> i & 1) items[ones++] = db->source[i];
    qsort(items + start[n], ones - start[n], sizeof *items, compare_sets);
    start[++n] = ones;
  }
  *out = (dm_itemsets){n, start, items, support};
}

static uint32_t bits_of(const dm_code_table *c, size_t i, const uint32_t *bit) {
  uint32_t set = 0;
  for (size_t k = c->sets.start[i]; k < c->sets.start[i + 1]; k++) set |= bit[c->sets.items[k]];
  return set;
}

/* Usages and lengths of a result are those of covers with its sets that are found anew. */
static void holds(const slow *rows, const dm_code_table *c, const uint32_t *bit) {
  slow x = *rows;
  x.m = 0;
  for (size_t i = 0; i < c->n_patterns; i++) insert(&x, bits_of(c, i, bit));
  assert_true(fabs(length_of(&x) - c->total_bits) < 1e-6);
  for (size_t i = 0; i < c->sets.n; i++) {
    uint32_t set = bits_of(c, i, bit);
    assert_true(c->sets.support[i] == support_of(&x, set));
    assert_true(c->usage[i] > 0 && (i < c->n_patterns) == (size_of(set) > 1));
    assert_true(c->usage[i] == (i < c->n_patterns ? usage_of(&x, set) : x.item_usage[__builtin_ctz(set)]));
  }
  x = *rows;
  x.m = 0;
  assert_true(fabs(length_of(&x) - c->standard_bits) < 1e-6);
  assert_true(c->total_bits <= c->standard_bits + 1e-6);
  assert_true(fabs(c->data_bits + c->table_bits - c->total_bits) < 1e-6);
}

/* KRIMP the slow way on the same candidates, in the order of trying. */
static double slow_krimp(slow *x, const dm_itemsets *sets, const uint32_t *bit) {
  double best = length_of(x);
  uint32_t left[1 << MAX_ITEMS];
  size_t n = 0;
  for (size_t i = 0; i < sets->n; i++) {
    uint32_t set = 0;
    for (size_t k = sets->start[i]; k < sets->start[i + 1]; k++) set |= bit[sets->items[k]];
    if (size_of(set) > 1) left[n++] = set;
  }
  while (n) {
    size_t first = 0;
    for (size_t i = 1; i < n; i++) {
      uint64_t a = support_of(x, left[i]), b = support_of(x, left[first]);
      if (a > b || (a == b && covers_first(x, left[i], left[first]))) first = i;
    }
    uint32_t set = left[first];
    left[first] = left[--n];
    slow with = *x;
    insert(&with, set);
    double length = length_of(&with);
    if (!(length < best - 1e-6)) continue;
    slow before = *x;
    *x = with;
    best = slow_prune(x, &before, length);
  }
  return best;
}

/* ---- tests --------------------------------------------------------------------------------------------- */

/*
 * a b four times: by single items 8 codes of 1 bit, and in the table twice (1 + 1): 12 bits. With the set a b, its code has 0 bits and
 * it is written by single items in 2.
 */
static void test_by_hand(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_arena *arena = NULL;
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  dm_transactions *t = transactions_of(ctx, "a b\nb a\na b\na b\n");
  const size_t start[] = {0, 1, 3, 4};
  const uint32_t items[] = {0, 0, 1, 1};
  const uint64_t support[] = {4, 4, 4};
  const dm_itemsets candidates = {3, start, items, support};
  for (int by_slim = 0; by_slim < 2; by_slim++) {
    dm_code_table c;
    dm_status s = by_slim ? dm_code_table_slim(ctx, t, 1, arena, &c, NULL) : dm_code_table_krimp(ctx, t, &candidates, arena, &c, NULL);
    assert_int_equal(s, DM_OK);
    assert_true(fabs(c.standard_bits - 12) < 1e-9 && fabs(c.total_bits - 2) < 1e-9);
    assert_true(fabs(c.data_bits) < 1e-9 && fabs(c.bits[0]) < 1e-9);
    assert_int_equal(c.sets.n, 1);
    assert_int_equal(c.n_patterns, 1);
    assert_true(c.usage[0] == 4 && c.sets.support[0] == 4 && c.sets.items[0] == 0 && c.sets.items[1] == 1);
    assert_int_equal(c.tried, 1);
  }
  dm_transactions_free(t);
  dm_arena_free(arena);
  dm_ctx_free(ctx);
}

static void compare_at_random(uint64_t seed, size_t n, size_t d, double high, double low) {
  dm_ctx *ctx = new_ctx();
  dm_arena *arena = NULL;
  dm_itemdb db;
  dm_itemsets sets;
  dm_code_table c;
  uint32_t bit[MAX_ITEMS];
  slow rows = {0};
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  dm_transactions *t = random_transactions(ctx, seed, n, d, high, low);
  itemdb_of(ctx, t, 1, &db);
  read_rows(&rows, t, &db, bit);
  all_sets(&rows, &db, arena, &sets);
  slow x = rows;
  double want = slow_krimp(&x, &sets, bit);
  assert_int_equal(dm_code_table_krimp(ctx, t, &sets, arena, &c, NULL), DM_OK);
  holds(&rows, &c, bit);
  assert_true(fabs(c.total_bits - want) < 1e-6);
  size_t used = 0;
  for (size_t i = 0; i < x.m; i++) used += x.usage[i] > 0;
  assert_int_equal(c.n_patterns, used);
  for (size_t i = 0; i < c.n_patterns; i++) assert_true(usage_of(&x, bits_of(&c, i, bit)) == c.usage[i]);
  assert_int_equal(dm_code_table_slim(ctx, t, 1, arena, &c, NULL), DM_OK);
  holds(&rows, &c, bit);
  assert_int_equal(dm_code_table_slim(ctx, t, n / 4, arena, &c, NULL), DM_OK);
  holds(&rows, &c, bit);
  for (size_t i = 0; i < c.n_patterns; i++) assert_true(c.sets.support[i] >= n / 4);
  dm_itemdb_clear(&db);
  dm_transactions_free(t);
  dm_arena_free(arena);
  dm_ctx_free(ctx);
}

static void test_slow_way(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 6; seed++) {
    compare_at_random(seed, 40, 6, 0.8, 0.2);
    compare_at_random(seed, 100, 7, 0.9, 0.6);
    compare_at_random(seed, 60, 8, 0.5, 0.05);
  }
}

/* Blocks of items that always come together are found, whatever the rows without them; weights count as rows. */
static void test_blocks(void **state) {
  (void)state;
  static const char *const rows[] = {"a b c d", "e f g", "a b c d e f g", "h"};
  static const uint64_t weight[] = {50, 40, 2, 5};
  dm_ctx *ctx = new_ctx();
  dm_arena *arena = NULL;
  dm_code_table c;
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  dm_transactions *t = transactions_of_rows(ctx, rows, weight, 4);
  assert_int_equal(dm_code_table_slim(ctx, t, 1, arena, &c, NULL), DM_OK);
  assert_int_equal(c.n_patterns, 2);
  assert_true(c.usage[0] == 52 && c.usage[1] == 42);
  assert_int_equal(c.sets.start[1], 4);
  assert_int_equal(c.sets.start[2], 7);
  for (uint32_t i = 0; i < 7; i++) assert_int_equal(c.sets.items[i], i);
  dm_transactions_free(t);
  dm_arena_free(arena);
  dm_ctx_free(ctx);
}

static void test_nothing(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_arena *arena = NULL;
  dm_code_table c;
  dm_error err = {0};
  const dm_itemsets none = {0};
  const size_t start[] = {0, 2};
  const uint32_t items[] = {0, 7};
  const uint64_t support[] = {1};
  const dm_itemsets beyond = {1, start, items, support};
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  dm_transactions *t = transactions_of(ctx, "\n\n"), *u = transactions_of(ctx, "a b c\n");
  assert_int_equal(dm_code_table_krimp(ctx, t, &none, arena, &c, &err), DM_OK);
  assert_true(c.sets.n == 0 && c.total_bits == 0 && c.standard_bits == 0);
  assert_int_equal(dm_code_table_slim(ctx, t, 1, arena, &c, &err), DM_OK);
  assert_true(c.sets.n == 0 && c.total_bits == 0);
  assert_int_equal(dm_code_table_krimp(ctx, u, &none, arena, &c, &err), DM_OK);
  assert_true(c.sets.n == 3 && c.n_patterns == 0 && c.total_bits == c.standard_bits);
  assert_int_equal(dm_code_table_krimp(ctx, u, &beyond, arena, &c, &err), DM_EUSAGE);
  assert_non_null(strstr(err.message, "item 7"));
  assert_int_equal(dm_code_table_slim(ctx, u, 0, arena, &c, &err), DM_EUSAGE);
  dm_transactions_free(t);
  dm_transactions_free(u);
  dm_arena_free(arena);
  dm_ctx_free(ctx);
}

/* Covers of real rows hold each item once, and SLIM finds much in them. */
static void test_mushroom(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_arena *arena = NULL;
  dm_code_table c;
  dm_transactions *t = shared_transactions(ctx, "mushroom");
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  assert_int_equal(dm_code_table_slim(ctx, t, 800, arena, &c, NULL), DM_OK);
  uint64_t covered = 0;
  for (size_t i = 0; i < c.sets.n; i++) covered += c.usage[i] * (c.sets.start[i + 1] - c.sets.start[i]);
  assert_true(covered == 8124 * 23); /* every item of every row, once */
  assert_true(c.total_bits < 0.6 * c.standard_bits);
  dm_transactions_free(t);
  dm_arena_free(arena);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_by_hand), cmocka_unit_test(test_slow_way), cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_nothing), cmocka_unit_test(test_mushroom),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
