/* A leaf: one check with its literals prepared, evaluated over any column. */
#include "kernel.h"

/* Bitmaps of so many words need no memory of their own. */
#define FEW_WORDS 32

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static int copy_steps(uint8_t *to, const uint8_t *from)
{
	int n = 0;
	for (; from && from[n]; n++) {
		if (n == WBK_MAX_STEPS || from[n] > WBK_B64)
			return -1;
		to[n] = from[n];
	}
	return 0;
}

static int prepare_numbers(wbk_leaf *l)
{
	if (l->op == WBK_EXISTS || l->op == WBK_NET)
		return 0;
	l->numbers = malloc(sizeof *l->numbers * (size_t)(l->n_items + 1));
	if (!l->numbers)
		return -1;
	for (int64_t i = 0; i < l->n_items; i++) {
		if (l->items[i].n != 8)
			continue;
		memcpy(&l->numbers[l->n_numbers++], l->items[i].p, 8);
	}
	if (!l->n_numbers)
		return 0;
	qsort(l->numbers, (size_t)l->n_numbers, sizeof *l->numbers, compare_numbers);
	int64_t kept = 1;
	for (int64_t i = 1; i < l->n_numbers; i++)
		if (l->numbers[i] != l->numbers[kept - 1])
			l->numbers[kept++] = l->numbers[i];
	l->n_numbers = kept;
	return 0;
}

static int prepare(wbk_leaf *l)
{
	int one = l->op != WBK_EXISTS && l->op != WBK_IN && l->op != WBK_NET &&
		  l->op != WBK_PMATCH;
	/* No item: the other side is a field. */
	if (l->op < WBK_EXISTS || l->op > WBK_NET || (one && l->n_items > 1))
		return -1;
	if (prepare_numbers(l))
		return -1;
	switch (l->op) {
	case WBK_CONTAINS:
	case WBK_ICONTAINS:
		if (l->n_items)
			wbk_needle_init(&l->needle, l->items[0].p, l->items[0].n,
					l->op == WBK_ICONTAINS);
		return 0;
	case WBK_GLOB:
	case WBK_IGLOB:
		if (!l->n_items)
			return 0;
		l->glob = wbk_glob_new(l->items[0].p, l->items[0].n, l->op == WBK_IGLOB);
		return l->glob ? 0 : -1;
	case WBK_PMATCH:
		l->paths = wbk_paths_new(l->items, l->n_items);
		return l->paths ? 0 : -1;
	case WBK_IN:
		l->set = wbk_set_new(l->items, l->n_items);
		return l->set ? 0 : -1;
	case WBK_NET:
		for (int64_t i = 0; i < l->n_items; i++)
			if ((l->items[i].n != 5 && l->items[i].n != 17) ||
			    l->items[i].p[0] > (l->items[i].n - 1) * 8)
				return -1;
		return 0;
	default:
		return 0;
	}
}

wbk_leaf *wbk_leaf_new(int32_t op, int32_t flags, const uint8_t *items,
		       const int64_t *ends, int64_t n_items,
		       const uint8_t *left_steps, const uint8_t *right_steps)
{
	wbk_leaf *l = calloc(1, sizeof *l);
	int64_t size = n_items ? ends[n_items - 1] : 0;
	if (!l)
		return NULL;
	l->op = op;
	l->flags = flags;
	l->n_items = n_items;
	l->blob = malloc((size_t)size + 1);
	l->items = calloc((size_t)n_items + 1, sizeof *l->items);
	if (!l->blob || !l->items)
		goto fail;
	if (size)
		memcpy(l->blob, items, (size_t)size);
	for (int64_t i = 0, from = 0; i < n_items; from = ends[i++]) {
		l->items[i].p = l->blob + from;
		l->items[i].n = ends[i] - from;
	}
	if (copy_steps(l->steps[0], left_steps) || copy_steps(l->steps[1], right_steps))
		goto fail;
	if (prepare(l))
		goto fail;
	return l;
fail:
	wbk_leaf_free(l);
	return NULL;
}

void wbk_leaf_free(wbk_leaf *l)
{
	if (!l)
		return;
	free(l->blob);
	free(l->items);
	free(l->numbers);
	wbk_glob_free(l->glob);
	wbk_paths_free(l->paths);
	wbk_set_free(l->set);
	free(l);
}

