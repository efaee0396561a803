/* Figures of each epoch of a training: what learning curves are drawn from. */
#include "store/registry.h"
#include "store/store.h"

#include <math.h>
#include <string.h>

dm_status dm_registry_add_epochs(dm_store *store, int64_t model_id, const dm_model_epoch *epochs, size_t n, dm_error *err) {
  dm_stmt *s = NULL;
  bool row;
  dm_status status = dm_stmt_prepare(
      store, "INSERT OR REPLACE INTO main.dm_epoch(model_id, epoch, name, value) VALUES(?1, ?2, ?3, ?4)", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 1, model_id, err);
  for (size_t i = 0; status == DM_OK && i < n; i++) {
    if (!isfinite(epochs[i].value)) continue; /* undefined: there is no row for it */
    status = dm_stmt_bind_int(s, 2, epochs[i].epoch, err);
    if (status == DM_OK) status = dm_stmt_bind_text(s, 3, epochs[i].name, err);
    if (status == DM_OK) status = dm_stmt_bind(s, 4, (dm_value){.type = DM_REAL, .real = epochs[i].value}, err);
    if (status == DM_OK) status = dm_stmt_step(s, &row, err);
    (void)dm_stmt_reset(s, NULL);
  }
  dm_stmt_free(s);
  return status;
}

/* One epoch out of a row; a name that the row before had is not copied again. */
static dm_status read_epoch(const dm_stmt *s, const dm_model_epoch *before, dm_arena *arena, dm_model_epoch *out, dm_error *err) {
  dm_value epoch = dm_stmt_value(s, 0), name = dm_stmt_value(s, 1), value = dm_stmt_value(s, 2);
  if (epoch.type != DM_INTEGER || name.type != DM_TEXT || value.type != DM_REAL || !isfinite(value.real))
    return dm_fail(err, DM_EINPUT, "dm_epoch holds a row that is not (whole number, text, number)");
  *out = (dm_model_epoch){.epoch = epoch.integer, .value = value.real};
  if (before && dm_str_equal(dm_str_of(before->name), name.text))
    out->name = before->name;
  else
    out->name = dm_arena_strdup(arena, name.text.p, name.text.n, err);
  return out->name ? DM_OK : DM_EBUDGET;
}

dm_status dm_registry_epochs(dm_store *store, int64_t model_id, dm_arena *arena, dm_model_epoch **out, size_t *n, dm_error *err) {
  dm_stmt *s = NULL;
  bool row;
  size_t count = 0, at = 0;
  dm_model_epoch *list = NULL;
  dm_status status = dm_stmt_prepare(
      store, "SELECT epoch, name, value, count(*) OVER () FROM main.dm_epoch WHERE model_id = ?1 ORDER BY name, epoch", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 1, model_id, err);
  while (status == DM_OK) {
    status = dm_stmt_step(s, &row, err);
    if (status != DM_OK || !row) break;
    if (!list) {
      count = (size_t)dm_stmt_int(s, 3);
      list = dm_arena_alloc(arena, count, sizeof *list, err);
      if (!list) status = DM_EBUDGET;
    }
    if (status != DM_OK || at >= count) break;
    status = read_epoch(s, at ? &list[at - 1] : NULL, arena, &list[at], err);
    at++;
  }
  dm_stmt_free(s);
  if (status == DM_OK) {
    *out = list;
    *n = at;
  }
  return status;
}
