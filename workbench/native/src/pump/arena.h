/* The builder's memory: one sparse memfd, mapped shared, that the parent can read when
 * we are dead. Allocation only moves forward; what is left behind is given back. */
#ifndef WB_ARENA_H
#define WB_ARENA_H

#include <stdint.h>

typedef struct wb_arena {
	uint8_t *base;
	uint64_t size;
	uint64_t used;
	uint64_t pieces;
	int fd; /* -1 when private */
} wb_arena;

int wb_arena_open(wb_arena *arena, int shared);
void wb_arena_close(wb_arena *arena);
/* 64-byte aligned, zeroed; NULL when the address space is used up. */
void *wb_arena_alloc(wb_arena *arena, uint64_t bytes);
/* Give the pages of [ptr, ptr + bytes) back; they read as zero afterwards. */
void wb_arena_drop(wb_arena *arena, void *ptr, uint64_t bytes);
static inline uint64_t wb_arena_off(const wb_arena *arena, const void *ptr)
{
	return ptr ? (uint64_t)((const uint8_t *)ptr - arena->base) : 0;
}

#endif
