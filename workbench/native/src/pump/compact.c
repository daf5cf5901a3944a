/* Columns without the rows that a filter drops: in place, from front to back. */
#include "compact.h"

static inline bool is_set(const uint8_t *bits, uint64_t i)
{
	return bits[i >> 3] >> (i & 7) & 1;
}

static inline void put_bit(uint8_t *bits, uint64_t i, bool on)
{
	uint8_t bit = (uint8_t)(1u << (i & 7));
	bits[i >> 3] = (uint8_t)(on ? bits[i >> 3] | bit : bits[i >> 3] & ~bit);
}

/* Move elements [from, from + n) to [to, …), to <= from. */
static void move_elements(wb_column *c, uint64_t from, uint64_t n, uint64_t to)
{
	if (c->kind == WB_KIND_U64) {
		uint64_t *values = (uint64_t *)c->data;
		memmove(values + to, values + from, n * 8);
	} else if (c->kind == WB_KIND_BOOL) {
		for (uint64_t i = 0; i < n; i++)
			put_bit(c->data, to + i, is_set(c->data, from + i));
	} else if (c->dict_on) {
		memmove(c->offsets + to, c->offsets + from, n * 4);
	} else {
		int32_t start = c->offsets[from], end = c->offsets[from + n];
		int32_t shift = start - c->offsets[to];
		memmove(c->data + c->offsets[to], c->data + start, (size_t)(end - start));
		for (uint64_t i = 1; i <= n; i++)
			c->offsets[to + i] = c->offsets[from + i] - shift;
	}
}

/* The validity of the rows that stay; those behind them are valid again. */
static void keep_validity(wb_column *c, const wb_mark_point *mark, uint64_t base,
                          uint64_t n, const uint64_t *bits)
{
	if (c->nulls == mark->nulls)
		return;
	uint64_t to = base;
	c->nulls = mark->nulls;
	for (uint64_t i = 0; i < n; i++) {
		if (!(bits[i >> 6] >> (i & 63) & 1))
			continue;
		bool valid = is_set(c->validity, base + i);
		put_bit(c->validity, to++, valid);
		c->nulls += !valid;
	}
	for (; to < base + n; to++)
		put_bit(c->validity, to, true);
}

static void keep_cells(wb_column *c, uint64_t base, uint64_t n, const uint64_t *bits)
{
	uint64_t to = base;
	for (uint64_t k = 0; k * 64 < n; k++) {
		for (uint64_t rest = bits[k]; rest; rest &= rest - 1, to++) {
			uint64_t row = base + k * 64 + (uint64_t)__builtin_ctzll(rest);
			if (!c->is_list) {
				move_elements(c, row, 1, to);
				continue;
			}
			uint64_t first = (uint64_t)c->lists[row];
			uint64_t count = (uint64_t)c->lists[row + 1] - first;
			uint64_t at = (uint64_t)c->lists[to];
			move_elements(c, first, count, at);
			c->lists[to + 1] = (int32_t)(at + count);
		}
	}
}

void wb_column_keep(wb_column *c, const wb_mark_point *mark, uint64_t base, uint64_t n,
                    const uint64_t *bits, uint64_t kept)
{
	if (kept == n)
		return;
	uint64_t data_before = c->data_len, elems_before = c->elems;
	keep_validity(c, mark, base, n, bits);
	if (kept)
		keep_cells(c, base, n, bits);
	uint64_t rows = base + kept, elems = rows, dropped = n - kept;
	if (c->is_list) {
		elems = (uint64_t)c->lists[rows];
		dropped = elems_before - elems;
		c->elems = elems;
		*c->budget += (int64_t)dropped * 8;
	}
	if (c->kind != WB_KIND_BYTES)
		return;
	if (!c->dict_on)
		c->data_len = (uint64_t)c->offsets[elems];
	*c->budget += (int64_t)(data_before - c->data_len) + (int64_t)dropped * 4;
}
