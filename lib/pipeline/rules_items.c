/* Items that options name: those that may stand on one side of a rule only. */
#include "pipeline/rules.h"

#include <string.h>

static dm_status find_item(const rules_job *j, const char *option, const char *name, size_t *code, dm_error *err) {
  *code = dm_transactions_find(j->t, dm_str_of(name));
  if (*code != SIZE_MAX) return DM_OK;
  const char **names = dm_alloc(j->ctx, j->t->n_items + 1, sizeof *names, "names of items", err);
  dm_arena *arena = NULL;
  dm_status s = names ? dm_arena_new(j->ctx, 0, &arena, err) : DM_EBUDGET;
  for (size_t i = 0; s == DM_OK && i < j->t->n_items; i++)
    if (!(names[i] = dm_arena_strdup(arena, j->t->names[i].p, j->t->names[i].n, err))) s = DM_EBUDGET;
  if (s == DM_OK) {
    const char *near = dm_text_nearest(name, names, j->t->n_items);
    s = dm_fail(err, DM_EUSAGE, "--%s: no transaction has an item '%s'", option, name);
    if (near) dm_error_hint(err, "did you mean %s?", near);
  }
  dm_arena_free(arena);
  dm_free(j->ctx, names);
  return s;
}

static dm_status restrict_to(rules_job *j, const char *option, const char *const *names, size_t n, uint8_t side, uint8_t *appear, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0, code; s == DM_OK && i < n; i++) {
    if ((s = find_item(j, option, names[i], &code, err)) != DM_OK) break;
    if (appear[code] != (DM_APPEAR_BODY | DM_APPEAR_HEAD) && appear[code] != side)
      s = dm_fail(err, DM_EUSAGE, "item '%s' is named by --left and by --right: it could stand nowhere", names[i]);
    appear[code] = side;
  }
  return s;
}

dm_status rules_restrict(rules_job *j, const uint8_t **appear, dm_error *err) {
  const dm_rules_options *o = j->o;
  *appear = NULL;
  if (o->n_left + o->n_right == 0) return DM_OK;
  uint8_t *sides = dm_arena_alloc(j->work, j->t->n_items + 1, 1, err);
  if (!sides) return DM_EBUDGET;
  memset(sides, DM_APPEAR_BODY | DM_APPEAR_HEAD, j->t->n_items);
  dm_status s = restrict_to(j, "left", o->left, o->n_left, DM_APPEAR_BODY, sides, err);
  if (s == DM_OK) s = restrict_to(j, "right", o->right, o->n_right, DM_APPEAR_HEAD, sides, err);
  *appear = sides;
  return s;
}
