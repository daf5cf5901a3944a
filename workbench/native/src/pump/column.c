/* Growth, resets, and the copy of strings. */
#include "column.h"

#include <stdlib.h>

#include "dict.h"
#include "simd.h"

#define FIRST_DATA (64u << 10)
/* What a column keeps of its memory after an unusually large chunk. */
#define KEEP_DATA (16u << 20)

static void exhausted(wb_column *c)
{
	(void)c;
	abort(); /* 64 GiB of address space used up: the crash report says where */
}

static void *move(wb_column *c, void *old, uint64_t used, uint64_t old_cap,
                  uint64_t new_cap)
{
	void *fresh = wb_arena_alloc(c->arena, new_cap);
	if (!fresh)
		exhausted(c);
	if (used)
		memcpy(fresh, old, used);
	wb_arena_drop(c->arena, old, old_cap);
	return fresh;
}

static void publish(wb_column *c)
{
	wb_arena *a = c->arena;
	c->live->offsets.off = wb_arena_off(a, c->offsets);
	c->live->data.off = wb_arena_off(a, c->data);
	c->live->encoding = c->dict_on ? WB_DICT : WB_PLAIN;
}

void wb_column_init(wb_column *c, wb_arena *arena, wb_chunk_col *live, int64_t *budget,
                    uint8_t kind, bool is_list, bool dict, uint32_t rows)
{
	memset(c, 0, sizeof *c);
	c->arena = arena;
	c->live = live;
	c->budget = budget;
	c->kind = kind;
	c->is_list = is_list;
	c->validity = wb_arena_alloc(arena, rows / 8 + 64);
	live->kind = kind;
	live->is_list = is_list;
	live->validity.off = wb_arena_off(arena, c->validity);
	if (is_list) {
		c->lists = wb_arena_alloc(arena, ((uint64_t)rows + 1) * 4);
		live->lists.off = wb_arena_off(arena, c->lists);
	}
	uint64_t elems = rows;
	c->offsets_cap = elems;
	if (kind == WB_KIND_BYTES) {
		c->offsets = wb_arena_alloc(arena, (elems + 1) * 4);
		c->data_cap = FIRST_DATA;
	} else {
		c->data_cap = kind == WB_KIND_U64 ? elems * 8 : elems / 8 + 64;
	}
	c->data = wb_arena_alloc(arena, c->data_cap);
	if (!c->validity || !c->data)
		exhausted(c);
	if (dict && kind == WB_KIND_BYTES) {
		c->dict = wb_dict_new(arena);
		c->dict_on = true;
	}
	publish(c);
	wb_column_reset(c, rows);
}

void wb_column_reset(wb_column *c, uint32_t rows)
{
	c->nulls = 0;
	c->elems = 0;
	memset(c->validity, 0xff, rows / 8 + 1);
	if (c->data_cap > KEEP_DATA && c->data_len > KEEP_DATA / 2 &&
	    c->kind == WB_KIND_BYTES)
		wb_arena_drop(c->arena, c->data + FIRST_DATA, c->data_cap - FIRST_DATA);
	c->data_len = 0;
	if (c->lists)
		c->lists[0] = 0;
	if (c->offsets)
		c->offsets[0] = 0;
}

void wb_column_free(wb_column *c)
{
	wb_dict_free(c->dict);
	c->dict = NULL;
}

bool wb_column_grow_data(wb_column *c, uint64_t extra)
{
	uint64_t need = c->data_len + extra;
	if (need > INT32_MAX)
		return false;
	uint64_t cap = c->data_cap;
	while (cap < need)
		cap *= 2;
	c->data = move(c, c->data, c->data_len, c->data_cap, cap);
	c->data_cap = cap;
	publish(c);
	return true;
}

void wb_column_grow_elems(wb_column *c, uint64_t elem)
{
	uint64_t cap = c->offsets_cap;
	while (cap <= elem)
		cap *= 2;
	if (c->kind == WB_KIND_BYTES) {
		c->offsets = move(c, c->offsets, (c->elems + 1) * 4, (c->offsets_cap + 1) * 4,
		                  (cap + 1) * 4);
	} else {
		uint64_t bytes = c->kind == WB_KIND_U64 ? cap * 8 : cap / 8 + 64;
		uint64_t used = c->kind == WB_KIND_U64 ? c->elems * 8 : (c->elems + 7) / 8;
		c->data = move(c, c->data, used, c->data_cap, bytes);
		c->data_cap = bytes;
	}
	c->offsets_cap = cap;
	publish(c);
}

/* Copy up to and with the NUL, 16 bytes at a time. Returns the length without NUL, or
 * SIZE_MAX when `room` bytes held none. */
