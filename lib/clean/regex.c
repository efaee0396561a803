#define PCRE2_CODE_UNIT_WIDTH 8
#include "clean/regex.h"

#include <pcre2.h>
#include <string.h>

enum { MATCH_LIMIT = 1000000, DEPTH_LIMIT = 10000, HEAP_LIMIT_KB = 64 << 10 };

struct dm_clean_regex {
  dm_ctx *ctx;
  pcre2_general_context *general;
  pcre2_match_context *match;
  pcre2_match_data *data;
  pcre2_code *code;
  char *with;
  char *out;
  size_t capacity;
};

static void *take(size_t size, void *ctx) { return dm_alloc(ctx, size, 1, "regular expression", NULL); }
static void give(void *block, void *ctx) { dm_free(ctx, block); }

void dm_clean_regex_free(dm_clean_regex *r) {
  if (!r) return;
  pcre2_code_free(r->code);
  pcre2_match_data_free(r->data);
  pcre2_match_context_free(r->match);
  pcre2_general_context_free(r->general);
  dm_free(r->ctx, r->with);
  dm_free(r->ctx, r->out);
  dm_free(r->ctx, r);
}

/* pcre2_substitute looks at the replacement only when something matches; we want its mistakes at once. */
static bool replacement_is_good(const dm_clean_regex *r, const char *with, size_t *offset) {
  uint32_t groups = 0;
  (void)pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &groups);
  for (size_t i = 0; with[i]; i++) {
    if (with[i] != '$') continue;
    *offset = i++;
    if (with[i] == '$') continue;
    bool brace = with[i] == '{';
    size_t from = i + brace, n = strspn(with + from, "0123456789"), name = 0;
    if (n == 0) name = strspn(with + from, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    if (n + name == 0 || n + name > 32 || (brace && with[from + n + name] != '}')) return false;
    if (n) {
      unsigned long group = 0;
      for (size_t k = 0; k < n && group <= groups; k++) group = group * 10 + (unsigned long)(with[from + k] - '0');
      if (group > groups) return false;
    } else {
      char text[33] = "";
      memcpy(text, with + from, name);
      if (pcre2_substring_number_from_name(r->code, (PCRE2_SPTR)text) < 0) return false;
    }
    i = from + n + name - !brace;
  }
  return true;
}

static dm_status compile(dm_clean_regex *r, const char *pattern, size_t *offset, dm_error *err) {
  int code = 0;
  pcre2_compile_context *how = pcre2_compile_context_create(r->general);
  if (!how) return dm_fail(err, DM_EBUDGET, "regular expression: no memory left");
  (void)pcre2_set_max_pattern_length(how, 65536);
  r->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, offset, how);
  pcre2_compile_context_free(how);
  if (r->code) return DM_OK;
  if (code == PCRE2_ERROR_HEAP_FAILED) return dm_fail(err, DM_EBUDGET, "regular expression: no memory left");
  char text[160] = "";
  (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
  return dm_fail(err, code == PCRE2_ERROR_HEAP_FAILED ? DM_EBUDGET : DM_EINPUT, "regular expression: %s", text);
}

dm_status dm_clean_regex_new(dm_ctx *ctx, const char *pattern, const char *with, dm_clean_regex **out, size_t *offset,
                             bool *in_replacement, dm_error *err) {
  dm_clean_regex *r = dm_alloc(ctx, 1, sizeof *r, "regular expression", err);
  if (!r) return DM_EBUDGET;
  r->ctx = ctx;
  *in_replacement = false;
  r->general = pcre2_general_context_create(take, give, ctx);
  r->match = r->general ? pcre2_match_context_create(r->general) : NULL;
  r->with = dm_strdup(ctx, with, err);
  dm_status s = r->match && r->with ? compile(r, pattern, offset, err) : dm_fail(err, DM_EBUDGET, "regular expression: no memory left");
  if (s == DM_OK && !replacement_is_good(r, with, offset)) {
    *in_replacement = true;
    s = dm_fail(err, DM_EINPUT, "replacement: the pattern has no such group");
  }
  if (s == DM_OK) {
    (void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* where it cannot, matching interprets */
    (void)pcre2_set_match_limit(r->match, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(r->match, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(r->match, HEAP_LIMIT_KB);
    r->data = pcre2_match_data_create_from_pattern(r->code, r->general);
    if (!r->data) s = dm_fail(err, DM_EBUDGET, "regular expression: no memory left");
  }
  if (s != DM_OK) dm_clean_regex_free(r);
  else *out = r;
  return s;
}

static dm_status match_failed(int code, dm_error *err) {
  char text[160] = "";
  (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
  if (code == PCRE2_ERROR_NOMEMORY) return dm_fail(err, DM_EBUDGET, "regular expression: no memory left");
  (void)dm_fail(err, DM_EINPUT, "regular expression: %s", text);
  if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT || code == PCRE2_ERROR_HEAPLIMIT)
    dm_error_hint(err, "the pattern tries too many ways to match; avoid repeats inside repeats");
  return DM_EINPUT;
}

dm_status dm_clean_regex_replace(dm_clean_regex *r, const char *p, size_t n, dm_str *out, bool *changed, dm_error *err) {
  int found = pcre2_match(r->code, (PCRE2_SPTR)p, n, 0, 0, r->data, r->match);
  *changed = false;
  if (found == PCRE2_ERROR_NOMATCH) return DM_OK;
  if (found < 0) return match_failed(found, err);
  for (;;) {
    PCRE2_SIZE length = r->capacity;
    int rc = pcre2_substitute(r->code, (PCRE2_SPTR)p, n, 0,
                              PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH, r->data, r->match,
                              (PCRE2_SPTR)r->with, PCRE2_ZERO_TERMINATED, (PCRE2_UCHAR *)r->out, &length);
    if (rc >= 0) {
      *out = (dm_str){r->out, length};
      *changed = true;
      return DM_OK;
    }
    if (rc != PCRE2_ERROR_NOMEMORY || length <= r->capacity) return match_failed(rc, err);
    char *more = dm_realloc(r->ctx, r->out, length + 256, 1, "regular expression", err);
    if (!more) return DM_EBUDGET;
    r->out = more;
    r->capacity = length + 256;
  }
}
