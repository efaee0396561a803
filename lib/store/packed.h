/*
 * Transactions kept in the database, so that they need not be read again.
 *
 *   dm_packed        one row for each SRC and way to read it: of which state of the file they are, how large, SHA-256
 *   dm_packed_part   their packed form, in parts
 *
 * They are used as long as nothing can have changed them. A database that is
 * not in WAL mode counts its commits in bytes 24 to 27 of the file; the row
 * has the count that its own commit leads to, so that every later commit, by
 * whomever, makes the row worthless. A commit of ours that writes dm_ tables
 * alone may move the count in the row along (dm_reading_renew).
 *
 * The count begins anew in a copy made by VACUUM INTO or from a dump, and the
 * row is copied as well; so the row also names the file (device, inode and
 * schema cookie), which must have been written last when the row was. With
 * both, a copy would have to come to the same count within a minute.
 */
#ifndef DM_STORE_PACKED_H
#define DM_STORE_PACKED_H

#include "store/store.h"

/** Whether what the SELECT gives can change only by a commit to this file: plain tables and views of main but dm_ ones, functions that are known. */
dm_status dm_packed_can_keep(dm_store *store, const char *sql, bool *can, dm_error *err);

/**
 * The packed form, little end first, numbers as LEB128:
 *
 *   "dmT1"  items  rows  codes  total  empty  repeated  weighted 0 or 1
 *   items times: bytes of the name, name
 *   rows times: codes in it, its weight when weighted, codes in their order
 *
 * @param keep gets it; NULL: only the digest is wanted. @param digest SHA-256 of it, or NULL
 */
dm_status dm_packed_encode(const dm_transactions *t, dm_buf *keep, char digest[DM_SHA256_HEX], dm_error *err);
/** @return DM_EINPUT: it is not what encode writes. */
dm_status dm_packed_decode(dm_ctx *ctx, const char *p, size_t n, dm_transactions **out, dm_error *err);

/** What is kept for the SELECT and how it is read; *out NULL when there is nothing that can be used. Under a snapshot. */
dm_status dm_packed_read(dm_store *store, const char *sql, const char *how, dm_transactions **out, char digest[DM_SHA256_HEX], dm_error *err);

#endif
