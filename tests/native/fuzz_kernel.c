/*
 * Random checks over random columns of every layout. All buffers are exact-size heap
 * blocks, so that the address sanitizer sees every byte read outside them. Answers are
 * compared: for all rows at once, for some rows, row by row, through lookup tables, and
 * with the C library's own memmem.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include "chance.h"
#include "kernel/kernel.h"

static int64_t below(int64_t n)
{
	return n > 0 ? (int64_t)(chance() % (uint64_t)n) : 0;
}

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Blocks of the current round. */
static void *blocks[4096];
static int n_blocks;

static void *block(int64_t size)
{
	void *p = malloc((size_t)(size ? size : 1));
	if (!size)
		p = realloc(p, 1);
	blocks[n_blocks++] = p;
	return p;
}

static void drop_blocks(void)
{
	while (n_blocks)
		free(blocks[--n_blocks]);
}

static uint8_t letter(void)
{
	static const char some[] = "aabbcAB/.*?[]!^-\\: =0";
	uint64_t kind = chance() % 16;
	if (kind == 0)
		return (uint8_t)chance();
	if (kind == 1)
		return 0;
	return (uint8_t)some[chance() % (sizeof some - 1)];
}

static uint8_t *bits(int64_t n)
{
	int64_t size = (n + 7) / 8;
	uint8_t *p = block(size);
	for (int64_t i = 0; i < size; i++)
		p[i] = (uint8_t)(chance() | chance());
	return p;
}

static void *offsets(int64_t n, int wide, int64_t longest, int64_t *total, int hostile)
{
	int64_t at = below(3);
	int32_t *narrow = wide ? NULL : block((n + 1) * 4);
	int64_t *large = wide ? block((n + 1) * 8) : NULL;
	for (int64_t i = 0; i <= n; i++) {
		int64_t value = at;
		if (hostile && chance() % 8 == 0)
			value = (int64_t)(int32_t)chance();
		if (wide)
			large[i] = value;
		else
			narrow[i] = (int32_t)value;
		if (i < n)
			at += chance() % 16 ? below(longest) : below(200);
	}
	*total = at;
	return wide ? (void *)large : (void *)narrow;
}

static wbk_column *column(int64_t length, int kind, int hostile)
{
	wbk_column *c = block(sizeof *c);
	memset(c, 0, sizeof *c);
	c->kind = kind;
	c->length = length;
	c->offset = below(70);
	c->has_nul = 1;
	int64_t n = length + c->offset, total;
	if (chance() % 2)
		c->validity = bits(n);
	switch (kind) {
	case WBK_BYTES32:
	case WBK_BYTES64: {
		c->values = offsets(n, kind == WBK_BYTES64, 12, &total, hostile);
		uint8_t *data = block(total);
		for (int64_t i = 0; i < total; i++)
			data[i] = letter();
		c->data = data;
		c->data_bytes = total;
		break;
	}
	case WBK_FIXED: {
		c->width = (int32_t)(chance() % 2 ? 4 : below(18));
		uint8_t *data = block(n * c->width);
		for (int64_t i = 0; i < n * c->width; i++)
			data[i] = chance() % 2 ? 0 : letter();
		c->data = data;
		c->data_bytes = n * c->width;
		break;
	}
	case WBK_U64: {
		uint64_t *values = block(n * 8);
		for (int64_t i = 0; i < n; i++)
			values[i] = chance() % 4 ? chance() % 5 : chance();
		c->values = values;
		break;
	}
	case WBK_BOOL:
		c->values = bits(n);
		break;
	case WBK_DICT: {
		static const int32_t widths[] = {1, 2, 4, 8};
		int64_t size = 1 + below(20);
		c->width = widths[chance() % 4];
		uint8_t *codes = block(n * c->width);
		for (int64_t i = 0; i < n; i++) {
			/* Codes may point nowhere. */
			uint64_t code = chance() % 16 ? chance() % (uint64_t)size : chance();
			memcpy(codes + i * c->width, &code, (size_t)c->width);
		}
		c->values = codes;
		c->child = column(size, (int)(chance() % 4) ? WBK_BYTES32 : WBK_FIXED, hostile);
		break;
	}
	default:
		c->values = offsets(n, kind == WBK_LIST64, 4, &total, hostile);
		c->child = column(total, (int)(chance() % 6) + 1, hostile);
	}
	return c;
}

