/* The one table of steps: reading, running, help and documentation all start here. */
#include "clean/recipe.h"

const dm_clean_kind *const dm_clean_kinds[] = {
    &dm_clean_trim,         &dm_clean_case, &dm_clean_replace,         &dm_clean_recode, &dm_clean_cast,   &dm_clean_parse_date,
    &dm_clean_parse_number, &dm_clean_fill, &dm_clean_drop_duplicates, &dm_clean_filter, &dm_clean_derive, NULL,
};

bool dm_recipe_step_help(size_t i, dm_step_help *out) {
  if (i + 1 >= sizeof dm_clean_kinds / sizeof *dm_clean_kinds) return false;
  *out = (dm_step_help){dm_clean_kinds[i]->name, dm_clean_kinds[i]->arguments, dm_clean_kinds[i]->help};
  return true;
}
