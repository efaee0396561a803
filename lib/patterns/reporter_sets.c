/*
 * The sets that one with perfect items stands for: itself with each choice of
 * them. How many there are of the sizes wanted, and one by one in an order in
 * which neighbours share what comes first:
 *
 *   items {a}, perfect {p q r}    a · ap · apq · apqr · apr · aq · aqr · ar
 */
#include "patterns/reporter_state.h"

#include <string.h>

/* ---- numbers ------------------------------------------------------------------------- */

/* C(n, k); false when 64 bits do not hold it. */
static bool binomial(uint64_t n, uint64_t k, uint64_t *out) {
  if (k > n - k) k = n - k;
  uint64_t c = 1;
  for (uint64_t i = 0; i < k; i++) {
    unsigned __int128 wide = (unsigned __int128)c * (n - i) / (i + 1);
    if (wide > UINT64_MAX) return false;
    c = (uint64_t)wide;
  }
  *out = c;
  return true;
}

/* Sets of low … high items with n items fixed and any of k more. */
static bool choices(size_t n, size_t k, size_t low, size_t high, uint64_t *out) {
  uint64_t sum = 0, c;
  size_t first = low > n ? low - n : 0, last = high < n ? 0 : high - n;
  *out = 0;
  if (high < n || first > k) return true;
  if (first == 0 && last >= k) {
    if (k >= 64) return false;
    *out = (uint64_t)1 << k;
    return true;
  }
  if (first <= 1 && last >= k) { /* all but the empty choice */
    if (k > 64) return false;
    *out = k == 64 ? UINT64_MAX : ((uint64_t)1 << k) - 1;
    return true;
  }
  for (size_t i = first; i <= k && i <= last; i++)
    if (!binomial(k, i, &c) || __builtin_add_overflow(sum, c, &sum)) return false;
  *out = sum;
  return true;
}

void dm_emit_set_counted(dm_emit *e, uint64_t support) {
  const dm_reporter_options *o = &e->reporter->o;
  uint64_t n;
  (void)support;
  e->kept = e->n;
  if (choices(e->n, e->n_perfect, o->min_size, o->max_size, &n))
    dm_emit_count(e, n);
  else
    dm_emit_overflow(e->state);
}

/* ---- one by one ------------------------------------------------------------------------ */

/* Is one an ancestor of the other? */
static bool is_kin(const dm_reporter_options *o, uint32_t a, uint32_t b) {
  a = o->db->source[a];
  b = o->db->source[b];
  for (uint32_t i = o->parent_start[a]; i < o->parent_start[a + 1]; i++)
    if (o->parent[i] == b) return true;
  for (uint32_t i = o->parent_start[b]; i < o->parent_start[b + 1]; i++)
    if (o->parent[i] == a) return true;
  return false;
}

static bool has_kin(const dm_reporter_options *o, const uint32_t *items, size_t n, uint32_t item) {
  if (!o->parent_start) return false;
  for (size_t i = 0; i < n; i++)
    if (is_kin(o, items[i], item)) return true;
  return false;
}

static void report(dm_emit_state *s, size_t n, uint64_t support) {
  const dm_reporter *r = s->e.reporter;
  if (n < r->o.min_size || n > r->o.max_size) return;
  r->one(s, s->whole, n, support);
}

void dm_emit_set_each(dm_emit *e, uint64_t support) {
  dm_emit_state *s = e->state;
  const dm_reporter_options *o = &e->reporter->o;
  size_t n = 0, k = e->n_perfect, depth = 0, next = 0;
  for (; n < e->n; n++) {
    if (has_kin(o, s->whole, n, e->items[n])) return; /* all that follow have the pair, too */
    s->whole[n] = e->items[n];
  }
  e->kept = e->n;
  if (n > o->max_size) return;
  report(s, n, support);
  while (!atomic_load_explicit(&e->stop, memory_order_relaxed)) {
    bool is_useful = next < k && n < o->max_size && n + (k - next) >= o->min_size;
    if (is_useful && !has_kin(o, s->whole, n, e->perfect[next])) {
      s->whole[n++] = e->perfect[next];
      s->chosen[depth++] = (uint32_t)next;
      report(s, n, support);
    } else if (!is_useful) { /* back to the choice before, and on from there */
      if (depth == 0) break;
      next = s->chosen[--depth];
      n--;
    }
    next++;
  }
}

void dm_emit_one_counted(dm_emit_state *s, const uint32_t *items, size_t n, uint64_t support) {
  (void)items;
  (void)n;
  (void)support;
  dm_emit_count(&s->e, 1);
}

void dm_emit_one_record(dm_emit_state *s, const uint32_t *items, size_t n, uint64_t support) {
  size_t bytes = sizeof(uint32_t) * (n + 1) + sizeof support;
  char *out = dm_emit_room(s, bytes);
  uint32_t *sorted = (uint32_t *)(void *)out + 1, count = (uint32_t)n; /* records are multiples of 4 bytes */
  for (size_t i = 0; i < n; i++) {
    size_t j = i;
    for (; j > 0 && sorted[j - 1] > items[i]; j--) sorted[j] = sorted[j - 1];
    sorted[j] = items[i];
  }
  memcpy(out, &count, sizeof count);
  memcpy(out + sizeof count * (n + 1), &support, sizeof support);
  s->block->n += bytes;
  s->e.count++;
}