static wbk_leaf *leaf(const wbk_column *c, int pair)
{
	const wbk_column *flat = wbk_is_list(c) ? c->child : c;
	int numbers = wbk_is_number(flat), list = wbk_is_list(c);
	int32_t flags = (int32_t)(chance() & (WBK_NEGATE | WBK_CUT | WBK_ALL | WBK_TRIM));
	int32_t op = (int32_t)(chance() % (WBK_NET + 1));
	uint8_t items[4096], left[4] = {0}, right[4] = {0};
	int64_t ends[16], n = 1, size = 0;
	if (list) {
		flags &= ~(WBK_NEGATE | WBK_CUT | WBK_TRIM);
		op = chance() % 4 ? WBK_IN : WBK_EXISTS;
	}
	if (!numbers)
		for (int i = 0; i < 2; i++)
			left[i] = (uint8_t)(chance() % 8 ? 0 : 1 + chance() % 4);
	if (chance() % 10 == 0 && (list || !numbers)) {
		flags |= WBK_LENGTH | WBK_CUT;
		numbers = 1;
		op = (int32_t)(chance() % 2 ? WBK_EQ + chance() % 5 : WBK_IN);
	}
	if (op == WBK_IN || op == WBK_PMATCH || op == WBK_NET)
		n = below(6);
	if (op == WBK_EXISTS || pair)
		n = 0;
	for (int64_t i = 0; i < n; i++) {
		int64_t length = numbers ? 8 : below(10);
		if (op == WBK_NET) {
			length = chance() % 2 ? 5 : 17;
			for (int64_t k = 0; k < length; k++)
				items[size + k] = chance() % 2 ? 0 : letter();
			items[size] = (uint8_t)(chance() % (uint64_t)(length * 8 - 7));
		} else {
			for (int64_t k = 0; k < length; k++)
				items[size + k] = numbers ? (k ? 0 : chance() % 5) : letter();
		}
		size += length;
		ends[i] = size;
	}
	if (pair && !numbers)
		right[0] = (uint8_t)(chance() % 4 ? 0 : 1 + chance() % 4);
	wbk_leaf *l = wbk_leaf_new(op, flags, items, ends, n, left, right);
	if (!l)
		fail("no leaf");
	return l;
}

static void compare(const uint64_t *a, const uint64_t *b, const uint64_t *need, int64_t n)
{
	for (int64_t k = 0; k < wbk_words(n); k++)
		if ((a[k] & (need ? need[k] : ~0ull)) != (b[k] & (need ? need[k] : ~0ull)))
			fail("answers differ");
}

static int callback(void *context, int32_t slot, int64_t start, int64_t n,
		    const uint64_t *need, uint64_t *out)
{
	const wbk_slot *s = context;
	return wbk_leaf_eval(s[slot].leaf, s[slot].left, s[slot].right, start, n, need, out);
}

/* The whole program way: a small tree over the leaf, checked against plain logic. */
static void run_program(const wbk_leaf *l, const wbk_column *c, const wbk_column *right,
			const uint64_t *all, int64_t n)
{
	wbk_slot slots[2] = {{l, c, right, -1, (float)(chance() % 8)},
			     {NULL, c, right, -1, 50}};
	wbk_slot real[2] = {slots[0], {l, c, right, -1, 1}};
	wbk_group group = {c, NULL, 1, {0}};
	const wbk_column *dict = wbk_is_list(c) ? c->child : c;
	int by_table = dict->kind == WBK_DICT && !right && !(l->flags & WBK_LENGTH) &&
		       !(wbk_is_list(c) && (l->op == WBK_EXISTS || l->steps[0][0]));
	if (by_table) {
		int64_t size = dict->child->length;
		uint8_t *lut = block(size + 1);
		uint64_t *words = block(wbk_words(size) * 8);
		memset(lut, 0, (size_t)size + 1);
		if (wbk_leaf_eval(l, dict->child, NULL, 0, size, NULL, words))
			fail("memory");
		wbk_lut_put(lut, words, size, 0);
		group.lut = lut;
		slots[0].group = 0;
	}
	/* 0: leaf, 1: callback, 2: not 0, 3: 0 and 1, 4: 2 or 1, 5: exactly one of 0 2 1 */
	wbk_node nodes[] = {{WBK_LEAF, 0, 1, 0}, {WBK_LEAF, 1, 1, 0}, {WBK_NOT, 0, 1, 1},
			    {WBK_AND, 1, 2, 1},	 {WBK_OR, 3, 2, 1},   {WBK_ONE, 5, 3, 0}};
	int32_t children[] = {0, 0, 1, 2, 1, 0, 2, 1};
	int32_t roots[] = {3, 2, 4, 5, 3};
	wbk_program p = {nodes, 6, children, 8, roots, 5, slots, 2, &group, by_table,
			 callback, real, 0};
	int64_t shift = below(100), total = (shift + n + 63) / 64 * 8, counts[5] = {0};
	uint8_t *out[5];
	for (int i = 0; i < 5; i++) {
		out[i] = block(total);
		memset(out[i], 0, (size_t)total);
	}
	if (wbk_run(&p, n, out, shift, counts))
		fail("run failed");
	for (int64_t i = 0; i < n; i++) {
		int v = (int)(all[i >> 6] >> (i & 63) & 1);
		int want[5] = {v, !v, 1, !v, v};
		for (int k = 0; k < 5; k++)
			if (wbk_bit(out[k], shift + i) != want[k])
				fail("the program differs from its leaf");
	}
	if (counts[0] != wbk_count(all, n) || counts[0] + counts[1] != n)
		fail("counts differ");
}

