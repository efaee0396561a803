/*
 * Rows of many items as lists of codes: recoded and sorted behind the rows
 * before them, and taken back when an equal row is there. With rows that may
 * be taken this happens where they stand, since what is written never
 * overtakes what is read.
 */
#include "patterns/itemdb_rows.h"

#include "core/team.h"

#include <string.h>

enum { WORD_BITS = 64, SHORT_ROW = 40 };

/* A range of rows. */
typedef struct list_part {
  const itemdb_job *job;
  size_t first, end; /* rows of the transactions */
  size_t from;       /* where their codes begin */
  uint32_t *to;      /* codes of the distinct rows go here */
  size_t *row_end;   /* [end - first] … their ends, from to */
  uint32_t *weight, *hash; /* [end - first] */
  size_t n, ones;    /* distinct rows, their codes */
  uint32_t *slots;   /* [n_slots] row + 1 */
  size_t n_slots;    /* a power of two */
  uint64_t *bits;    /* [n_items] a long row; all zero between two */
} list_part;

static void sort_short(uint32_t *row, size_t n) {
  for (size_t i = 1; i < n; i++) {
    uint32_t code = row[i];
    size_t at = i;
    for (; at > 0 && row[at - 1] > code; at--) row[at] = row[at - 1];
    row[at] = code;
  }
}

/* By the bits of its codes, from the lowest word to the highest. */
static void sort_long(uint64_t *bits, uint32_t *row, size_t n) {
  uint32_t low = UINT32_MAX, high = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t word = row[i] / WORD_BITS;
    bits[word] |= (uint64_t)1 << row[i] % WORD_BITS;
    if (word < low) low = word;
    if (word > high) high = word;
  }
  for (uint32_t word = low; word <= high; word++) {
    for (uint64_t left = bits[word]; left; left &= left - 1) *row++ = word * WORD_BITS + (uint32_t)__builtin_ctzll(left);
    bits[word] = 0;
  }
}

static inline uint64_t mix(uint32_t code) {
  uint64_t x = (code + (uint64_t)1) * 0x9E3779B97F4A7C15u;
  return x ^ x >> 29;
}

/* Row n of the part, whose codes and weight are there: kept, or counted with one that is equal. */
static void settle(list_part *p, size_t length, uint64_t mixed) {
  mixed *= 0xD6E8FEB86659FD93u;
  uint32_t hash = (uint32_t)(mixed >> 32), weight = p->weight[p->n];
  const uint32_t *row = p->to + p->ones;
  size_t mask = p->n_slots - 1, at = hash & mask;
  for (; p->slots[at]; at = (at + 1) & mask) {
    size_t r = p->slots[at] - 1, begin = r ? p->row_end[r - 1] : 0;
    if (p->hash[r] != hash || p->row_end[r] - begin != length || p->weight[r] > UINT32_MAX - weight) continue;
    if (memcmp(p->to + begin, row, length * sizeof *row) != 0) continue;
    p->weight[r] += weight;
    return;
  }
  p->hash[p->n] = hash;
  p->ones += length;
  p->row_end[p->n++] = p->ones;
  p->slots[at] = (uint32_t)p->n;
}

static void read_rows(list_part *p) {
  const dm_transactions *t = p->job->t;
  const uint32_t *index = t->rows.index, *code = p->job->code;
  for (size_t r = p->first, i = p->from; r < p->end; r++) {
    uint32_t *row = p->to + p->ones;
    size_t n = 0, last = t->rows.start[r + 1];
    uint64_t mixed = 0;
    for (; i < last; i++) {
      uint32_t c = code[index[i]];
      if (c == NOT_FREQUENT) continue;
      row[n++] = c;
      mixed += mix(c);
    }
    if (n == 0) continue;
    if (n <= SHORT_ROW)
      sort_short(row, n);
    else
      sort_long(p->bits, row, n);
    p->weight[p->n] = itemdb_weight(t, r);
    settle(p, n, mixed);
  }
}

/* Rows of a later part behind those of the first; what is written may be where they were. */
static void append(list_part *to, const list_part *from) {
  for (size_t r = 0, begin = 0, end; r < from->n; r++, begin = end) {
    end = from->row_end[r];
    uint64_t mixed = 0;
    for (size_t i = begin; i < end; i++) mixed += mix(from->to[i]);
    memmove(to->to + to->ones, from->to + begin, (end - begin) * sizeof *to->to);
    to->weight[to->n] = from->weight[r];
    settle(to, end - begin, mixed);
  }
}

