/* The items of one transaction's text, one after the other: of a line of a transaction file, or of a cell of a table. */
#ifndef DM_DATA_FORMATS_BASKET_SPLIT_H
#define DM_DATA_FORMATS_BASKET_SPLIT_H

#include <dm/data.h>

/**
 * The next item at *p, without the blanks around it.
 *
 *   milk bread            delimiter 0: between blanks
 *   "1,5 l milk", bread   else between delimiters, in quotes where an item holds one, a quote (doubled) or a newline
 *
 * @param buf for an item with doubled quotes, which *item then borrows; its status is the caller's to look at.
 * @param bad NULL, or the byte that is wrong: a quote that is never closed, or what stands behind a closing quote; then the text is at its end.
 * @return false: there is none. An empty text between delimiters is no item.
 */
bool basket_next(char delimiter, const char **p, const char *end, dm_buf *buf, dm_str *item, const char **bad);
/** 0 = blanks. @param options NULL: all defaults. @return DM_EUSAGE: it cannot be one. */
dm_status basket_delimiter(const dm_basket_options *options, char *out, dm_error *err);
/** What is wrong at such a byte. */
dm_status basket_refuse(char bad, dm_error *err);
/** Behind the quote that ends what is quoted at p; NULL when it is not in sight. */
const char *basket_quoted_end(const char *p, const char *end);

/** Blanks around items; of lines, newlines have been taken away before. */
static inline bool basket_is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

#endif
