#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common_api.h"
#include "memory.h"

static _Atomic int64_t live_objects;

int64_t wb_live_objects(void) { return atomic_load(&live_objects); }

void *wb_alloc(size_t bytes)
{
	void *ptr = calloc(1, bytes ? bytes : 1);
	if (!ptr)
		abort();
	atomic_fetch_add(&live_objects, 1);
	return ptr;
}

void *wb_realloc(void *ptr, size_t bytes)
{
	if (!ptr)
		return wb_alloc(bytes);
	ptr = realloc(ptr, bytes ? bytes : 1);
	if (!ptr)
		abort();
	return ptr;
}

void wb_free(void *ptr)
{
	if (!ptr)
		return;
	atomic_fetch_sub(&live_objects, 1);
	free(ptr);
}

char *wb_copy_text(const char *text)
{
	if (!text)
		return NULL;
	size_t bytes = strlen(text) + 1;
	return memcpy(wb_alloc(bytes), text, bytes);
}
