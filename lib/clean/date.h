/* Dates by directives: %d %e %m %b %B %Y %y %j %H %M %S %F %T %% — strict, whole match, calendar dates only. */
#ifndef DM_CLEAN_DATE_H
#define DM_CLEAN_DATE_H

#include <dm/core.h>

typedef struct dm_clean_date {
  int year, month, day, hour, minute, second;
  bool has_time;
} dm_clean_date;

/**
 * Why a format cannot be used, or NULL. A format gives the year and either
 * month and day or the day of the year; the time is hours and minutes, with or
 * without seconds, or nothing.
 */
const char *dm_clean_date_format_problem(const char *format);
/**
 * Names of months are English, case is ignored; %d %e %m %H %M %S take one or
 * two digits, %j one to three, %Y four, %y two: yy >= pivot is 19yy, else 20yy.
 * @return false when the whole text is not such a date.
 */
bool dm_clean_date_read(const char *format, const char *p, size_t n, int pivot, dm_clean_date *out);
/** 2024-05-31 or 2024-05-31T09:30:00. */
void dm_clean_date_print(const dm_clean_date *date, char out[32]);

#endif
