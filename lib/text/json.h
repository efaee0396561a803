/* What the JSON files share. */
#ifndef DM_TEXT_JSON_H
#define DM_TEXT_JSON_H

#include <dm/text.h>

/* Appends s[0..n) as a JSON string with its quotes. */
void dm_json_quote(dm_buf *buf, const char *s, size_t n);

/* Sorts members by key (bytes), in place, n log n for any input. */
void dm_json_sort_members(const dm_json **members, size_t n);

#endif
