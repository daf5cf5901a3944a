/* Two lists of one row against each other. The items of the right list are hashed, so
   that long lists cost their length only. */
#include <stdatomic.h>
#include <time.h>

#include "kernel.h"

/* Differs from process to process, and is not told to anybody. */
static uint64_t secret(void)
{
	static _Atomic uint64_t key;
	uint64_t known = atomic_load(&key);
	if (!known) {
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		uint64_t made = ((uint64_t)now.tv_nsec << 32 ^ (uint64_t)(uintptr_t)&now) | 1;
		/* Threads that come here together all keep the key of the first. */
		if (atomic_compare_exchange_strong(&key, &known, made))
			known = made;
	}
	return known;
}

static uint64_t item_key(const wbk_column *c, int64_t i, const wbk_text *t)
{
	uint64_t number = 0;
	if (t->p)
		return wbk_hash(t->p, t->n, secret());
	wbk_number_at(c, i, &number);
	return wbk_hash((const uint8_t *)&number, 8, secret());
}

static int item_equal(const wbk_column *c, int64_t i, const wbk_column *d, int64_t j)
{
	uint64_t x, y;
	wbk_text a, b;
	if (wbk_number_at(c, i, &x))
		return wbk_number_at(d, j, &y) && x == y;
	return wbk_text_at(c, i, &a) && wbk_text_at(d, j, &b) && a.n == b.n &&
	       (a.n == 0 || memcmp(a.p, b.p, (size_t)a.n) == 0);
}

static uint64_t key_at(const wbk_column *c, int64_t i)
{
	wbk_text t = {NULL, 0};
	if (wbk_text_at(c, i, &t) && !t.p)
		t.p = (const uint8_t *)"";
	return item_key(c, i, &t) | 1;
}

/* Room for twice as many items, all of it free. -1: memory is short. */
static int clear_table(wbk_item_table *t, int64_t items)
{
	int64_t size = 8;
	while (size < items * 2)
		size *= 2;
	if (size > t->size) {
		free(t->hash);
		free(t->item);
		t->hash = malloc((size_t)size * 8);
		t->item = malloc((size_t)size * 8);
		t->size = t->hash && t->item ? size : 0;
		if (!t->size)
			return -1;
	}
	for (int64_t k = 0; k < size; k++)
		t->item[k] = -1;
	t->mask = (uint64_t)size - 1;
	return 0;
}

/* Where item i of c stands in the table of d's items, or the free place for it. */
static uint64_t place_of(const wbk_item_table *t, const wbk_column *c, int64_t i,
			 const wbk_column *d, uint64_t h)
{
	uint64_t at = h >> 1 & t->mask;
	while (t->item[at] >= 0 &&
	       !(t->hash[at] == h && item_equal(c, i, d, t->item[at])))
		at = (at + 1) & t->mask;
	return at;
}

int wbk_pair_lists(const wbk_leaf *l, const wbk_column *left, int64_t i,
		   const wbk_column *right, wbk_item_table *t)
{
	int64_t a, b, c, d;
	int all = (l->flags & WBK_ALL) != 0;
	const wbk_column *items = right->child;
	wbk_offset_at(left, i, &a, &b);
	wbk_offset_at(right, i, &c, &d);
	if (clear_table(t, d - c))
		return -1;
	for (int64_t k = c; k < d; k++) {
		if (!wbk_present_at(items, k))
			continue;
		uint64_t h = key_at(items, k), at = place_of(t, items, k, items, h);
		t->item[at] = k;
		t->hash[at] = h;
	}
	for (int64_t k = a; k < b; k++) {
		int found = 0;
		if (wbk_present_at(left->child, k)) {
			uint64_t h = key_at(left->child, k);
			found = t->item[place_of(t, left->child, k, items, h)] >= 0;
		}
		if (found != all)
			return found;
	}
	return all;
}
