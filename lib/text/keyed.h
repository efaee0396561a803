/* Sorting members by key: finds keys given twice, and orders canonical JSON. */
#ifndef DM_TEXT_KEYED_H
#define DM_TEXT_KEYED_H

#include <stddef.h>

typedef struct dm_keyed {
  const char *key;
  const void *item;
} dm_keyed;

/* By bytes of the key, in place, n log n for any input. Not stable. */
void dm_keyed_sort(dm_keyed *members, size_t n);

#endif
