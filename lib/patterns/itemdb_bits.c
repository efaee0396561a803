/* Rows of few items as bits: put together without ordering, compared word by word. */
#include "patterns/itemdb_rows.h"

#include "core/team.h"

#include <string.h>

enum { WORD_BITS = 64, MAX_WORDS = 8, FIRST_ROWS = 1 << 9 };

/* Distinct rows of one part, in order of first appearance, and where they are by their hash: open addressing, slot = row + 1. */
typedef struct bit_rows {
  dm_ctx *ctx;
  size_t n_words;
  uint64_t *words;  /* [capacity][n_words] */
  uint32_t *weight, *hash;
  size_t n, capacity;
  uint32_t *slots;  /* [2 capacity] */
  dm_status status;
  dm_error error;
} bit_rows;

bool itemdb_takes_bits(const itemdb_job *j) {
  size_t words = (j->db->n_items + WORD_BITS - 1) / WORD_BITS, ones = j->t->rows.start[j->t->rows.n];
  return words <= MAX_WORDS && words * j->t->rows.n <= ones;
}

static dm_status grow(bit_rows *b, dm_error *err) {
  size_t capacity = b->capacity ? b->capacity * 2 : FIRST_ROWS;
  uint64_t *words = dm_realloc(b->ctx, b->words, capacity, b->n_words * sizeof *words, "item database", err);
  if (!words) return DM_EBUDGET;
  b->words = words;
  uint32_t *weight = dm_realloc(b->ctx, b->weight, capacity, sizeof *weight, "item database", err);
  if (!weight) return DM_EBUDGET;
  b->weight = weight;
  uint32_t *hash = dm_realloc(b->ctx, b->hash, capacity, sizeof *hash, "item database", err);
  if (!hash) return DM_EBUDGET;
  b->hash = hash;
  uint32_t *slots = dm_alloc(b->ctx, 2 * capacity, sizeof *slots, "item database", err);
  if (!slots) return DM_EBUDGET;
  dm_free(b->ctx, b->slots);
  b->slots = slots;
  b->capacity = capacity;
  for (size_t r = 0; r < b->n; r++) {
    size_t at = hash[r] & (2 * capacity - 1);
    while (slots[at]) at = (at + 1) & (2 * capacity - 1);
    slots[at] = (uint32_t)(r + 1);
  }
  return DM_OK;
}

static inline bool same_words(const uint64_t *a, const uint64_t *b, size_t n) {
  uint64_t different = 0;
  for (size_t i = 0; i < n; i++) different |= a[i] ^ b[i];
  return different == 0;
}

/* Counts a row; the first of its kind is kept. Where a weight would not hold the sum, it begins anew. */
static inline dm_status add_row(bit_rows *b, const uint64_t *words, size_t n_words, uint32_t weight, dm_error *err) {
  uint64_t mixed = 0;
  for (size_t i = 0; i < n_words; i++) mixed = (mixed ^ words[i]) * 0x9E3779B97F4A7C15u, mixed ^= mixed >> 32;
  uint32_t hash = (uint32_t)mixed;
  if (b->n == b->capacity) {
    dm_status s = grow(b, err);
    if (s != DM_OK) return s;
  }
  size_t mask = 2 * b->capacity - 1, at = hash & mask;
  for (; b->slots[at]; at = (at + 1) & mask) {
    size_t r = b->slots[at] - 1;
    if (!same_words(b->words + r * n_words, words, n_words) || b->weight[r] > UINT32_MAX - weight) continue;
    b->weight[r] += weight;
    return DM_OK;
  }
  memcpy(b->words + b->n * n_words, words, n_words * sizeof *words);
  b->weight[b->n] = weight;
  b->hash[b->n] = hash;
  b->slots[at] = (uint32_t)++b->n;
  return DM_OK;
}

/* One or two words stay in registers. @param mask [n_items of the transactions][2] bits of each item, none when it is not frequent */
static dm_status read_narrow(bit_rows *b, const itemdb_job *j, const uint64_t (*mask)[2], size_t first, size_t end, dm_error *err) {
  const dm_csr *rows = &j->t->rows;
  const uint32_t *index = rows->index;
  for (size_t r = first, i = rows->start[first]; r < end; r++) {
    uint64_t words[2] = {0, 0};
    for (size_t last = rows->start[r + 1]; i < last; i++) {
      words[0] |= mask[index[i]][0];
      words[1] |= mask[index[i]][1];
    }
    if (!(words[0] | words[1])) continue;
    uint32_t weight = itemdb_weight(j->t, r);
    dm_status s = b->n_words == 1 ? add_row(b, words, 1, weight, err) : add_row(b, words, 2, weight, err);
    if (s != DM_OK) return s;
  }
  return DM_OK;
}

