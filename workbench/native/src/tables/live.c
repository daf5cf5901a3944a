/* The set of live handles of the whole process, and the lock over all tables. */
#include "inner.h"

typedef struct slot {
	const void *handle; /* NULL: never used; DEAD: removed */
	void *object;
	wbt_kind kind;
} slot;

#define DEAD ((const void *)&slots)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static slot *slots;
static size_t room, live, used;

void wbt_lock(void) { pthread_mutex_lock(&lock); }
void wbt_unlock(void) { pthread_mutex_unlock(&lock); }

static size_t place(const void *handle)
{
	uint64_t h = (uint64_t)(uintptr_t)handle * 0x9E3779B97F4A7C15ull;
	return (size_t)(h >> 32) & (room - 1);
}

static void insert(const void *handle, wbt_kind kind, void *object)
{
	size_t i = place(handle);
	while (slots[i].handle && slots[i].handle != DEAD)
		i = (i + 1) & (room - 1);
	used += !slots[i].handle;
	live++;
	slots[i] = (slot){handle, object, kind};
}

static void resize(void)
{
	slot *old = slots;
	size_t count = room;
	room = 64;
	while (room < live * 4)
		room *= 2;
	slots = wb_alloc(room * sizeof *slots);
	live = used = 0;
	for (size_t i = 0; i < count; i++)
		if (old[i].handle && old[i].handle != DEAD)
			insert(old[i].handle, old[i].kind, old[i].object);
	wb_free(old);
}

void wbt_live_add(const void *handle, wbt_kind kind, void *object)
{
	if ((used + 1) * 2 > room)
		resize();
	insert(handle, kind, object);
}

static slot *find(const void *handle)
{
	if (!handle || !room)
		return NULL;
	for (size_t i = place(handle); slots[i].handle; i = (i + 1) & (room - 1))
		if (slots[i].handle == handle)
			return &slots[i];
	return NULL;
}

void wbt_live_remove(const void *handle)
{
	slot *s = find(handle);
	if (!s)
		return;
	s->handle = DEAD;
	if (--live == 0) {
		/* Nothing is alive: leave no memory behind. */
		wb_free(slots);
		slots = NULL;
		room = used = 0;
	}
}

void *wbt_live_find(const void *handle, wbt_kind kind)
{
	slot *s = find(handle);
	return s && s->kind == kind ? s->object : NULL;
}
