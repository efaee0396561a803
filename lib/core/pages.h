/*
 * Large blocks straight from the machine's pages: zero without being written,
 * resident only where they are touched, larger or smaller without a copy. On
 * x86-64 a page fault in a virtual machine costs a microsecond and more; pages
 * of 2 MiB, where the machine has them to give, make them 512 times rarer.
 */
#ifndef DM_CORE_PAGES_H
#define DM_CORE_PAGES_H

#include <stddef.h>

/** Blocks of so many bytes and more are worth a mapping of their own; SIZE_MAX where another allocator has to see each block. */
size_t dm_pages_least(void);
/** Zeroed, aligned to 2 MiB. NULL: the machine has no more. */
void *dm_pages_map(size_t size);
/** Of another size, perhaps elsewhere; what is new is zero. NULL: it stays as it was. */
void *dm_pages_resize(void *block, size_t old_size, size_t size);
void dm_pages_unmap(void *block, size_t size);

#endif
