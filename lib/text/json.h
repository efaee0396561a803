/* What the JSON files share. */
#ifndef DM_TEXT_JSON_H
#define DM_TEXT_JSON_H

#include <dm/text.h>

/* Appends s[0..n) as a JSON string with its quotes. */
void dm_json_quote(dm_buf *buf, const char *s, size_t n);

#endif
