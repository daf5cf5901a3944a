#include "dict.h"

#include <stdlib.h>

#include "simd.h"

#ifdef WB_SSE2
/* Sixteen bytes from 16 - n on: n bytes of ones, then zeros. */
static const uint8_t byte_masks[32] = {
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
};
#endif

#define FIRST_ENTRIES 256u
#define FIRST_BYTES 8192u
#define FREE_SLOT (-1)
#define SMALL_TABLE 4096u

struct wb_dict {
	wb_arena *arena;
	int32_t *offsets; /* in the arena: entries + 1 */
	uint8_t *data;    /* in the arena */
	uint64_t offsets_cap;
	uint64_t data_cap;
	uint32_t count;
	uint32_t sent;
	uint64_t seen;
	/* open addressing */
	uint32_t mask;
	struct slot {
		struct key {
			uint64_t a, b;
		} key;
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

/* A value of up to 15 bytes is its own key, its length in the last byte; the key of a
 * longer one is a hash and the length, and its bytes must be compared. */
#define KEY_BYTES 15u
#define SHORT_MARK 0x80u

static inline bool is_short(struct key key) { return key.b >> 63; }

static inline struct key short_key(uint64_t a, uint64_t b, uint32_t len)
{
	return (struct key){a, b | (uint64_t)(SHORT_MARK | len) << 56};
}

static struct key long_key(const uint8_t *bytes, uint64_t len)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ len, left = len;
	for (; left >= 8; bytes += 8, left -= 8) {
		uint64_t word;
		memcpy(&word, bytes, 8);
		h = (h ^ word) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	uint64_t tail = 0;
	memcpy(&tail, bytes, left);
	h = (h ^ tail) * 0xc4ceb9fe1a85ec53u;
	return (struct key){h, len};
}

static struct key key_of(const uint8_t *bytes, uint64_t len)
{
	if (len > KEY_BYTES)
		return long_key(bytes, len);
	uint64_t words[2] = {0, 0};
	memcpy(words, bytes, len);
	return short_key(words[0], words[1], (uint32_t)len);
}

static inline uint32_t place_of(struct key key)
{
	uint64_t h = (key.a ^ (key.b >> 7)) * 0x9e3779b97f4a7c15u;
	h ^= key.b * 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(h >> 32) ^ (uint32_t)(h >> 13);
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
		uint32_t at = place_of(old[i].key) & d->mask;
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

static bool add_entry(wb_dict *d, const uint8_t *bytes, uint64_t len)
{
	uint64_t end = (uint64_t)(uint32_t)d->offsets[d->count] + len;
	if (len > WB_VALUE_MAX || end > INT32_MAX)
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

static bool same_bytes(const wb_dict *d, int32_t code, const uint8_t *bytes, uint64_t len)
{
	uint64_t have = (uint64_t)(d->offsets[code + 1] - d->offsets[code]);
	return have == len && !memcmp(d->data + d->offsets[code], bytes, len);
}

static __attribute__((noinline)) bool new_entry(wb_column *c, struct key key, uint32_t at,
                                                const uint8_t *bytes, uint64_t len,
                                                int32_t *code)
{
	wb_dict *d = c->dict;
	if (!add_entry(d, bytes, len))
		return false;
	*c->budget -= (int64_t)len + 4;
	publish(d, c->live);
	d->slots[at].key = key;
	d->slots[at].code = *code = (int32_t)d->count - 1;
	/* While the table is small it is kept nearly empty: a collision costs more. */
	if (d->count * (d->mask < SMALL_TABLE ? 8 : 2) > d->mask)
		grow_table(d);
	return true;
}

static inline bool look_up(wb_column *c, struct key key, const uint8_t *bytes,
                           uint64_t len, int32_t *code)
{
	wb_dict *d = c->dict;
	d->seen++;
	uint32_t at = place_of(key) & d->mask;
	for (; d->slots[at].code != FREE_SLOT; at = (at + 1) & d->mask) {
		const struct slot *s = &d->slots[at];
		if (s->key.a != key.a || s->key.b != key.b)
			continue;
		if (is_short(key) || same_bytes(d, s->code, bytes, len)) {
			*code = s->code;
			return true;
		}
	}
	return new_entry(c, key, at, bytes, len, code);
}

bool wb_dict_code(wb_column *c, const uint8_t *bytes, uint64_t len, int32_t *code)
{
	return look_up(c, key_of(bytes, len), bytes, len, code);
}

bool wb_dict_text(wb_column *c, const char *text, int32_t *code)
{
	const uint8_t *bytes = (const uint8_t *)text;
#ifdef WB_SSE2
	/* A load must not touch the next page: the text may end on this one. */
	if (((uintptr_t)text & 4095) <= 4096 - 16) {
		__m128i block = _mm_loadu_si128((const __m128i *)text);
		int zeros = _mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_setzero_si128()));
		if (zeros) {
			uint32_t len = (uint32_t)__builtin_ctz((unsigned)zeros);
			__m128i mask = _mm_loadu_si128((const __m128i *)(byte_masks + 16 - len));
			block = _mm_and_si128(block, mask);
			uint64_t words[2];
			_mm_storeu_si128((__m128i *)words, block);
			return look_up(c, short_key(words[0], words[1], len), bytes, len, code);
		}
	}
#endif
	uint64_t len = strlen(text);
	return look_up(c, key_of(bytes, len), bytes, len, code);
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

uint32_t wb_dict_count(const wb_dict *d) { return d->count; }

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
