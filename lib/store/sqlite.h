/*
 * The one door to SQLite. The store is compiled twice: for libdm and the
 * commands against libsqlite3, and with DM_STORE_EXTENSION for dm.so, where
 * every call goes through the host's table of functions.
 */
#ifndef DM_STORE_SQLITE_H
#define DM_STORE_SQLITE_H

#ifdef DM_STORE_EXTENSION
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3
#else
#include <sqlite3.h>
#endif

#endif