/* @param code [n_items of the transactions] items that are not frequent have the first bit behind the words */
static dm_status read_wide(bit_rows *b, const itemdb_job *j, const uint32_t *code, size_t first, size_t end, dm_error *err) {
  const dm_csr *rows = &j->t->rows;
  for (size_t r = first; r < end; r++) {
    uint64_t words[MAX_WORDS + 1] = {0}, any = 0;
    for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++) {
      uint32_t c = code[rows->index[i]];
      words[c / WORD_BITS] |= (uint64_t)1 << c % WORD_BITS;
    }
    for (size_t w = 0; w < b->n_words; w++) any |= words[w];
    dm_status s = any ? add_row(b, words, b->n_words, itemdb_weight(j->t, r), err) : DM_OK;
    if (s != DM_OK) return s;
  }
  return DM_OK;
}

/* What the items are in a row of bits: masks for up to two words, codes for more. */
static void *item_table(const itemdb_job *j, size_t n_words, dm_error *err) {
  size_t n = j->t->n_items;
  if (n_words > 2) {
    uint32_t *code = dm_alloc(j->ctx, n, sizeof *code, "item database", err);
    for (size_t i = 0; code && i < n; i++) code[i] = j->code[i] == NOT_FREQUENT ? (uint32_t)(n_words * WORD_BITS) : j->code[i];
    return code;
  }
  uint64_t(*mask)[2] = dm_alloc(j->ctx, n, sizeof *mask, "item database", err);
  for (size_t i = 0; mask && i < n; i++)
    if (j->code[i] != NOT_FREQUENT) mask[i][j->code[i] / WORD_BITS] = (uint64_t)1 << j->code[i] % WORD_BITS;
  return mask;
}

/* The distinct rows as codes. */
static dm_status store_rows(const itemdb_job *j, bit_rows *b, dm_error *err) {
  size_t ones = 0;
  for (size_t i = 0; i < b->n * b->n_words; i++) ones += (size_t)__builtin_popcountll(b->words[i]);
  dm_status s = dm_csr_new(j->ctx, b->n, j->db->n_items, ones, &j->db->rows, err);
  if (s != DM_OK) return s;
  dm_csr *rows = &j->db->rows;
  uint32_t *to = rows->index;
  for (size_t r = 0; r < b->n; r++) {
    for (size_t w = 0; w < b->n_words; w++)
      for (uint64_t left = b->words[r * b->n_words + w]; left; left &= left - 1) *to++ = (uint32_t)(w * WORD_BITS) + (uint32_t)__builtin_ctzll(left);
    rows->start[r + 1] = (size_t)(to - rows->index);
  }
  j->db->weight = b->weight;
  b->weight = NULL;
  return DM_OK;
}

static void clear(bit_rows *b) {
  dm_free(b->ctx, b->words);
  dm_free(b->ctx, b->weight);
  dm_free(b->ctx, b->hash);
  dm_free(b->ctx, b->slots);
}

static dm_status read_part(bit_rows *b, const itemdb_job *j, const void *table, size_t first, size_t end, dm_error *err) {
  dm_status s = grow(b, err);
  if (s != DM_OK) return s;
  return b->n_words > 2 ? read_wide(b, j, table, first, end, err) : read_narrow(b, j, table, first, end, err);
}

typedef struct bit_job {
  const itemdb_job *job;
  bit_rows *parts;
  const void *table;
} bit_job;

static void work(void *user, const dm_member *m) {
  bit_job *b = user;
  const itemdb_job *j = b->job;
  for (size_t i = m->thread; i < j->parts; i += m->threads)
    b->parts[i].status = read_part(&b->parts[i], j, b->table, j->first[i], j->first[i + 1], &b->parts[i].error);
}

dm_status itemdb_bit_rows(const itemdb_job *j, dm_error *err) {
  size_t n_words = (j->db->n_items + WORD_BITS - 1) / WORD_BITS;
  if (n_words == 0) n_words = 1;
  bit_rows *parts = dm_alloc(j->ctx, j->parts, sizeof *parts, "item database", err);
  if (!parts) return DM_EBUDGET;
  void *table = item_table(j, n_words, err);
  dm_status s = table ? DM_OK : DM_EBUDGET;
  for (size_t i = 0; i < j->parts; i++) parts[i] = (bit_rows){.ctx = j->ctx, .n_words = n_words};
  if (s == DM_OK) dm_team_run(j->ctx, j->parts, work, &(bit_job){j, parts, table});
  for (size_t i = 0; s == DM_OK && i < j->parts; i++) {
    s = parts[i].status;
    if (s != DM_OK && err) *err = parts[i].error;
    for (size_t r = 0; i > 0 && s == DM_OK && r < parts[i].n; r++) s = add_row(&parts[0], parts[i].words + r * n_words, n_words, parts[i].weight[r], err);
  }
  if (s == DM_OK) s = store_rows(j, &parts[0], err);
  for (size_t i = 0; i < j->parts; i++) clear(&parts[i]);
  dm_free(j->ctx, parts);
  dm_free(j->ctx, table);
  return s;
}
