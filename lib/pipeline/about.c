/* What this build is made of. */
#include <dm/pipeline.h>

#include <gsl/gsl_version.h>

static const char licence[] =
    "Sources MIT; this build links GSL and is as a whole under the GPL, version 3 or later.";

void dm_about_text(dm_buf *out) {
  dm_buf_printf(out, "SQLite %s, GSL %s, CBLAS %s\n%s\n", dm_store_sqlite_version(), gsl_version, dm_blas_library(), licence);
}

void dm_about_json(dm_json_out *json) {
  dm_json_object(json);
  dm_json_put_string(json, "version", DM_VERSION);
  dm_json_put_string(json, "sqlite", dm_store_sqlite_version());
  dm_json_put_string(json, "gsl", gsl_version);
  dm_json_put_string(json, "cblas", dm_blas_library());
  dm_json_put_bool(json, "cblas_is_fast", dm_blas_is_fast());
  dm_json_put_int(json, "schema_version", DM_SCHEMA_VERSION);
  dm_json_key(json, "methods");
  dm_json_array(json);
  for (size_t i = 0; dm_methods[i]; i++) dm_json_string(json, dm_methods[i]->name);
  dm_json_end_array(json);
  dm_json_put_string(json, "licence", licence);
  dm_json_end_object(json);
}
