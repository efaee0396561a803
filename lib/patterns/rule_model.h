/* What making and loading a rule model share. */
#ifndef DM_PATTERNS_RULE_MODEL_H
#define DM_PATTERNS_RULE_MODEL_H

#include <dm/patterns.h>

/** Fills by_name, start and rule, which all else is there for. @return DM_EINPUT: two items have one name; DM_EBUDGET. */
dm_status rule_model_index(dm_rule_model *m, dm_arena *arena, dm_error *err);

#endif
