/* The one table of searches, the fastest of each kind of set first: `auto` takes the first that knows the kind. */
#include "patterns/miner.h"

#include <string.h>

const dm_miner *const dm_miners[] = {&dm_miner_hybrid, &dm_miner_lcm, &dm_miner_eclat, &dm_miner_fpgrowth, &dm_miner_apriori, NULL};

const dm_miner *dm_miner_choose(const dm_itemdb *db, dm_itemset_kind kind) {
  (void)db;
  for (const dm_miner *const *m = dm_miners; *m; m++)
    if ((*m)->kinds >> kind & 1) return *m;
  return NULL;
}

static dm_status unknown_miner(const char *name, dm_error *err) {
  const char *names[16] = {"auto"};
  size_t n = 1;
  for (; n < 16 && dm_miners[n - 1]; n++) names[n] = dm_miners[n - 1]->name;
  const char *near = dm_text_nearest(name, names, n);
  (void)dm_fail(err, DM_EUSAGE, "unknown algorithm '%s'", name);
  if (near) {
    dm_error_hint(err, "did you mean %s?", near);
    return DM_EUSAGE;
  }
  char list[256] = "auto";
  for (size_t i = 1; i < n; i++) {
    strncat(list, ", ", sizeof list - strlen(list) - 1);
    strncat(list, names[i], sizeof list - strlen(list) - 1);
  }
  dm_error_hint(err, "there are %s", list);
  return DM_EUSAGE;
}

dm_status dm_miner_find(const char *name, const dm_itemdb *db, dm_itemset_kind kind, const dm_miner **out, dm_error *err) {
  if (!name || strcmp(name, "auto") == 0) {
    *out = dm_miner_choose(db, kind);
    return DM_OK;
  }
  for (const dm_miner *const *m = dm_miners; *m; m++) {
    if (strcmp((*m)->name, name) != 0) continue;
    if ((*m)->kinds >> kind & 1) {
      *out = *m;
      return DM_OK;
    }
    (void)dm_fail(err, DM_EUSAGE, "%s does not search for %s sets", name, dm_itemset_kind_name(kind));
    dm_error_hint(err, "--algorithm auto takes %s for them", dm_miner_choose(db, kind)->name);
    return DM_EUSAGE;
  }
  return unknown_miner(name, err);
}
