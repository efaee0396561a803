/**
 * report: charts as SVG and the one-page report. No network, no fonts, no
 * scripts fetched; presentation attributes only, so that librsvg draws the same.
 */
#ifndef DM_REPORT_H
#define DM_REPORT_H

#include <dm/clean.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One-page HTML: sources and rejects, profiles of the tables, cleaning runs, models. Reads a snapshot. */
typedef struct dm_report_options {
  const char *title;               /* NULL: the database's file name */
  const char *const *tables;       /* NULL = all user tables */
  size_t n_tables;
  const char *target;              /* profile target, NULL = the active models' */
  bool profiles_only;              /* dm-clean profile --report */
} dm_report_options;
DM_API dm_status dm_report_html(dm_store *store, const dm_report_options *options, dm_buf *out, dm_error *err);

#ifdef __cplusplus
}
#endif
#endif