/* What the parts write to: rows of the transactions themselves or room for as many, and tables. */
typedef struct list_room {
  dm_csr rows;
  uint32_t *weight, *hash;
  uint32_t *slots;
  uint64_t *bits;
} list_room;

static size_t slots_for(size_t rows) {
  size_t n = 64;
  while (n < rows + rows / 2) n *= 2;
  return n;
}

static dm_status make_room(const itemdb_job *j, list_room *room, list_part *parts, dm_error *err) {
  const dm_csr *source = &j->t->rows;
  size_t n_slots = slots_for(source->n), words = j->db->n_items / WORD_BITS + 1; /* the first part's slots hold the rows of all in the end */
  for (size_t i = 1; i < j->parts; i++) n_slots += slots_for(j->first[i + 1] - j->first[i]);
  if (!j->take && dm_csr_new(j->ctx, source->n, j->db->n_items, source->start[source->n], &room->rows, err) != DM_OK) return DM_EBUDGET;
  const dm_csr *rows = j->take ? j->take : &room->rows;
  if (!(room->weight = dm_alloc(j->ctx, source->n, sizeof *room->weight, "item database", err))) return DM_EBUDGET;
  if (!(room->hash = dm_alloc(j->ctx, source->n, sizeof *room->hash, "item database", err))) return DM_EBUDGET;
  if (!(room->slots = dm_alloc(j->ctx, n_slots, sizeof *room->slots, "item database", err))) return DM_EBUDGET;
  if (!(room->bits = dm_alloc(j->ctx, words * j->parts, sizeof *room->bits, "item database", err))) return DM_EBUDGET;
  uint32_t *slots = room->slots;
  for (size_t i = 0; i < j->parts; i++) {
    size_t first = j->first[i], end = j->first[i + 1];
    parts[i] = (list_part){.job = j, .first = first, .end = end, .from = source->start[first], .bits = room->bits + words * i};
    parts[i].to = rows->index + source->start[first];
    parts[i].row_end = rows->start + 1 + first;
    parts[i].weight = room->weight + first;
    parts[i].hash = room->hash + first;
    parts[i].slots = slots;
    parts[i].n_slots = slots_for(i == 0 ? source->n : end - first);
    slots += parts[i].n_slots;
  }
  return DM_OK;
}

/* Gives back what distinct rows do not need. */
static dm_status keep(const itemdb_job *j, list_room *room, const list_part *whole, dm_error *err) {
  dm_csr *rows = j->take ? j->take : &room->rows;
  size_t *start = dm_realloc(j->ctx, rows->start, whole->n + 1, sizeof *start, "item database", err);
  if (!start) return DM_EBUDGET;
  rows->start = start;
  uint32_t *index = dm_realloc(j->ctx, rows->index, whole->ones, sizeof *index, "item database", err);
  if (!index) return DM_EBUDGET;
  rows->index = index;
  uint32_t *weight = dm_realloc(j->ctx, room->weight, whole->n, sizeof *weight, "item database", err);
  if (!weight) return DM_EBUDGET;
  room->weight = NULL;
  j->db->weight = weight;
  j->db->rows = (dm_csr){.n = whole->n, .d = j->db->n_items, .start = start, .index = index};
  *rows = (dm_csr){0};
  return DM_OK;
}

static void work(void *user, const dm_member *m) {
  list_part *parts = user;
  for (size_t i = m->thread; i < parts->job->parts; i += m->threads) read_rows(&parts[i]);
}

dm_status itemdb_list_rows(const itemdb_job *j, dm_error *err) {
  list_room room = {0};
  list_part *parts = dm_alloc(j->ctx, j->parts, sizeof *parts, "item database", err);
  dm_status s = parts ? make_room(j, &room, parts, err) : DM_EBUDGET;
  if (s == DM_OK) {
    dm_team_run(j->ctx, j->parts, work, parts);
    for (size_t i = 1; i < j->parts; i++) append(&parts[0], &parts[i]);
  }
  dm_free(j->ctx, room.hash); /* before blocks that may have to be copied */
  dm_free(j->ctx, room.slots);
  dm_free(j->ctx, room.bits);
  if (s == DM_OK) s = keep(j, &room, &parts[0], err);
  dm_csr_clear(j->ctx, &room.rows);
  dm_free(j->ctx, room.weight);
  dm_free(j->ctx, parts);
  return s;
}
