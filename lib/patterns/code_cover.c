/*
 * Covers of rows: which rows a set can cover, and how the covers of these rows
 * change when it comes into the table or leaves it.
 *
 * A row's cover is made by going down the table and taking each set that fits
 * what is still left. A set that comes in at place p leaves what stands before
 * p alone: a row where one of those has an item of the new set keeps its cover
 * as it is, in the others only what stands from p on is found anew.
 */
#include "patterns/code_table.h"

#include <string.h>

enum { SIGNATURE_BITS = 64 };

/* ---- covers that differ ---------------------------------------------------------------- */

static dm_status reserve(code_table *t, size_t ids, dm_error *err) {
  code_trial *trial = &t->trial;
  if (trial->n_changes == trial->changes_capacity) {
    size_t more = trial->changes_capacity * 2 + 64;
    code_change *p = dm_realloc(t->ctx, trial->changes, more, sizeof *p, "covers", err);
    if (!p) return DM_EBUDGET;
    trial->changes = p;
    trial->changes_capacity = more;
  }
  if (trial->n_ids + ids > trial->ids_capacity) {
    size_t more = trial->ids_capacity * 2 + ids + 64;
    uint32_t *p = dm_realloc(t->ctx, trial->ids, more, sizeof *p, "covers", err);
    if (!p) return DM_EBUDGET;
    trial->ids = p;
    trial->ids_capacity = more;
  }
  return DM_OK;
}

void code_trial_start(code_table *t) {
  for (size_t i = 0; i < t->trial.n_touched; i++) {
    t->sets[t->trial.touched[i]].delta = 0;
    t->sets[t->trial.touched[i]].touched = false;
  }
  t->trial.n_touched = t->trial.n_changes = t->trial.n_ids = 0;
}

static void add_delta(code_table *t, uint32_t id, int64_t by) {
  code_set *set = &t->sets[id];
  if (!set->touched) t->trial.touched[t->trial.n_touched++] = id;
  set->touched = true;
  set->delta += by;
}

/* The set is used, or not any more, by a row of this weight: the single items are used the less, or the more. */
static void use_set(code_table *t, uint32_t id, int64_t weight) {
  const code_set *set = &t->sets[id];
  add_delta(t, id, weight);
  for (uint32_t i = 0; i < set->n; i++) add_delta(t, set->items[i], -weight);
}

/* What the row at hand still has to have covered. */
typedef struct rest {
  size_t n;
  uint64_t signature;
} rest;

static void take_items(code_table *t, rest *left, const code_set *set) {
  for (uint32_t i = 0; i < set->n; i++) t->is_left[set->items[i]] = false;
  left->n -= set->n;
}

static void sign(const code_table *t, size_t r, rest *left) {
  left->signature = 0;
  for (size_t i = t->db->rows.start[r]; i < t->db->rows.start[r + 1]; i++) {
    uint32_t item = t->db->rows.index[i];
    left->signature |= (uint64_t)t->is_left[item] << item % SIGNATURE_BITS;
  }
}

static bool fits(const code_table *t, const code_set *set) {
  for (uint32_t i = 0; i < set->n; i++)
    if (!t->is_left[set->items[i]]) return false;
  return true;
}

/* Goes down the table from a place on. */
static void cover_rest(code_table *t, size_t r, rest *left, size_t from, int64_t weight, code_change *change) {
  while (left->n >= 2) {
    size_t at = t->first_of_size[left->n];
    if (at < from) at = from;
    while (at < t->n && (t->signature[at] & ~left->signature || !fits(t, &t->sets[t->order[at]]))) at++;
    if (at == t->n) return;
    uint32_t id = t->order[at];
    t->trial.ids[change->first + change->n++] = id;
    use_set(t, id, weight);
    take_items(t, left, &t->sets[id]);
    sign(t, r, left);
    from = at + 1;
  }
}

/*
 * Finds the cover of a row anew: its first `kept` sets stay, then comes the set
 * `with` (UINT32_MAX: none), then what stands in the table from `from` on.
 */
