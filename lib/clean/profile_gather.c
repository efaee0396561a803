/*
 * Gathering a column. Keys are 64-bit patterns that sort as the numbers do:
 * whole numbers with their sign bit turned over; doubles with the sign bit
 * turned over, or all bits when negative. Sorting is by least significant
 * digits of 11 bits; passes whose digit is the same everywhere are left out.
 */
#include "clean/profile_gather.h"

#include <string.h>

enum { FIRST_SLOTS = 1024, MOST_SLOTS = 1 << 17, DIGIT = 11, RADIX = 1 << DIGIT, PASSES = 6, TEXT_OVERHEAD = 64 };

#define SIGN ((uint64_t)1 << 63)

static uint64_t key_of(const dm_value *v) {
  if (v->type == DM_INTEGER) return (uint64_t)v->integer ^ SIGN;
  double d = v->real + 0.0; /* -0 to 0 */
  uint64_t bits;
  memcpy(&bits, &d, sizeof bits);
  return bits ^ ((uint64_t)((int64_t)bits >> 63) | SIGN);
}

static dm_value value_of(dm_type type, uint64_t key) {
  dm_value v = {.type = type};
  if (type == DM_INTEGER) {
    v.integer = (int64_t)(key ^ SIGN);
  } else {
    uint64_t bits = key ^ (key & SIGN ? SIGN : ~(uint64_t)0);
    memcpy(&v.real, &bits, sizeof bits);
  }
  return v;
}

static double number_of(dm_type type, uint64_t key) {
  dm_value v = value_of(type, key);
  return type == DM_INTEGER ? (double)v.integer : v.real;
}

void dm_gather_init(dm_gather *g, dm_ctx *ctx, size_t limit) { *g = (dm_gather){.ctx = ctx, .limit = limit}; }

void dm_gather_clear(dm_gather *g) {
  dm_free(g->ctx, g->slots);
  dm_free(g->ctx, g->slot_counts);
  dm_free(g->ctx, g->keys);
  dm_free(g->ctx, g->counts);
  dm_dict_free(g->texts);
  *g = (dm_gather){.ctx = g->ctx, .limit = g->limit, .n = g->n, .missing = g->missing, .over = g->over};
}

static void give_up(dm_gather *g) {
  dm_gather_clear(g);
  g->over = true;
}

/* ---- few numbers: a table ---- */

static size_t slot_of(const dm_gather *g, uint64_t key) {
  size_t mask = g->n_slots - 1, at = (size_t)((key * 0x9E3779B97F4A7C15u) >> 40) & mask;
  while (g->slot_counts[at] && g->slots[at] != key) at = (at + 1) & mask;
  return at;
}

static dm_status grow_table(dm_gather *g, dm_error *err) {
  dm_gather old = *g;
  size_t n = old.n_slots ? old.n_slots * 2 : FIRST_SLOTS;
  g->slots = dm_alloc(g->ctx, n, sizeof *g->slots, "profile", err);
  g->slot_counts = dm_alloc(g->ctx, n, sizeof *g->slot_counts, "profile", err);
  if (!g->slots || !g->slot_counts) {
    dm_free(g->ctx, g->slots);
    dm_free(g->ctx, g->slot_counts);
    g->slots = old.slots;
    g->slot_counts = old.slot_counts;
    return DM_EBUDGET;
  }
  g->n_slots = n;
  g->bytes = n * 16;
  for (size_t i = 0; i < old.n_slots; i++) {
    if (!old.slot_counts[i]) continue;
    size_t at = slot_of(g, old.slots[i]);
    g->slots[at] = old.slots[i];
    g->slot_counts[at] = old.slot_counts[i];
  }
  dm_free(g->ctx, old.slots);
  dm_free(g->ctx, old.slot_counts);
  return DM_OK;
}

/* ---- many: an array ---- */

static dm_status grow_array(dm_gather *g, size_t least, dm_error *err) {
  size_t capacity = g->capacity ? g->capacity * 2 : MOST_SLOTS;
  while (capacity < least) capacity *= 2;
  if (capacity * 8 > g->limit && least * 8 <= g->limit) capacity = g->limit / 8;
  if (capacity * 8 > g->limit) {
    give_up(g);
    return DM_OK;
  }
  uint64_t *keys = dm_realloc(g->ctx, g->keys, capacity, sizeof *keys, "profile", err);
  if (!keys) return DM_EBUDGET;
  g->keys = keys;
  g->capacity = capacity;
  g->bytes = capacity * 8;
  return DM_OK;
}

static dm_status table_to_array(dm_gather *g, dm_error *err) {
  dm_status s = grow_array(g, (size_t)g->n + 1, err);
  if (s != DM_OK || g->over) return s;
  size_t n = 0;
  for (size_t i = 0; i < g->n_slots; i++)
    for (uint64_t k = 0; k < g->slot_counts[i]; k++) g->keys[n++] = g->slots[i];
  dm_free(g->ctx, g->slots);
  dm_free(g->ctx, g->slot_counts);
  g->slots = g->slot_counts = NULL;
  g->n_slots = 0;
  return DM_OK;
}

static dm_status add_number(dm_gather *g, const dm_value *v, dm_error *err) {
  uint64_t key = key_of(v);
  dm_status s = DM_OK;
  if (g->keys) {
    if (g->n == g->capacity) s = grow_array(g, (size_t)g->n + 1, err);
    if (s == DM_OK && !g->over) g->keys[g->n++] = key;
    return s;
  }
  if (g->n_slots) {
    size_t at = slot_of(g, key);
    if (g->slot_counts[at]++) {
      g->n++;
      return DM_OK;
    }
    if (g->n_few * 2 < g->n_slots) {
      g->slots[at] = key;
      g->n_few++;
      g->n++;
      return DM_OK;
    }
    g->slot_counts[at] = 0; /* no room: another table or the array takes it */
  }
  s = g->n_slots < MOST_SLOTS ? grow_table(g, err) : table_to_array(g, err);
  return s == DM_OK && !g->over ? add_number(g, v, err) : s;
}

