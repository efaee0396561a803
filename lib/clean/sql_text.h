/* Reading SQL text as far as cleaning needs it: names, expressions, the type of a column in CREATE TABLE. */
#ifndef DM_CLEAN_SQL_TEXT_H
#define DM_CLEAN_SQL_TEXT_H

#include <dm/core.h>

/** name as a quoted identifier, in the arena; NULL after filling err. */
char *dm_clean_quote(dm_arena *arena, const char *name, dm_error *err);

/**
 * An expression that can stand inside parentheses without reaching out of
 * them: no ';', no parameter, brackets balanced and never closed too early,
 * strings and comments ended.
 * @param at offset of the first bad byte.
 * @return NULL when it is one, else what is wrong.
 */
const char *dm_clean_expression_problem(const char *sql, size_t *at);

/**
 * Bytes [*from, *to) of a CREATE TABLE text that give the type of a column,
 * with the white space before it; empty (at the end of the name) when the
 * column has no type. Nothing else of the definition is touched by replacing
 * them, so that putting the old bytes back restores the text.
 * @return false when the column is not in the text.
 */
bool dm_clean_column_type(const char *sql, const char *column, size_t *from, size_t *to);

#endif
