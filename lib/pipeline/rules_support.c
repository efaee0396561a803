/* What a support means that somebody wrote: so many transactions, or a share of them. */
#include <dm/pipeline.h>

#include <math.h>
#include <string.h>

static dm_status refuse(const char *text, const char *want, dm_error *err) {
  (void)dm_fail(err, DM_EUSAGE, "min-support = '%s', want %s", text, want);
  dm_error_hint(err, "a number of transactions such as 20, or a share of them such as 0.01 or 1%%");
  return DM_EUSAGE;
}

/* The smallest number that reaches the share; 0.07 of 100 is 7, although their product in double is a little more. */
static uint64_t share_of(double share, uint64_t total) {
  double exact = share * (double)total, near = nearbyint(exact);
  double n = fabs(exact - near) <= 1e-9 * fmax(1, exact) ? near : ceil(exact);
  return n < 1 ? 1 : (uint64_t)n;
}

dm_status dm_support_parse(const char *text, uint64_t total, uint64_t *out, dm_error *err) {
  size_t n = strlen(text);
  bool percent = n && text[n - 1] == '%';
  double v;
  int64_t count;
  if (!dm_text_to_double(text, n - percent, &v)) return refuse(text, "a number", err);
  if (percent) {
    if (!(v > 0 && v <= 100)) return refuse(text, "a share above 0% and up to 100%", err);
    *out = share_of(v / 100, total);
    return DM_OK;
  }
  if (!(v > 0)) return refuse(text, "a number above 0", err);
  if (v < 1) {
    *out = share_of(v, total);
    return DM_OK;
  }
  if (!dm_text_to_int(text, n, &count)) return refuse(text, "an integer from 1 on, or a share below 1", err);
  if ((uint64_t)count > total) {
    (void)dm_fail(err, DM_EUSAGE, "min-support = %s is above the number of transactions, %llu", text, (unsigned long long)total);
    dm_error_hint(err, "a number of transactions such as 20, or a share of them such as 0.01 or 1%%");
    return DM_EUSAGE;
  }
  *out = (uint64_t)count;
  return DM_OK;
}
