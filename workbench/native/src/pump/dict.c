#include "dict.h"

#include <stdlib.h>

#define FIRST_ENTRIES 256u
#define FIRST_BYTES 8192u
#define FREE_SLOT (-1)

struct wb_dict {
	wb_arena *arena;
	int32_t *offsets; /* in the arena: entries + 1 */
	uint8_t *data;    /* in the arena */
	uint64_t offsets_cap;
	uint64_t data_cap;
	uint32_t count;
	uint32_t sent;
	uint64_t seen;
	/* open addressing; hash kept beside the code */
	uint32_t mask;
	struct slot {
		uint32_t hash;
		int32_t code;
	} *slots;
};

static void clear_slots(wb_dict *d, uint32_t n)
{
	wb_free(d->slots);
	d->slots = wb_alloc((uint64_t)n * sizeof *d->slots);
	for (uint32_t i = 0; i < n; i++)
		d->slots[i].code = FREE_SLOT;
	d->mask = n - 1;
}

wb_dict *wb_dict_new(wb_arena *arena)
{
	wb_dict *d = wb_alloc(sizeof *d);
	d->arena = arena;
	d->offsets_cap = FIRST_ENTRIES;
	d->data_cap = FIRST_BYTES;
	d->offsets = wb_arena_alloc(arena, (d->offsets_cap + 1) * 4);
	d->data = wb_arena_alloc(arena, d->data_cap);
	if (!d->offsets || !d->data)
		abort();
	clear_slots(d, FIRST_ENTRIES * 4);
	return d;
}

void wb_dict_free(wb_dict *d)
{
	if (!d)
		return;
	wb_free(d->slots);
	wb_free(d);
}

static inline uint32_t hash_bytes(const uint8_t *bytes, uint32_t len)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ len;
	while (len >= 8) {
		uint64_t word;
		memcpy(&word, bytes, 8);
		h = (h ^ word) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
		bytes += 8;
		len -= 8;
	}
	uint64_t tail = 0;
	memcpy(&tail, bytes, len);
	h = (h ^ tail) * 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(h ^ h >> 29);
}

static void grow_table(wb_dict *d)
{
	struct slot *old = d->slots;
	uint32_t n = d->mask + 1;
	d->slots = NULL;
	clear_slots(d, n * 4);
	for (uint32_t i = 0; i < n; i++) {
		if (old[i].code == FREE_SLOT)
			continue;
		uint32_t at = old[i].hash & d->mask;
		while (d->slots[at].code != FREE_SLOT)
			at = (at + 1) & d->mask;
		d->slots[at] = old[i];
	}
	wb_free(old);
}

static void *regrow(wb_arena *arena, void *old, uint64_t used, uint64_t cap, uint64_t now)
{
	void *fresh = wb_arena_alloc(arena, now);
	if (!fresh)
		abort();
	memcpy(fresh, old, used);
	wb_arena_drop(arena, old, cap);
	return fresh;
}

static void publish(const wb_dict *d, wb_chunk_col *live)
{
	live->dict_offsets.off = wb_arena_off(d->arena, d->offsets);
	live->dict_data.off = wb_arena_off(d->arena, d->data);
	live->dict_start = d->sent;
	live->dict_new = d->count - d->sent;
}

static bool add_entry(wb_dict *d, const uint8_t *bytes, uint32_t len)
{
	uint64_t end = (uint64_t)(uint32_t)d->offsets[d->count] + len;
	if (end > INT32_MAX)
		return false;
	if (end > d->data_cap) {
		uint64_t cap = d->data_cap;
		while (cap < end)
			cap *= 2;
		d->data = regrow(d->arena, d->data, (uint64_t)d->offsets[d->count], d->data_cap,
		                 cap);
		d->data_cap = cap;
	}
	if (d->count == d->offsets_cap) {
		d->offsets = regrow(d->arena, d->offsets, ((uint64_t)d->count + 1) * 4,
		                    (d->offsets_cap + 1) * 4, (d->offsets_cap * 2 + 1) * 4);
		d->offsets_cap *= 2;
	}
	if (len)
		memcpy(d->data + d->offsets[d->count], bytes, len);
	d->offsets[++d->count] = (int32_t)end;
	return true;
}

bool wb_dict_code(wb_column *c, const uint8_t *bytes, uint32_t len, int32_t *code)
{
	wb_dict *d = c->dict;
	d->seen++;
	uint32_t h = hash_bytes(bytes, len);
	uint32_t at = h & d->mask;
	for (; d->slots[at].code != FREE_SLOT; at = (at + 1) & d->mask) {
		if (d->slots[at].hash != h)
			continue;
		int32_t k = d->slots[at].code;
		uint32_t have = (uint32_t)(d->offsets[k + 1] - d->offsets[k]);
		if (have == len && !memcmp(d->data + d->offsets[k], bytes, len)) {
			*code = k;
			return true;
		}
	}
	if (!add_entry(d, bytes, len))
		return false;
	*c->budget -= (int64_t)len + 4;
	publish(d, c->live);
	d->slots[at].hash = h;
	d->slots[at].code = (int32_t)d->count - 1;
	*code = (int32_t)d->count - 1;
	if (d->count * 4 > d->mask * 3u / 2)
		grow_table(d);
	return true;
}

const uint8_t *wb_dict_entry(const wb_dict *d, int32_t code, uint32_t *len)
{
	if ((uint32_t)code >= d->count) { /* code 0 stands under nulls */
		*len = 0;
		return d->data;
	}
	*len = (uint32_t)(d->offsets[code + 1] - d->offsets[code]);
	return d->data + d->offsets[code];
}

const void *wb_dict_offsets_from(const wb_dict *d, uint64_t start)
{
	return d->offsets + start;
}

const void *wb_dict_data_from(const wb_dict *d, uint64_t start)
{
	return d->data + d->offsets[start];
}

void wb_dict_describe(const wb_dict *d, wb_chunk_col *row)
{
	row->dict_start = d->sent;
	row->dict_new = d->count - d->sent;
	row->dict_offsets.len = row->dict_new ? (row->dict_new + 1) * 4 : 0;
	row->dict_data.len = (uint64_t)(d->offsets[d->count] - d->offsets[d->sent]);
}

void wb_dict_sent(wb_dict *d, wb_chunk_col *live)
{
	d->sent = d->count;
	publish(d, live);
}

bool wb_dict_hopeless(const wb_dict *d)
{
	bool large = d->count > 1024 || d->offsets[d->count] > (8 << 20);
	return (large && d->count > d->seen / 4) || d->count > 65536;
}
