/* The schema of the dm_ tables: the one owner of their text and versions. */
#ifndef DM_STORE_SCHEMA_H
#define DM_STORE_SCHEMA_H

/** "dmDB": PRAGMA application_id of files that the store made. */
#define DM_APPLICATION_ID 0x646d4442

/**
 * dm_schema_steps[v] brings a database from version v to v + 1 (SQL, several
 * statements). DM_SCHEMA_VERSION of them.
 */
extern const char *const dm_schema_steps[];

#endif
