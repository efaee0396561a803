/* The code table: its order, its lengths, changes taken over, and pruning. */
#include "patterns/code_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- lengths ----------------------------------------------------------------------------- */

/*
 * With U the sum of usages u and m the sets that are used,
 *   L(D | CT) + L(CT | D) = (U + m) log2 U + sum over them of (standard - log2 u - u log2 u)
 */
static double part(double standard, uint64_t usage) {
  if (!usage) return 0;
  double bits = log2((double)usage);
  return standard - bits - (double)usage * bits;
}

static double whole(double parts, uint64_t used, size_t n_used) {
  return used ? (double)(used + n_used) * log2((double)used) + parts : 0;
}

/* Length after what is tried. */
static void measure_trial(code_table *t) {
  double parts = t->parts;
  uint64_t used = t->used;
  size_t n_used = t->n_used;
  for (size_t i = 0; i < t->trial.n_touched; i++) {
    const code_set *set = &t->sets[t->trial.touched[i]];
    uint64_t usage = set->usage + (uint64_t)set->delta;
    parts += part(set->standard, usage) - part(set->standard, set->usage);
    used += (uint64_t)set->delta;
    n_used += (usage > 0) - (size_t)(set->usage > 0);
  }
  t->trial.bits = whole(parts, used, n_used);
}

/* ---- the table ------------------------------------------------------------------------------ */

static dm_status reserve_ids(code_table *t, dm_error *err) {
  size_t more = t->capacity * 2 + 64;
  code_set *sets = dm_realloc(t->ctx, t->sets, more, sizeof *sets, "code table", err);
  if (!sets) return DM_EBUDGET;
  t->sets = sets;
  uint32_t **lists[] = {&t->free_ids, &t->order, &t->trial.touched};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    uint32_t *p = dm_realloc(t->ctx, *lists[i], more, sizeof *p, "code table", err);
    if (!p) return DM_EBUDGET;
    *lists[i] = p;
  }
  uint64_t *signature = dm_realloc(t->ctx, t->signature, more, sizeof *signature, "code table", err);
  if (!signature) return DM_EBUDGET;
  t->signature = signature;
  t->capacity = more;
  return DM_OK;
}

/* Single items, with the lengths of their own codes. */
static dm_status add_items(code_table *t, dm_error *err) {
  const dm_itemdb *db = t->db;
  dm_status s = DM_OK;
  for (size_t i = 0; i < db->n_items; i++) t->used += db->support[i];
  for (uint32_t i = 0; s == DM_OK && i < db->n_items; i++) {
    if (t->n_ids == t->capacity) s = reserve_ids(t, err);
    if (s != DM_OK) return s;
    double bits = log2((double)t->used) - log2((double)db->support[i]);
    t->sets[t->n_ids] = (code_set){.items = &t->codes[i], .n = 1, .support = db->support[i], .usage = db->support[i], .standard = bits};
    t->codes[i] = i;
    t->parts += part(bits, db->support[i]);
    t->n_ids++;
  }
  t->n_used = db->n_items;
  t->standard_bits = t->total_bits = whole(t->parts, t->used, t->n_used);
  return s;
}

static dm_status make_covers(code_table *t, dm_error *err) {
  const dm_csr *rows = &t->db->rows;
  t->n_cover = dm_alloc(t->ctx, rows->n, sizeof *t->n_cover, "covers", err);
  t->cover_start = dm_alloc(t->ctx, rows->n + 1, sizeof *t->cover_start, "covers", err);
  if (!t->n_cover || !t->cover_start) return DM_EBUDGET;
  for (size_t r = 0; r < rows->n; r++) {
    size_t n = rows->start[r + 1] - rows->start[r];
    if (n > t->longest) t->longest = n;
    t->cover_start[r + 1] = t->cover_start[r] + n / 2; /* a set has two items or more */
  }
  t->cover = dm_alloc(t->ctx, t->cover_start[rows->n] + 1, sizeof *t->cover, "covers", err);
  t->first_of_size = dm_alloc(t->ctx, t->longest + 1, sizeof *t->first_of_size, "covers", err);
  t->is_left = dm_alloc(t->ctx, t->db->n_items, sizeof *t->is_left, "covers", err);
  t->rows = dm_alloc(t->ctx, rows->n, sizeof *t->rows, "covers", err);
  return t->cover && t->first_of_size && t->is_left && t->rows ? DM_OK : DM_EBUDGET;
}

dm_status code_table_init(dm_ctx *ctx, const dm_itemdb *db, code_table *out, dm_error *err) {
  code_table t = {.ctx = ctx, .db = db};
  t.codes = dm_alloc(ctx, db->n_items, sizeof *t.codes, "code table", err);
  dm_status s = t.codes ? reserve_ids(&t, err) : DM_EBUDGET;
  if (s == DM_OK) s = add_items(&t, err);
  if (s == DM_OK) s = make_covers(&t, err);
  if (s == DM_OK) s = item_rows_init(ctx, &db->rows, &t.item_rows, err);
  if (s != DM_OK) {
    code_table_clear(&t);
    return s;
  }
  *out = t;
  return DM_OK;
}

