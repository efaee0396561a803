/* Types of stored tensors: sizes and names. */
#include <dm/model.h>

#include <string.h>

typedef struct dtype {
  const char *name;
  size_t size;
} dtype;

static const dtype types[] = {
    [DM_F32] = {"f32", 4}, [DM_F64] = {"f64", 8}, [DM_I8] = {"i8", 1},    [DM_U8] = {"u8", 1},
    [DM_I32] = {"i32", 4}, [DM_I64] = {"i64", 8}, [DM_UTF8] = {"utf8", 1},
};

size_t dm_dtype_size(dm_dtype t) { return types[t].size; }
const char *dm_dtype_name(dm_dtype t) { return types[t].name; }

bool dm_dtype_parse(const char *name, dm_dtype *out) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i].name, name) == 0) {
      *out = (dm_dtype)i;
      return true;
    }
  return false;
}
