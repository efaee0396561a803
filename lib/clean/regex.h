/* Regular expressions over UTF-8 (PCRE2), with a match limit so that no pattern runs away. */
#ifndef DM_CLEAN_REGEX_H
#define DM_CLEAN_REGEX_H

#include <dm/core.h>

typedef struct dm_clean_regex dm_clean_regex;

/**
 * @param with replacement: $1 or ${1} are groups, ${name} named ones, $0 the match, $$ a dollar.
 * @param offset code units into pattern (or with, then *in_replacement) where it is wrong.
 * @return DM_OK, DM_EINPUT, DM_EBUDGET.
 */
dm_status dm_clean_regex_new(dm_ctx *ctx, const char *pattern, const char *with, dm_clean_regex **out, size_t *offset,
                             bool *in_replacement, dm_error *err);
void dm_clean_regex_free(dm_clean_regex *r); /* NULL allowed */
/** Replaces every match in p[0..n). @param out borrowed until the next call; false in *changed leaves it alone. */
dm_status dm_clean_regex_replace(dm_clean_regex *r, const char *p, size_t n, dm_str *out, bool *changed, dm_error *err);

#endif
