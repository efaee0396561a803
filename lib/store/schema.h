/* What tells files that the store made from others; schema.c owns the text and the versions of the dm_ tables. */
#ifndef DM_STORE_SCHEMA_H
#define DM_STORE_SCHEMA_H

/** "dmDB": PRAGMA application_id of files that the store made. */
#define DM_APPLICATION_ID 0x646d4442

#endif
