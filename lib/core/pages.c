/* Mappings that begin where a huge page does. */
#define _GNU_SOURCE
#include "core/pages.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)1 << 21)

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WATCHED
#endif

size_t dm_pages_least(void) {
#if defined(WATCHED)
  return SIZE_MAX;
#else
  return HUGE_PAGE;
#endif
}

static size_t whole_pages(size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  return (size + page - 1) / page * page;
}

void *dm_pages_map(size_t size) {
  size_t whole = whole_pages(size);
  char *p = mmap(NULL, whole + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
  size_t before = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
  if (before) (void)munmap(p, before);
  (void)munmap(p + before + whole, HUGE_PAGE - before);
  (void)madvise(p + before, whole, MADV_HUGEPAGE); /* a wish */
  return p + before;
}

void *dm_pages_resize(void *block, size_t old_size, size_t size) {
  size_t old_whole = whole_pages(old_size), whole = whole_pages(size), page = (size_t)sysconf(_SC_PAGESIZE);
  if (size <= old_size) {
    if (whole < old_whole) (void)munmap((char *)block + whole, old_whole - whole);
    if (size % page) memset((char *)block + size, 0, page - size % page); /* zero when it grows again */
    return block;
  }
  if (whole == old_whole) return block;
  char *fresh = dm_pages_map(size);
  if (!fresh) return NULL;
  if (mremap(block, old_whole, old_whole, MREMAP_MAYMOVE | MREMAP_FIXED, fresh) == MAP_FAILED) {
    (void)munmap(fresh, whole);
    return NULL;
  }
  return fresh;
}

void dm_pages_unmap(void *block, size_t size) { (void)munmap(block, whole_pages(size)); }