static void scan_length_of_list(const wbk_leaf *l, const wbk_column *c, int64_t start,
				int64_t n, const uint64_t *need, uint64_t *out)
{
	for (int64_t k = 0; k < wbk_words(n); k++) {
		uint64_t word = 0;
		for (uint64_t rest = need[k]; rest; rest &= rest - 1) {
			int64_t a, b;
			wbk_offset_at(c, start + k * 64 + __builtin_ctzll(rest), &a, &b);
			if (wbk_match_number(l, (uint64_t)(b - a)) !=
			    (l->flags & WBK_NEGATE))
				word |= rest & -rest;
		}
		out[k] = word;
	}
}

/* Over a column that is no list; `need` holds present rows only. */
static int scan_flat(const wbk_leaf *l, const wbk_column *c, int64_t start, int64_t n,
		     const uint64_t *need, uint64_t *out)
{
	if (l->op == WBK_EXISTS && !l->steps[0][0]) {
		memcpy(out, need, (size_t)wbk_words(n) * 8);
		return 0;
	}
	if (wbk_is_number(c)) {
		wbk_scan_number(l, c, start, n, need, out);
		return 0;
	}
	return wbk_scan_text(l, c, start, n, need, out);
}

static int has_step(const wbk_leaf *l, uint8_t step)
{
	return memchr(l->steps[0], step, WBK_MAX_STEPS) != NULL;
}

static int scan_list(const wbk_leaf *l, const wbk_column *c, int64_t start, int64_t n,
		     const uint64_t *need, uint64_t *out)
{
	int64_t first, count;
	wbk_item_range(c, start, n, &first, &count);
	size_t words = (size_t)wbk_words(count) + 1;
	uint64_t *memory = malloc((words * 2 + (size_t)wbk_words(n)) * 8);
	if (!memory)
		return -1;
	uint64_t *wanted = memory, *hits = memory + words, *rows = hits + words;
	wbk_item_need(c, start, n, need, first, count, wanted);
	wbk_present(c->child, first, count, wanted, wanted);
	memcpy(rows, need, (size_t)wbk_words(n) * 8);
	int failed = 0;
	/* A transformed list with an item that has no value is absent. */
	if (l->steps[0][0] && !has_step(l, WBK_B64))
		failed = wbk_whole_lists(c, start, n, need, rows);
	if (!failed && has_step(l, WBK_B64)) {
		/* One item that is not base64 makes the whole list absent. */
		wbk_leaf exists = *l;
		exists.op = WBK_EXISTS;
		failed = wbk_scan_text(&exists, c->child, first, count, wanted, hits);
		if (!failed)
			wbk_reduce(c, start, n, hits, first, 1, need, rows);
	}
	if (!failed)
		failed = scan_flat(l, c->child, first, count, wanted, hits);
	if (!failed)
		wbk_reduce(c, start, n, hits, first,
			   l->op == WBK_EXISTS || l->flags & WBK_ALL, rows, out);
	free(memory);
	return failed;
}

int wbk_leaf_eval(const wbk_leaf *l, const wbk_column *left, const wbk_column *right,
		  int64_t start, int64_t n, const uint64_t *need, uint64_t *out)
{
	int64_t words = wbk_words(n);
	if (!words)
		return 0;
	uint64_t few[FEW_WORDS];
	uint64_t *present = words > FEW_WORDS ? malloc((size_t)words * 8) : few;
	int failed = 0;
	if (!present)
		return -1;
	wbk_present(left, start, n, need, present);
	if (right)
		wbk_present(right, start, n, present, present);
	if (!wbk_any(present, words)) {
		memset(out, 0, (size_t)words * 8);
	} else if (right) {
		failed = wbk_scan_pair(l, left, right, start, n, present, out);
	} else if (wbk_is_list(left)) {
		if (l->flags & WBK_LENGTH) {
			failed = wbk_whole_lists(left, start, n, present, present);
			scan_length_of_list(l, left, start, n, present, out);
		}
		else if (l->op == WBK_EXISTS && !l->steps[0][0])
			memcpy(out, present, (size_t)words * 8);
		else
			failed = scan_list(l, left, start, n, present, out);
	} else {
		failed = scan_flat(l, left, start, n, present, out);
	}
	if (present != few)
		free(present);
	return failed;
}
