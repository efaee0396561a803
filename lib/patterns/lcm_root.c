/*
 * The database as the tasks find it. Each task is a head; when there are up to
 * 128 items, the 64 most frequent ones are heads of rows of bits, which all
 * threads share, and the others of rows of items.
 */
#include "patterns/lcm_merge.h"

static uint64_t low_bits(const dm_itemdb *db, size_t r, size_t *at) {
  uint64_t bits = 0;
  size_t i = db->rows.start[r];
  for (; i < db->rows.start[r + 1] && db->rows.index[i] < DM_LCM_BITS; i++) bits |= (uint64_t)1 << db->rows.index[i];
  *at = i;
  return bits;
}

static uint64_t high_bits(const dm_itemdb *db, size_t r, size_t at) {
  uint64_t bits = 0;
  for (; at < db->rows.start[r + 1]; at++) bits |= (uint64_t)1 << (db->rows.index[at] - DM_LCM_BITS);
  return bits;
}

/* The other items as a word. */
static bool make_bits(dm_lcm_worker *w, dm_lcm_search *s) {
  const dm_itemdb *db = s->db;
  size_t words = s->kind == DM_CLOSED && db->n_items > DM_LCM_BITS;
  dm_lcm_merger m;
  dm_stack_mark table;
  if (!dm_lcm_merge_open(w, db->rows.n, words, &m, &table)) return false;
  for (size_t r = 0; r < db->rows.n; r++) {
    size_t at;
    uint64_t bits = low_bits(db, r, &at), x = high_bits(db, r, at);
    (void)dm_lcm_merge_row(&m, bits, db->weight[r], &x);
  }
  dm_stack_back(&w->stack, table);
  s->bits = m.rows;
  return true;
}

/* The same without merging: what is out must be known row by row. */
static bool make_exact(dm_lcm_worker *w, dm_lcm_search *s) {
  const dm_itemdb *db = s->db;
  size_t n = db->rows.n;
  uint64_t *memory = dm_lcm_take(w, n + 1, 3 * sizeof *memory);
  if (!memory) return false;
  s->exact = (dm_lcm_exact){.n = n, .a = memory, .weight = memory + n, .x = memory + 2 * n};
  for (size_t r = 0; r < n; r++) {
    size_t at;
    s->exact.a[r] = low_bits(db, r, &at);
    s->exact.x[r] = high_bits(db, r, at);
    s->exact.weight[r] = db->weight[r];
  }
  dm_lcm_gathered g;
  if (!dm_lcm_gather(w, s->exact.a, s->exact.weight, n, dm_lcm_first(s->n_bits), &g)) return false;
  s->gathered = g.items;
  return true;
}

bool dm_lcm_root(dm_lcm_worker *w, dm_lcm_search *s) {
  const dm_itemdb *db = s->db;
  size_t n = db->n_items;
  while (s->n_everywhere < n && db->support[s->n_everywhere] == db->total) s->n_everywhere++;
  uint32_t *code = dm_lcm_take(w, n + 1, sizeof *code);
  if (!code) return false;
  for (size_t i = 0; i < n; i++) code[i] = (uint32_t)i;
  s->root = (dm_lcm_node){.n = n, .n_tail = n, .code = code, .count = db->support, .n_rows = db->rows.n, .start = db->rows.start,
                          .index = db->rows.index, .weight = db->weight};
  size_t low = n < DM_LCM_BITS ? n : DM_LCM_BITS;
  if (n <= 2 * DM_LCM_BITS && (s->kind != DM_MAXIMAL || db->total <= UINT32_MAX)) s->n_bits = low; /* counts of what is out have 32 bits */
  if (s->n_bits && !(s->kind == DM_MAXIMAL ? make_exact(w, s) : make_bits(w, s))) return false;
  return dm_lcm_invert(w, &s->root, s->n_bits);
}
