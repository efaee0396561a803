/* Names of imported tables: from the file's name, or the user's; never ours or SQLite's own. */
#include "store/import_job.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_word(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

/* people-2024.csv → people_2024, 2024.csv → t_2024 */
dm_status dm_import_table_name(const char *path, dm_arena *arena, const char **name, dm_error *err) {
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
  size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
  if (n > DM_IMPORT_NAME_MAX) n = DM_IMPORT_NAME_MAX;
  while (n > 0 && n < strlen(base) && ((unsigned char)base[n] & 0xC0) == 0x80) n--; /* whole characters */
  char *out = dm_arena_printf(arena, err, "t_%.*s", (int)n, base);
  if (!out) return DM_EBUDGET;
  bool valid = dm_utf8_valid(out, n + 2) == n + 2;
  for (char *p = out; *p; p++)
    if (!is_word((unsigned char)*p) || (!valid && (unsigned char)*p >= 0x80)) *p = '_';
  bool begins_well = !(out[2] >= '0' && out[2] <= '9');
  *name = out[2 + strspn(out + 2, "_")] == 0 ? "data" : begins_well ? out + 2 : out; /* "-" is standard input */
  return DM_OK;
}

dm_status dm_import_check_name(const char *name, dm_error *err) {
  size_t n = strlen(name);
  dm_status s = DM_OK;
  if (n == 0 || n > DM_IMPORT_NAME_MAX)
    s = dm_fail(err, DM_EUSAGE, "table name: %zu bytes, want 1 to %d", n, (int)DM_IMPORT_NAME_MAX);
  else if (dm_utf8_valid(name, n) != n)
    s = dm_fail(err, DM_EUSAGE, "table name: not UTF-8");
  else if (strncasecmp(name, "dm_", 3) == 0 || strncasecmp(name, "sqlite_", 7) == 0)
    s = dm_fail(err, DM_EUSAGE, "table '%s': names that begin with dm_ or sqlite_ are taken", name);
  for (size_t i = 0; s == DM_OK && i < n; i++)
    if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F) s = dm_fail(err, DM_EUSAGE, "table name: a control character in it");
  if (s != DM_OK) dm_error_hint(err, "choose a name with --table NAME");
  return s;
}