/* ---- texts ---- */

static dm_status add_text(dm_gather *g, const dm_value *v, dm_error *err) {
  size_t index = 0;
  dm_status s = DM_OK;
  if (!g->texts) s = dm_dict_new(g->ctx, &g->texts, err);
  if (s == DM_OK) s = dm_dict_add(g->texts, v->text.p, v->text.n, &index, err);
  if (s != DM_OK) return s;
  if (index >= g->n_counts) {
    size_t n = g->n_counts ? g->n_counts * 2 : 256;
    uint64_t *counts = dm_realloc(g->ctx, g->counts, n, sizeof *counts, "profile", err);
    if (!counts) return DM_EBUDGET;
    g->counts = counts;
    g->n_counts = n;
  }
  if (g->counts[index]++ == 0) g->bytes += v->text.n + TEXT_OVERHEAD;
  g->n++;
  if (g->bytes > g->limit) give_up(g);
  return DM_OK;
}

dm_status dm_gather_add(dm_gather *g, const dm_value *v, dm_error *err) {
  if (g->over) return DM_OK;
  if (v->type == DM_NULL) {
    g->missing++;
    return DM_OK;
  }
  if (g->type != v->type) {
    if (g->type != DM_NULL) {
      give_up(g);
      return DM_OK;
    }
    g->type = v->type;
  }
  bool bounded = dm_ctx_budget(g->ctx) > 0; /* then a full budget only means: leave it to SQLite */
  dm_error *why = bounded ? NULL : err;
  dm_status s = v->type == DM_TEXT || v->type == DM_BLOB ? add_text(g, v, why) : add_number(g, v, why);
  if (s != DM_EBUDGET || !bounded) return s;
  give_up(g);
  return DM_OK;
}

/* ---- sorting ---- */

static void radix_sort(uint64_t *keys, uint64_t *other, size_t n, uint64_t **sorted) {
  uint64_t digits[RADIX];
  for (int pass = 0; pass < PASSES; pass++) {
    int shift = DIGIT * pass;
    memset(digits, 0, sizeof digits);
    for (size_t i = 0; i < n; i++) digits[keys[i] >> shift & (RADIX - 1)]++;
    if (digits[keys[0] >> shift & (RADIX - 1)] == n) continue;
    uint64_t sum = 0;
    for (size_t i = 0; i < RADIX; i++) {
      uint64_t c = digits[i];
      digits[i] = sum;
      sum += c;
    }
    for (size_t i = 0; i < n; i++) other[digits[keys[i] >> shift & (RADIX - 1)]++] = keys[i];
    uint64_t *t = keys;
    keys = other;
    other = t;
  }
  *sorted = keys;
}

/* The table's keys, in an array that is small whatever the column's length. */
static dm_status list_few(dm_gather *g, dm_error *err) {
  g->keys = dm_alloc(g->ctx, g->n_few, sizeof *g->keys, "profile", err);
  if (!g->keys) return DM_EBUDGET;
  size_t n = 0;
  for (size_t i = 0; i < g->n_slots; i++)
    if (g->slot_counts[i]) g->keys[n++] = g->slots[i];
  return DM_OK;
}

static size_t n_keys(const dm_gather *g) { return g->n_slots ? g->n_few : (size_t)g->n; }

dm_status dm_gather_sort(dm_gather *g, dm_error *err) {
  if (g->over || g->n == 0 || g->texts) return DM_OK;
  bool bounded = dm_ctx_budget(g->ctx) > 0;
  dm_error *why = bounded ? NULL : err;
  dm_status s = g->n_slots ? list_few(g, why) : DM_OK;
  size_t n = n_keys(g);
  uint64_t *other = s == DM_OK ? dm_alloc(g->ctx, n, sizeof *other, "profile", why) : NULL, *sorted = NULL;
  if (!other) {
    if (!bounded) return DM_EBUDGET;
    give_up(g);
    return DM_OK;
  }
  radix_sort(g->keys, other, n, &sorted);
  dm_free(g->ctx, sorted == other ? g->keys : other);
  g->keys = sorted;
  return DM_OK;
}

bool dm_gather_range(const dm_gather *g, double *min, double *max) {
  if (!g->keys || g->n == 0) return false;
  *min = number_of(g->type, g->keys[0]);
  *max = number_of(g->type, g->keys[n_keys(g) - 1]);
  return true;
}

dm_status dm_gather_each(dm_gather *g, dm_group_fn fn, void *user, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0; g->texts && i < dm_dict_n(g->texts) && s == DM_OK; i++)
    s = fn(user, (dm_value){.type = g->type, .text = dm_dict_key(g->texts, i)}, g->counts[i], err);
  size_t n = g->keys ? n_keys(g) : 0;
  for (size_t i = 0, next; i < n && s == DM_OK; i = next) {
    next = i + 1;
    uint64_t count = g->n_slots ? g->slot_counts[slot_of(g, g->keys[i])] : 1;
    while (!g->n_slots && next < n && g->keys[next] == g->keys[i]) next++, count++;
    s = fn(user, value_of(g->type, g->keys[i]), count, err);
  }
  return s;
}
