/* Rows of a running SELECT as text: delimited, or JSON lines. */
#ifndef DM_STORE_EXPORT_ROW_H
#define DM_STORE_EXPORT_ROW_H

#include "store/store.h"

/** A column of the SELECT that is written, and how. */
typedef struct dm_export_column {
  int place;             /* in the SELECT */
  const char *name;      /* key, or header */
  dm_str key;            /* JSON lines: {"name": or ,"name": */
  dm_format format;
  const char *null_text; /* as it stands in the file, with its quotes */
} dm_export_column;

typedef struct dm_export_layout {
  char delimiter, quote;
  const char *line_ending;
  bool header, header_quoted, header_exact; /* exact: names are the source's, an empty one stays bare */
  bool bom, final_newline;
  bool spaced;       /* a blank behind each delimiter of a row */
  bool quote_blanks; /* cells with blanks at an end are quoted, or a reader that trims would lose them */
  const char *preamble; /* written in place of BOM and header, NULL = none */
  size_t d;
  dm_export_column *columns;
  bool special[256]; /* bytes that need quotes */
} dm_export_layout;

/** Derives what rows need from the rest. Texts in the arena. */
dm_status dm_export_layout_finish(dm_export_layout *layout, dm_ctx *ctx, dm_arena *arena, dm_error *err);
void dm_export_csv_header(const dm_export_layout *layout, dm_buf *out);
void dm_export_csv_row(const dm_export_layout *layout, sqlite3_stmt *row, dm_buf *out);
/** {"name":value,…} and a newline; infinities are null. */
void dm_export_json_row(const dm_export_layout *layout, sqlite3_stmt *row, dm_buf *out);

#endif
