/* State of one run of a pipeline file. */
#ifndef DM_PIPELINE_RUN_H
#define DM_PIPELINE_RUN_H

#include <dm/pipeline.h>

typedef struct dm_run {
  dm_ctx *ctx;
  dm_arena *arena;
  const char *file;
  char absolute[4096];
  bool resume, checking; /* checking: nodes are read, nothing is done */
  dm_store *store;
  dm_run_result *result;
  dm_json_out json;
  char chain[DM_SHA256_HEX]; /* digest of all parts so far */
  char key[4200];            /* dm_meta key of the part under way */
} dm_run;

/* run_nodes.c: values of a map's keys; all keep the first error in *s. */
const char *dm_run_text(const dm_run *r, const dm_yaml *map, const char *key, dm_status *s, dm_error *err);
bool dm_run_flag(const dm_run *r, const dm_yaml *map, const char *key, dm_status *s, dm_error *err);
const char *const *dm_run_texts(const dm_run *r, const dm_yaml *map, const char *key, size_t *n, dm_status *s, dm_error *err);
double dm_run_number(const dm_run *r, const dm_yaml *map, const char *key, double otherwise, dm_status *s, dm_error *err);
int dm_run_word(const dm_run *r, const dm_yaml *map, const char *key, const char *const *words, dm_status *s, dm_error *err);
const char *dm_run_path(const dm_run *r, const char *path, dm_status *s, dm_error *err);

/* run_resume.c: *skip when --resume is on and the part was done with the same digest; file: a source whose bytes count. */
dm_status dm_run_part_begin(dm_run *r, const char *part, size_t index, const dm_yaml *node, const char *file, bool *skip, dm_error *err);
dm_status dm_run_part_end(dm_run *r, dm_error *err);
void dm_run_skipped(dm_run *r);

/* one part each */
dm_status dm_run_source(dm_run *r, const dm_yaml *node, size_t index, dm_error *err);
dm_status dm_run_clean(dm_run *r, const dm_yaml *node, size_t index, dm_error *err);
dm_status dm_run_model(dm_run *r, const dm_yaml *node, size_t index, dm_error *err);
dm_status dm_run_rules(dm_run *r, const dm_yaml *node, size_t index, dm_error *err);
dm_status dm_run_encode(dm_run *r, const dm_yaml *node, size_t index, dm_error *err);
dm_status dm_run_predict(dm_run *r, const dm_yaml *node, size_t index, dm_error *err);

#endif
