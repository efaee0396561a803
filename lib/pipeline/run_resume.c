/*
 * What of a pipeline is done already: dm_meta key
 * "pipeline:<absolute path>/<part>/<index>" = SHA-256 over what the part depends on: its
 * text in the file, the parts before it, and a source's bytes.
 */
#include "pipeline/run.h"

#include <stdio.h>
#include <string.h>

/* Digest of a part: the chain so far, then the node's text. */
static void add_node(dm_sha256 *h, const dm_yaml *node) {
  char head[64];
  int n = snprintf(head, sizeof head, "%d;%zu;%zu;%d;", (int)node->type, node->n, node->length, node->quoted);
  dm_sha256_add(h, head, (size_t)n);
  if (node->key) dm_sha256_add(h, node->key, strlen(node->key) + 1);
  if (node->scalar) dm_sha256_add(h, node->scalar, node->length);
  for (const dm_yaml *c = node->first; c; c = c->next) add_node(h, c);
}

static dm_status add_file(const dm_run *r, dm_sha256 *h, const char *path, dm_error *err) {
  FILE *f = fopen(path, "rb");
  if (!f) return DM_OK; /* the import will say it better */
  char *block = dm_alloc(r->ctx, 1, (size_t)1 << 16, "file digest", err);
  for (size_t n; block && (n = fread(block, 1, (size_t)1 << 16, f)) > 0;) dm_sha256_add(h, block, n);
  bool failed = ferror(f) != 0;
  (void)fclose(f);
  dm_free(r->ctx, block);
  return !block ? DM_EBUDGET : failed ? dm_fail(err, DM_EIO, "%s cannot be read", path) : DM_OK;
}

dm_status dm_run_part_begin(dm_run *r, const char *part, size_t index, const dm_yaml *node, const char *file, bool *skip, dm_error *err) {
  dm_sha256 *h = NULL;
  dm_status s = dm_sha256_new(r->ctx, &h, err);
  if (s != DM_OK) return s;
  dm_sha256_add(h, r->chain, strlen(r->chain));
  add_node(h, node);
  if (file) s = add_file(r, h, file, err);
  dm_sha256_hex(h, r->chain);
  dm_sha256_free(h);
  (void)snprintf(r->key, sizeof r->key, "pipeline:%s:%s/%zu", r->absolute, part, index);
  *skip = false;
  bool recorded = false;
  if (s == DM_OK && r->resume) s = dm_store_has_schema(r->store, &recorded, err);
  if (!recorded) return s;
  dm_stmt *stmt = NULL;
  bool row = false;
  s = dm_stmt_prepare(r->store, "SELECT value FROM dm_meta WHERE key = ?1", &stmt, err);
  if (s == DM_OK) s = dm_stmt_bind_text(stmt, 1, r->key, err);
  if (s == DM_OK) s = dm_stmt_step(stmt, &row, err);
  if (s == DM_OK && row) {
    dm_value v = dm_stmt_value(stmt, 0);
    *skip = v.type == DM_TEXT && dm_str_equal(v.text, dm_str_of(r->chain));
  }
  dm_stmt_free(stmt);
  return s;
}

dm_status dm_run_part_end(dm_run *r, dm_error *err) {
  dm_status s = dm_store_begin(r->store, err);
  if (s == DM_OK) s = dm_store_ensure_schema(r->store, err);
  if (s == DM_OK) s = dm_store_exec(r->store, err, "INSERT OR REPLACE INTO dm_meta(key, value) VALUES(%Q, %Q)", r->key, r->chain);
  if (s == DM_OK) s = dm_store_commit(r->store, err);
  if (s != DM_OK) dm_store_rollback(r->store);
  return s;
}

void dm_run_skipped(dm_run *r) {
  dm_log(r->ctx, DM_LOG_INFO, "%s is done already", r->key);
  dm_json_null(&r->json);
}