static void one_round(void)
{
	int hostile = chance() % 8 == 0;
	int64_t length = chance() % 64 ? below(300) : below(70000);
	wbk_column *c = column(length, 1 + (int)(chance() % 8), hostile), *right = NULL;
	if (wbk_column_check(c)) {
		if (!hostile)
			fail("a good column was refused");
		return;
	}
	if (chance() % 2)
		c->has_nul = wbk_column_has_nul(c);
	if (chance() % 4 == 0) {
		right = column(length, c->kind, 0);
		if (wbk_is_list(c))
			for (int i = 0; i < 8 && wbk_is_number(right->child) !=
							 wbk_is_number(c->child); i++)
				right = column(length, c->kind, 0);
	}
	wbk_leaf *l = leaf(c, right != NULL);
	int64_t words = wbk_words(length);
	uint64_t *all = block(words * 8), *need = block(words * 8);
	uint64_t *some = block(words * 8), *one = block(8), yes = 1;
	if (wbk_leaf_eval(l, c, right, 0, length, NULL, all))
		fail("memory");
	uint64_t rare = chance() % 2 ? ~0ull : 0;
	for (int64_t k = 0; k < words; k++)
		need[k] = chance() & (chance() | rare);
	if (length & 63)
		need[words - 1] &= (1ull << (length & 63)) - 1;
	if (wbk_leaf_eval(l, c, right, 0, length, need, some))
		fail("memory");
	compare(all, some, need, length);
	for (int64_t i = 0; i < length && i < 200; i++) {
		if (wbk_leaf_eval(l, c, right, i, 1, &yes, one))
			fail("memory");
		if ((one[0] & 1) != (all[i >> 6] >> (i & 63) & 1))
			fail("a row alone differs");
	}
	run_program(l, c, right, all, length);
	int64_t *ends = block((length + 1) * 8);
	uint8_t *absent = block(length + 1), *data = NULL;
	if (!right && !wbk_is_list(c) && !wbk_is_number(c)) {
		if (wbk_texts(c, l->steps[0], WBK_TRIM, 0, length, need, ends, absent,
			      &data) != wbk_count(need, length))
			fail("texts are missing");
		wbk_free(data);
	}
	wbk_leaf_free(l);
}

static void one_search(void)
{
	int64_t n = below(chance() % 4 ? 40 : 400), m = below(6);
	uint8_t *text = block(n), *needle = block(m);
	wbk_needle x;
	for (int64_t i = 0; i < n; i++)
		text[i] = letter();
	for (int64_t i = 0; i < m; i++)
		needle[i] = letter();
	wbk_needle_init(&x, needle, m, 0);
	const uint8_t *ours = wbk_find(&x, text, n, text + n);
	const uint8_t *libc = m ? memmem(text, (size_t)n, needle, (size_t)m) : text;
	if (ours != libc)
		fail("search differs");
}

static int64_t one(void)
{
	one_round();
	drop_blocks();
	for (int k = 0; k < 20; k++) {
		one_search();
		drop_blocks();
	}
	return 21;
}

int main(int argc, char **argv)
{
	run_cases(argc, argv, one);
	return 0;
}
