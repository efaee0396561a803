/* What `rules --json` prints. */
#include <dm/pipeline.h>

#include <stdio.h>

/* Exact beyond 2^63, too. */
static void put_count(dm_json_out *j, const char *key, uint64_t n) {
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
  dm_json_key(j, key);
  dm_json_raw(j, digits, (size_t)length);
}

void dm_rules_json(const dm_rules_result *r, dm_json_out *j) {
  dm_json_object(j);
  dm_json_put_string(j, "model", r->saved ? r->meta.name : NULL);
  dm_json_key(j, "version");
  r->saved ? dm_json_int(j, r->meta.version) : dm_json_null(j);
  put_count(j, "transactions", r->transactions);
  dm_json_put_int(j, "items", (int64_t)r->items);
  put_count(j, "itemsets", r->itemsets);
  if (r->has_rules) {
    put_count(j, "rules", r->rules);
  } else {
    dm_json_key(j, "rules");
    dm_json_null(j);
  }
  put_count(j, "min_support", r->min_support);
  dm_json_put_string(j, "kind", r->kind);
  dm_json_put_string(j, "algorithm", r->algorithm);
  dm_json_put_string(j, "file", r->path);
  put_count(j, "rejects", r->rejects);
  dm_json_put_double(j, "seconds", r->seconds);
  dm_json_end_object(j);
}
