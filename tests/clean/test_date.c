/* Dates by directives: strict, calendar dates only. */
#include "clean/date.h"
#include "cmocka_all.h"

static void reads(const char *format, const char *text, const char *want) {
  dm_clean_date d;
  char out[32];
  if (dm_clean_date_format_problem(format)) fail_msg("%s: %s", format, dm_clean_date_format_problem(format));
  if (!dm_clean_date_read(format, text, strlen(text), 69, &d)) fail_msg("'%s' is not '%s'", text, format);
  dm_clean_date_print(&d, out);
  assert_string_equal(out, want);
}

static void refuses(const char *format, const char *text) {
  dm_clean_date d;
  if (dm_clean_date_read(format, text, strlen(text), 69, &d)) fail_msg("'%s' was read as '%s'", text, format);
}

static void all_directives_read(void **state) {
  (void)state;
  reads("%d.%m.%Y", "31.12.1999", "1999-12-31");
  reads("%d.%m.%Y", "1.2.2024", "2024-02-01");
  reads("%e/%b/%y", " 7/Feb/68", "2068-02-07");
  reads("%B %d, %Y", "february 29, 2024", "2024-02-29");
  reads("%y%m%d", "690101", "1969-01-01");
  reads("%Y-%j", "2023-365", "2023-12-31");
  reads("%Y-%j", "2024-60", "2024-02-29");
  reads("%F", "2024-05-06", "2024-05-06");
  reads("%F %T", "2024-05-06 23:59:59", "2024-05-06T23:59:59");
  reads("%d %b %Y %H:%M", "6 May 2024 7:05", "2024-05-06T07:05:00");
  reads("100%% %d.%m.%Y", "100% 1.1.2000", "2000-01-01");
}

static void what_is_no_date_is_refused(void **state) {
  (void)state;
  refuses("%d.%m.%Y", "31.11.2024");
  refuses("%d.%m.%Y", "29.02.2023");
  refuses("%d.%m.%Y", "29.02.1900");
  refuses("%d.%m.%Y", "0.1.2024");
  refuses("%d.%m.%Y", "1.13.2024");
  refuses("%d.%m.%Y", "1.1.24");
  refuses("%d.%m.%Y", "1.1.20245");
  refuses("%d.%m.%Y", "1.1.2024 ");
  refuses("%d.%m.%Y", "1.1.2024x");
  refuses("%d.%m.%Y", "");
  refuses("%d.%m.%Y", "1.1.0000");
  refuses("%Y-%j", "2023-366");
  refuses("%Y-%j", "2023-0");
  refuses("%F %T", "2024-01-01 24:00:00");
  refuses("%F %T", "2024-01-01 23:60:00");
  refuses("%b %d %Y", "Foo 1 2024");
}

static void formats_are_checked(void **state) {
  (void)state;
  static const char *const bad[] = {"%d.%m", "%Y", "%Y-%m", "%d.%m.%Y %Y", "%d.%m.%Y.%y", "%q", "%", "%d.%m.%Y %H", "%d.%m.%Y %M:%S", "%Y-%j-%m",
                                    "%d %b %m %Y", "%E", "", "%F %Y"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (!dm_clean_date_format_problem(bad[i])) fail_msg("format '%s' was taken", bad[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_directives_read),
      cmocka_unit_test(what_is_no_date_is_refused),
      cmocka_unit_test(formats_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
