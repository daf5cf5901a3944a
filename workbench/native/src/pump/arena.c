#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_TRY (64ull << 30)
#define LAST_TRY (256ull << 20)
#define PAGE 4096ull

int wb_arena_open(wb_arena *arena, int shared)
{
	arena->fd = -1;
	arena->used = 0;
	for (uint64_t size = FIRST_TRY; size >= LAST_TRY; size /= 2) {
		int fd = -1;
		if (shared) {
			fd = memfd_create("workbench-builder", MFD_CLOEXEC | MFD_ALLOW_SEALING);
			if (fd < 0)
				return -errno;
			if (ftruncate(fd, (off_t)size)) {
				close(fd);
				continue;
			}
			/* Nobody cuts the memory off under a builder that is at work. */
			fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
		}
		int flags = (shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS) | MAP_NORESERVE;
		void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
		if (base != MAP_FAILED) {
			arena->base = base;
			arena->size = size;
			arena->fd = fd;
			return 0;
		}
		if (fd >= 0)
			close(fd);
	}
	return -ENOMEM;
}

void wb_arena_close(wb_arena *arena)
{
	if (arena->base)
		munmap(arena->base, arena->size);
	if (arena->fd >= 0)
		close(arena->fd);
	arena->base = NULL;
	arena->fd = -1;
}

void *wb_arena_alloc(wb_arena *arena, uint64_t bytes)
{
	/* Large pieces have pages of their own, so that these can be given back. Columns are
	 * written side by side: were all to begin at the same place of a page, every store
	 * would look like a hazard to the next load (4K aliasing). */
	uint64_t align = bytes >= PAGE ? PAGE : 64;
	uint64_t at = (arena->used + align - 1) & ~(align - 1);
	if (bytes >= PAGE)
		at += 64 * (arena->pieces++ * 5 % 61);
	if (bytes > arena->size || at > arena->size - bytes)
		return NULL;
	arena->used = at + bytes;
	return arena->base + at;
}

void wb_arena_drop(wb_arena *arena, void *ptr, uint64_t bytes)
{
	uint64_t from = (wb_arena_off(arena, ptr) + PAGE - 1) & ~(PAGE - 1);
	uint64_t to = (wb_arena_off(arena, ptr) + bytes) & ~(PAGE - 1);
	if (!ptr || to <= from)
		return;
	if (arena->fd >= 0)
		fallocate(arena->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
		          (off_t)(to - from));
	else
		madvise(arena->base + from, to - from, MADV_DONTNEED);
}