static dm_status cover_anew(code_table *t, uint32_t r, uint32_t kept, uint32_t with, size_t from, dm_error *err) {
  const uint32_t *cover = t->cover + t->cover_start[r], *items = t->db->rows.index + t->db->rows.start[r];
  rest left = {.n = t->db->rows.start[r + 1] - t->db->rows.start[r]};
  int64_t weight = (int64_t)t->db->weight[r];
  size_t n = left.n;
  dm_status s = reserve(t, n / 2, err);
  if (s != DM_OK) return s;
  code_change *change = &t->trial.changes[t->trial.n_changes];
  *change = (code_change){.row = r, .n = kept, .first = t->trial.n_ids};
  memcpy(t->trial.ids + change->first, cover, kept * sizeof *cover);
  for (size_t i = 0; i < n; i++) t->is_left[items[i]] = true;
  for (uint32_t i = 0; i < kept; i++) take_items(t, &left, &t->sets[cover[i]]);
  for (uint32_t i = kept; i < t->n_cover[r]; i++) use_set(t, cover[i], -weight);
  if (with != UINT32_MAX) {
    t->trial.ids[change->first + change->n++] = with;
    use_set(t, with, weight);
    take_items(t, &left, &t->sets[with]);
  }
  sign(t, r, &left);
  cover_rest(t, r, &left, from, weight, change);
  for (size_t i = 0; i < n; i++) t->is_left[items[i]] = false;
  t->trial.n_ids += change->n;
  t->trial.n_changes++;
  return DM_OK;
}

/* Which sets before a place share an item with the set. */
static void mark_overlaps(code_table *t, const code_set *set, size_t before) {
  for (uint32_t i = 0; i < set->n; i++) t->is_left[set->items[i]] = true;
  for (size_t p = 0; p < before; p++) {
    code_set *other = &t->sets[t->order[p]];
    bool shared = false;
    for (uint32_t i = 0; t->signature[p] & set->signature && !shared && i < other->n; i++) shared = t->is_left[other->items[i]];
    other->overlaps = shared;
  }
  for (uint32_t i = 0; i < set->n; i++) t->is_left[set->items[i]] = false;
}

uint64_t code_table_rows(code_table *t, const uint32_t *items, size_t n, size_t *n_rows) {
  uint64_t support = 0;
  *n_rows = item_rows_of(&t->item_rows, items, n, t->rows);
  for (size_t i = 0; i < *n_rows; i++) support += t->db->weight[t->rows[i]];
  return support;
}

dm_status code_cover_with(code_table *t, uint32_t id, size_t n_rows, size_t from, dm_error *err) {
  mark_overlaps(t, &t->sets[id], from);
  for (size_t i = 0; i < n_rows; i++) {
    const uint32_t r = t->rows[i], *cover = t->cover + t->cover_start[r];
    uint32_t kept = 0;
    while (kept < t->n_cover[r] && t->sets[cover[kept]].place < from && !t->sets[cover[kept]].overlaps) kept++;
    if (kept < t->n_cover[r] && t->sets[cover[kept]].place < from) continue; /* one that stands before has an item of it */
    dm_status s = cover_anew(t, r, kept, id, from, err);
    if (s != DM_OK) return s;
  }
  return DM_OK;
}

dm_status code_cover_without(code_table *t, uint32_t id, dm_error *err) {
  size_t n_rows;
  const code_set *set = &t->sets[id];
  (void)code_table_rows(t, set->items, set->n, &n_rows);
  for (size_t i = 0; i < n_rows; i++) {
    const uint32_t r = t->rows[i], *cover = t->cover + t->cover_start[r];
    uint32_t kept = 0;
    while (kept < t->n_cover[r] && cover[kept] != id) kept++;
    if (kept == t->n_cover[r]) continue;
    dm_status s = cover_anew(t, r, kept, UINT32_MAX, set->place + 1, err);
    if (s != DM_OK) return s;
  }
  return DM_OK;
}