void code_table_clear(code_table *t) {
  if (!t->ctx) return;
  for (size_t i = t->db->n_items; i < t->n_ids; i++)
    if (t->sets[i].in_table) dm_free(t->ctx, t->sets[i].items);
  void *blocks[] = {t->codes, t->sets, t->free_ids, t->order, t->signature, t->first_of_size, t->cover, t->n_cover, t->cover_start,
                    t->trial.changes, t->trial.ids, t->trial.touched, t->rows, t->is_left};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) dm_free(t->ctx, blocks[i]);
  item_rows_clear(&t->item_rows);
  *t = (code_table){0};
}

/* ---- changes --------------------------------------------------------------------------------- */

/* The order of covering: larger sets first, then the more frequent, then by items. */
static int compare_sets(const code_set *a, const code_set *b) {
  if (a->n != b->n) return a->n > b->n ? -1 : 1;
  if (a->support != b->support) return a->support > b->support ? -1 : 1;
  for (uint32_t i = 0; i < a->n; i++)
    if (a->items[i] != b->items[i]) return a->items[i] < b->items[i] ? -1 : 1;
  return 0;
}

/* First place of the table whose set does not come before this one. */
static size_t find_place(const code_table *t, const code_set *set) {
  size_t low = 0, high = t->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (compare_sets(&t->sets[t->order[middle]], set) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Places and where sizes begin, after the order changed from a place on. */
static void number_places(code_table *t, size_t from) {
  for (size_t p = from; p < t->n; p++) t->sets[t->order[p]].place = (uint32_t)p;
  size_t p = 0;
  for (size_t size = t->longest + 1; size-- > 0;) {
    while (p < t->n && t->sets[t->order[p]].n > size) p++;
    t->first_of_size[size] = (uint32_t)p;
  }
}

dm_status code_table_try_add(code_table *t, const uint32_t *items, size_t n, uint32_t *id, dm_error *err) {
  if (!t->n_free && t->n_ids == t->capacity) {
    dm_status s = reserve_ids(t, err);
    if (s != DM_OK) return s;
  }
  size_t n_rows;
  uint32_t fresh = t->n_free ? t->free_ids[t->n_free - 1] : (uint32_t)t->n_ids;
  code_set set = {.items = (uint32_t *)(uintptr_t)items, .n = (uint32_t)n}; /* read only until it is taken */
  set.support = code_table_rows(t, items, n, &n_rows);
  for (size_t i = 0; i < n; i++) {
    set.signature |= (uint64_t)1 << items[i] % 64;
    set.standard += t->sets[items[i]].standard;
  }
  size_t place = find_place(t, &set);
  *id = UINT32_MAX;
  if (place < t->n && compare_sets(&t->sets[t->order[place]], &set) == 0) return DM_OK;
  code_trial_start(t);
  t->sets[fresh] = set;
  dm_status s = code_cover_with(t, fresh, n_rows, place, err);
  if (s != DM_OK) return s;
  measure_trial(t);
  *id = fresh;
  return DM_OK;
}

dm_status code_table_try_remove(code_table *t, uint32_t id, dm_error *err) {
  code_trial_start(t);
  dm_status s = code_cover_without(t, id, err);
  if (s == DM_OK) measure_trial(t);
  return s;
}

static dm_status take(code_table *t, dm_error *err) {
  dm_status s = t->taking ? t->taking(t->user, t, err) : DM_OK;
  if (s != DM_OK) return s;
  for (size_t i = 0; i < t->trial.n_touched; i++) {
    code_set *set = &t->sets[t->trial.touched[i]];
    uint64_t usage = set->usage + (uint64_t)set->delta;
    t->parts += part(set->standard, usage) - part(set->standard, set->usage);
    t->used += (uint64_t)set->delta;
    t->n_used += (usage > 0) - (size_t)(set->usage > 0);
    set->fell |= set->delta < 0;
    set->usage = usage;
  }
  for (size_t i = 0; i < t->trial.n_changes; i++) {
    const code_change *c = &t->trial.changes[i];
    memcpy(t->cover + t->cover_start[c->row], t->trial.ids + c->first, c->n * sizeof *t->cover);
    t->n_cover[c->row] = c->n;
  }
  t->total_bits = whole(t->parts, t->used, t->n_used);
  return DM_OK;
}

dm_status code_table_take_add(code_table *t, uint32_t id, dm_error *err) {
  code_set *set = &t->sets[id];
  uint32_t *items = dm_alloc(t->ctx, set->n, sizeof *items, "code table", err);
  if (!items) return DM_EBUDGET;
  memcpy(items, set->items, set->n * sizeof *items);
  set->items = items;
  set->in_table = true;
  if (t->n_free)
    t->n_free--;
  else
    t->n_ids++;
  size_t place = find_place(t, set);
  memmove(t->order + place + 1, t->order + place, (t->n - place) * sizeof *t->order);
  memmove(t->signature + place + 1, t->signature + place, (t->n - place) * sizeof *t->signature);
  t->order[place] = id;
  t->signature[place] = set->signature;
  t->n++;
  number_places(t, place);
  return take(t, err);
}

dm_status code_table_take_remove(code_table *t, uint32_t id, dm_error *err) {
  code_set *set = &t->sets[id];
  dm_status s = take(t, err);
  if (s != DM_OK) return s;
  size_t place = set->place;
  t->n--;
  memmove(t->order + place, t->order + place + 1, (t->n - place) * sizeof *t->order);
  memmove(t->signature + place, t->signature + place + 1, (t->n - place) * sizeof *t->signature);
  number_places(t, place);
  dm_free(t->ctx, set->items);
  set->items = NULL;
  set->in_table = set->fell = false;
  t->free_ids[t->n_free++] = id;
  return DM_OK;
}

/* The set to be looked at next: of those whose usage fell that of the smallest usage, the first of several. SIZE_MAX: none. */
static size_t next_fallen(const code_table *t) {
  size_t best = SIZE_MAX;
  for (size_t p = 0; p < t->n; p++) {
    const code_set *set = &t->sets[t->order[p]];
    if (set->fell && (best == SIZE_MAX || set->usage < t->sets[t->order[best]].usage)) best = p;
  }
  return best;
}

dm_status code_table_prune(code_table *t, size_t *pruned, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t place; s == DM_OK && (place = next_fallen(t)) != SIZE_MAX;) {
    uint32_t id = t->order[place];
    t->sets[id].fell = false;
    s = code_table_try_remove(t, id, err);
    if (s != DM_OK || !(t->sets[id].usage == 0 || code_table_is_better(t))) continue;
    s = code_table_take_remove(t, id, err);
    ++*pruned;
  }
  return s;
}

/* ---- what callers see -------------------------------------------------------------------------- */

static int by_usage(const void *a, const void *b) {
  const code_set *x = *(const code_set *const *)a, *y = *(const code_set *const *)b;
  if ((x->n > 1) != (y->n > 1)) return x->n > 1 ? -1 : 1;
  if (x->usage != y->usage) return x->usage > y->usage ? -1 : 1;
  return compare_sets(x, y);
}

static int by_code(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Used sets and items in the order of the result. @return how many; *ones: their items together */
static size_t used_sets(const code_table *t, const code_set **used, size_t *ones) {
  size_t n = 0;
  *ones = 0;
  for (size_t i = 0; i < t->n_ids; i++) {
    if (!t->sets[i].usage) continue; /* a set that was taken out has none */
    used[n++] = &t->sets[i];
    *ones += t->sets[i].n;
  }
  qsort(used, n, sizeof *used, by_usage);
  return n;
}

static dm_status fill_result(const code_table *t, const code_set *const *used, size_t n, size_t ones, dm_arena *arena, dm_code_table *out, dm_error *err) {
  size_t *start = dm_arena_alloc(arena, n + 1, sizeof *start, err);
  uint32_t *items = dm_arena_alloc(arena, ones, sizeof *items, err);
  uint64_t *support = dm_arena_alloc(arena, n, sizeof *support, err), *usage = dm_arena_alloc(arena, n, sizeof *usage, err);
  double *bits = dm_arena_alloc(arena, n, sizeof *bits, err);
  if (!start || !items || !support || !usage || !bits) return DM_EBUDGET;
  dm_code_table r = {.sets = {n, start, items, support}, .usage = usage, .bits = bits, .standard_bits = t->standard_bits};
  for (size_t i = 0; i < n; i++) {
    const code_set *set = used[i];
    for (uint32_t k = 0; k < set->n; k++) items[start[i] + k] = t->db->source[set->items[k]];
    qsort(items + start[i], set->n, sizeof *items, by_code);
    start[i + 1] = start[i] + set->n;
    support[i] = set->support;
    usage[i] = set->usage;
    bits[i] = log2((double)t->used) - log2((double)set->usage);
    r.n_patterns += set->n > 1;
    r.data_bits += (double)set->usage * bits[i];
    r.table_bits += bits[i] + set->standard;
  }
  r.total_bits = r.data_bits + r.table_bits;
  *out = r;
  return DM_OK;
}

dm_status code_table_result(const code_table *t, dm_arena *arena, dm_code_table *out, dm_error *err) {
  size_t ones;
  const code_set **used = dm_alloc(t->ctx, t->n_ids, sizeof *used, "code table", err);
  if (!used) return DM_EBUDGET;
  size_t n = used_sets(t, used, &ones);
  dm_status s = fill_result(t, used, n, ones, arena, out, err);
  dm_free(t->ctx, (void *)used);
  return s;
}
