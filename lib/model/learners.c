/* The methods of a context, by name. */
#include <dm/model.h>

#include <string.h>

enum { MAX_NAMED = 64 }; /* methods that "did you mean" looks at */

const dm_learner *dm_learner_find(const dm_ctx *ctx, const char *name, dm_error *err) {
  const dm_learner *const *all = dm_ctx_learners(ctx);
  const char *names[MAX_NAMED];
  size_t n = 0;
  for (size_t i = 0; all && all[i]; i++) {
    if (strcmp(all[i]->name, name) == 0) return all[i];
    if (n < MAX_NAMED) names[n++] = all[i]->name;
  }
  (void)dm_fail(err, DM_EUSAGE, "unknown method '%s'", name);
  const char *near = dm_text_nearest(name, names, n);
  if (near) {
    dm_error_hint(err, "did you mean '%s'?", near);
    return NULL;
  }
  char list[400] = "";
  for (size_t i = 0; i < n; i++) {
    if (strlen(list) + strlen(names[i]) + 3 > sizeof list) break;
    if (i) strcat(list, ", ");
    strcat(list, names[i]);
  }
  if (n) dm_error_hint(err, "methods: %s", list);
  return NULL;
}
