/*
 * The database as the tasks find it. Each task is a head; when there are up to
 * 128 items, the 64 most frequent ones are heads of rows of bits, which all
 * threads share, and the others of rows of items.
 */
#include "patterns/lcm_merge.h"

enum { MAX_COUNTS = 1 << 20 }; /* maximal sets: rows of bits times outer items, at most */

static uint64_t low_bits(const dm_itemdb *db, size_t r, size_t *at) {
  uint64_t bits = 0;
  size_t i = db->rows.start[r];
  for (; i < db->rows.start[r + 1] && db->rows.index[i] < DM_LCM_BITS; i++) bits |= (uint64_t)1 << db->rows.index[i];
  *at = i;
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
    uint64_t bits = low_bits(db, r, &at), x = 0;
    for (; words && at < db->rows.start[r + 1]; at++) x |= (uint64_t)1 << (db->rows.index[at] - DM_LCM_BITS);
    (void)dm_lcm_merge_row(&m, bits, db->weight[r], &x);
  }
  dm_stack_back(&w->stack, table);
  s->bits = m.rows;
  return true;
}

/* The other items as counts. */
static bool make_counted(dm_lcm_worker *w, dm_lcm_search *s) {
  const dm_itemdb *db = s->db;
  size_t n_out = db->n_items - s->n_bits, n = db->rows.n;
  dm_lcm_merger m;
  dm_stack_mark table;
  uint32_t *x = dm_lcm_take(w, n * n_out + 1, sizeof *x);
  if (!x || !dm_lcm_merge_open(w, n, 0, &m, &table)) return false;
  memset(x, 0, n * n_out * sizeof *x);
  for (size_t r = 0; r < n; r++) {
    size_t at, row;
    uint64_t bits = low_bits(db, r, &at);
    row = dm_lcm_merge_row(&m, bits, db->weight[r], NULL);
    for (; at < db->rows.start[r + 1]; at++) x[row * n_out + db->rows.index[at] - DM_LCM_BITS] += db->weight[r];
  }
  dm_stack_back(&w->stack, table);
  s->counted = (dm_lcm_counted){.n = m.rows.n, .n_out = n_out, .a = m.rows.a, .weight = m.rows.weight, .x = x};
  dm_lcm_gathered g;
  if (!dm_lcm_gather(w, &s->counted, dm_lcm_first(s->n_bits), &g)) return false;
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
  bool small = db->total <= UINT32_MAX && db->rows.n * (n - low) <= MAX_COUNTS;
  if (n <= 2 * DM_LCM_BITS && (s->kind != DM_MAXIMAL || small)) s->n_bits = low;
  if (s->n_bits && !(s->kind == DM_MAXIMAL ? make_counted(w, s) : make_bits(w, s))) return false;
  return dm_lcm_invert(w, &s->root, s->n_bits);
}
