/*
 * Search with at most 64 rows left: an item is a word with a bit for each row
 * (as many bits as its weight says), a set is the AND of its items' words, and
 * one pass puts an item together with all before it.
 *
 * Depth first as Eclat (Zaki, IEEE TKDE 2000); items that all rows of a set
 * have are set aside (perfect extensions), so that supports fall from level to
 * level, and there are at most 64 of them.
 */
#include "patterns/hybrid.h"

enum { TOGETHER = 8 }; /* as many words are searched without leaving the registers */

static void count_sets(hybrid_worker *w, const uint64_t *word, size_t n, uint64_t *room) {
  const dm_k_masks *k = w->h->k;
  if (n <= TOGETHER) {
    hybrid_add(w, k->sets_of_8(word, n, w->h->min));
    return;
  }
  uint64_t sets = 2; /* the set itself, and with the first item alone */
  for (size_t at = n; at-- > 1 && hybrid_goes_on(w);) {
    size_t equal, more = k->meet(word, at, word[at], w->h->min, room, &equal);
    if (more < 2 && equal < 32) {
      sets += (uint64_t)(more + 1) << equal;
    } else {
      w->e->n_perfect += equal; /* how many is all that counts */
      count_sets(w, room, more, room + more + DM_K_SPARE);
      w->e->n_perfect -= equal;
    }
  }
  hybrid_add(w, sets);
}

static void list_sets(hybrid_worker *w, const dm_k_columns *columns, uint32_t support, dm_k_columns room) {
  dm_emit *e = w->e;
  dm_emit_set(e, support);
  if (e->n >= w->h->max_size) return;
  for (size_t at = columns->n; at-- > 0 && hybrid_goes_on(w);) {
    size_t equal = w->h->k->meet_columns(columns, at, columns->word[at], columns->support[at], w->h->min, &room, w->equals);
    for (size_t i = 0; i < equal; i++) dm_emit_perfect(e, w->equals[i]);
    dm_emit_push(e, columns->item[at]);
    size_t used = room.n + DM_K_SPARE;
    list_sets(w, &room, columns->support[at], (dm_k_columns){room.word + used, room.item + used, room.support + used, 0});
    dm_emit_pop(e);
    dm_emit_unperfect(e, e->n_perfect - equal);
  }
}

/* Room for all levels: each has fewer columns than the one above it, and a smaller support. */
dm_status hybrid_words_search(hybrid_worker *w, const dm_k_columns *columns, uint32_t support) {
  size_t levels = support - w->h->min + 1, places = levels * (columns->n + 2 * DM_K_SPARE);
  if (columns->n <= TOGETHER && w->e->counts) {
    count_sets(w, columns->word, columns->n, NULL);
    return DM_OK;
  }
  dm_stack_mark mark = dm_stack_at(&w->memory);
  dm_k_columns room = {.word = hybrid_take(w, places, sizeof *room.word)};
  if (!room.word) return DM_EBUDGET;
  if (w->e->counts) {
    count_sets(w, columns->word, columns->n, room.word);
  } else {
    if (!(room.item = hybrid_take(w, places, sizeof *room.item)) || !(room.support = hybrid_take(w, places, sizeof *room.support)))
      return DM_EBUDGET;
    list_sets(w, columns, support, room);
  }
  dm_stack_back(&w->memory, mark);
  return DM_OK;
}