static inline size_t copy_text(uint8_t *to, const uint8_t *from, size_t room)
{
#ifdef WB_SSE2
	const __m128i zero = _mm_setzero_si128();
	size_t n = 0;
	while (n + 16 <= room) {
		/* A load must not touch the next page: the text may end on this one. */
		if (__builtin_expect(((uintptr_t)(from + n) & 4095) > 4096 - 16, 0)) {
			size_t stop = n + 16;
			while (n < stop) {
				if (!(to[n] = from[n]))
					return n;
				n++;
			}
			continue;
		}
		__m128i block = _mm_loadu_si128((const __m128i *)(from + n));
		_mm_storeu_si128((__m128i *)(to + n), block);
		int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(block, zero));
		if (mask)
			return n + (size_t)__builtin_ctz((unsigned)mask);
		n += 16;
	}
#else
	size_t n = 0;
#endif
	for (; n < room; n++)
		if (!(to[n] = from[n]))
			return n;
	return SIZE_MAX;
}

static inline void finish_bytes(wb_column *c, uint64_t e, uint64_t len)
{
	c->data_len += len;
	*c->budget -= (int64_t)len + 4;
	c->offsets[e + 1] = (int32_t)c->data_len;
}

bool wb_put_bytes(wb_column *c, uint64_t e, const void *bytes, uint64_t len)
{
	if (len > WB_VALUE_MAX)
		return false;
	if (c->dict_on) {
		*c->budget -= 4;
		return wb_dict_code(c, bytes, len, &c->offsets[e]);
	}
	if (len > c->data_cap - c->data_len && !wb_column_grow_data(c, len))
		return false;
	if (len)
		memcpy(c->data + c->data_len, bytes, len);
	finish_bytes(c, e, len);
	return true;
}

bool wb_put_text(wb_column *c, uint64_t e, const char *text)
{
	if (c->dict_on) {
		*c->budget -= 4;
		return wb_dict_text(c, text, &c->offsets[e]);
	}
	for (;;) {
		size_t room = c->data_cap - c->data_len;
		size_t len = copy_text(c->data + c->data_len, (const uint8_t *)text, room);
		if (len != SIZE_MAX) {
			finish_bytes(c, e, len);
			return true;
		}
		if (room > WB_VALUE_MAX || !wb_column_grow_data(c, room + 64))
			return false;
	}
}

void wb_column_describe(wb_column *c, uint64_t rows, wb_chunk_col *row)
{
	uint64_t elems = c->is_list ? (uint64_t)c->lists[rows] : rows;
	memset(row, 0, sizeof *row);
	row->kind = c->kind;
	row->is_list = c->is_list;
	row->encoding = c->dict_on ? WB_DICT : WB_PLAIN;
	row->nulls = c->nulls;
	row->validity.len = c->nulls ? (rows + 7) / 8 : 0;
	row->lists.len = c->is_list ? (rows + 1) * 4 : 0;
	if (c->kind == WB_KIND_U64) {
		row->data.len = elems * 8;
	} else if (c->kind == WB_KIND_BOOL) {
		row->data.len = (elems + 7) / 8;
	} else if (c->dict_on) {
		row->offsets.len = elems * 4;
		wb_dict_describe(c->dict, row);
	} else {
		row->offsets.len = (elems + 1) * 4;
		row->data.len = (uint64_t)c->offsets[elems];
	}
}

void wb_column_sent(wb_column *c)
{
	if (c->dict)
		wb_dict_sent(c->dict, c->live);
}

/* Rewrite this chunk's codes as bytes; rows beyond `elems` are written afterwards. */
static void leave_dict(wb_column *c, uint64_t elems)
{
	const int32_t *codes = c->offsets;
	uint64_t cap = c->offsets_cap;
	int32_t *offsets = wb_arena_alloc(c->arena, (cap + 1) * 4);
	if (!offsets)
		exhausted(c);
	c->data_len = 0;
	offsets[0] = 0;
	for (uint64_t e = 0; e < elems; e++) {
		uint32_t len;
		const uint8_t *bytes = wb_dict_entry(c->dict, codes[e], &len);
		if (len > c->data_cap - c->data_len && !wb_column_grow_data(c, len))
			len = 0;
		if (len)
			memcpy(c->data + c->data_len, bytes, len);
		c->data_len += len;
		offsets[e + 1] = (int32_t)c->data_len;
	}
	wb_arena_drop(c->arena, c->offsets, (cap + 1) * 4);
	c->offsets = offsets;
	c->dict_on = false;
	publish(c);
	wb_dict_free(c->dict);
	c->dict = NULL;
}

void wb_column_judge(wb_column *c, uint64_t rows)
{
	if (!c->dict_on || !wb_dict_hopeless(c->dict))
		return;
	leave_dict(c, c->is_list ? (uint64_t)c->lists[rows] : rows);
}
