/* The verb `dm-mine rules`: its options and what it does. */
#ifndef DM_TOOLS_MINE_RULES_H
#define DM_TOOLS_MINE_RULES_H

#include "cli.h"

enum { MINE_RULES_SHOWN = 10 }; /* rules on the terminal */

extern const option_spec *const mine_rules_tables[];
extern const char mine_rules_notes[];
dm_status mine_rules_run(cli *c);

#endif
