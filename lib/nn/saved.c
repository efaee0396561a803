/* Parts of stored nets. */
#include "nn/saved.h"

#include <math.h>

bool nn_saved_count(const dm_json *v, size_t max, size_t *out) {
  if (!v || v->type != DM_JSON_INT || v->integer < 0 || (uint64_t)v->integer > max) return false;
  *out = (size_t)v->integer;
  return true;
}

dm_status nn_saved_floats(dm_model_reader *r, const char *learner, const char *name, size_t n, const float **out, dm_error *err) {
  size_t shape[1];
  if (n == 0) return DM_OK;
  dm_status s = r->tensor(r, name, DM_F32, 1, shape, (const void **)out, err);
  if (s != DM_OK) return s;
  if (shape[0] != n) return dm_fail(err, DM_EINPUT, "%s: the model is damaged: %zu numbers in '%s', want %zu", learner, shape[0], name, n);
  for (size_t i = 0; i < n; i++)
    if (!isfinite((*out)[i])) return dm_fail(err, DM_EINPUT, "%s: the model is damaged: number %zu of '%s' is not finite", learner, i, name);
  return DM_OK;
}
