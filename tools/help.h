/* --help and --version. */
#ifndef DM_TOOLS_HELP_H
#define DM_TOOLS_HELP_H

#include "cli.h"

void help_of_program(const program_spec *program);
/** @param learners NULL-ended: whose parameters are shown where the verb takes them */
void help_of_verb(const program_spec *program, const verb_spec *v, const dm_learner *const *learners);
void help_version(const program_spec *program);

#endif
