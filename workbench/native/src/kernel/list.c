/* From items of lists to rows. */
#include "kernel.h"

void wbk_item_range(const wbk_column *list, int64_t start, int64_t n, int64_t *first,
		    int64_t *count)
{
	int64_t end = 0, unused;
	*first = *count = 0;
	if (n <= 0)
		return;
	wbk_offset_at(list, start, first, &unused);
	wbk_offset_at(list, start + n - 1, &unused, &end);
	*count = end - *first;
}

/* Set bits [a, b). */
static void set_range(uint64_t *bits, int64_t a, int64_t b)
{
	while (a < b) {
		int64_t stop = (a | 63) + 1 < b ? (a | 63) + 1 : b, size = stop - a;
		uint64_t ones = size == 64 ? ~0ULL : (1ULL << size) - 1;
		bits[a >> 6] |= ones << (a & 63);
		a = stop;
	}
}

void wbk_item_need(const wbk_column *list, int64_t start, int64_t n,
		   const uint64_t *need, int64_t first_item, int64_t n_items,
		   uint64_t *out)
{
	memset(out, 0, (size_t)wbk_words(n_items) * 8);
	for (int64_t k = 0; k < wbk_words(n); k++) {
		for (uint64_t rest = need[k]; rest; rest &= rest - 1) {
			int64_t a, b;
			wbk_offset_at(list, start + k * 64 + __builtin_ctzll(rest), &a, &b);
			set_range(out, a - first_item, b - first_item);
		}
	}
}

/* Does any bit of [a, b) equal `wanted`? */
WBK_INLINE int meets(const uint64_t *bits, int64_t a, int64_t b, int wanted)
{
	uint64_t flip = wanted ? 0 : ~0ULL;
	while (a < b) {
		int64_t stop = (a | 63) + 1 < b ? (a | 63) + 1 : b, size = stop - a;
		uint64_t ones = size == 64 ? ~0ULL : (1ULL << size) - 1;
		if ((bits[a >> 6] ^ flip) >> (a & 63) & ones)
			return 1;
		a = stop;
	}
	return 0;
}

void wbk_reduce(const wbk_column *list, int64_t start, int64_t n, const uint64_t *items,
		int64_t first_item, int all, const uint64_t *need, uint64_t *out)
{
	for (int64_t k = 0; k < wbk_words(n); k++) {
		uint64_t word = 0;
		for (uint64_t rest = need[k]; rest; rest &= rest - 1) {
			int64_t a, b;
			if (!wbk_offset_at(list, start + k * 64 + __builtin_ctzll(rest), &a,
					   &b))
				continue;
			a -= first_item;
			b -= first_item;
			int hit = all ? !meets(items, a, b, 0) : meets(items, a, b, 1);
			if (hit)
				word |= rest & -rest;
		}
		out[k] = word;
	}
}

int wbk_whole_lists(const wbk_column *list, int64_t start, int64_t n,
		    const uint64_t *need, uint64_t *out)
{
	int64_t first, count;
	int gaps = list->child->kind == WBK_DICT || list->child->kind == WBK_NULL;
	if (!list->child->validity && !gaps) {
		memmove(out, need, (size_t)wbk_words(n) * 8);
		return 0;
	}
	wbk_item_range(list, start, n, &first, &count);
	uint64_t *present = malloc((size_t)wbk_words(count) * 8 + 8);
	if (!present)
		return -1;
	wbk_present(list->child, first, count, NULL, present);
	wbk_reduce(list, start, n, present, first, 1, need, out);
	free(present);
	return 0;
}
