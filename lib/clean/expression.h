/* SQL expressions of recipes: one value for each row of the table, read-only. */
#ifndef DM_CLEAN_EXPRESSION_H
#define DM_CLEAN_EXPRESSION_H

#include "clean/run.h"

/** What can be seen without the table: DM_EINPUT at the node. */
dm_status dm_clean_expression_parse(const dm_clean_parser *in, const dm_yaml *node, dm_error *err);
/**
 * Asks SQLite whether it understands the expression over the table as it is now.
 * @param in_where also as a condition, where aggregates and windows have no place.
 */
dm_status dm_clean_expression_check(dm_clean_run *run, const dm_yaml *node, bool in_where, dm_error *err);

#endif
