/* Two fields of one row against each other. */
#define _GNU_SOURCE /* memmem */
#include "kernel.h"

typedef struct pair_state {
	wbk_scratch left, right, folded[2];
	wbk_glob *glob; /* of the last pattern */
	wbk_text pattern;
	wbk_scratch pattern_bytes;
} pair_state;

static int fold_into(wbk_scratch *s, const wbk_text *t)
{
	if (wbk_reserve(s, t->n + 1))
		return -1;
	for (int64_t i = 0; i < t->n; i++)
		s->p[i] = wbk_fold(t->p[i]);
	return 0;
}

static int glob_of(const wbk_leaf *l, pair_state *s, const wbk_text *a, const wbk_text *b)
{
	int same = s->glob && s->pattern.n == b->n &&
		   (b->n == 0 || memcmp(s->pattern_bytes.p, b->p, (size_t)b->n) == 0);
	if (!same) {
		wbk_glob_free(s->glob);
		s->glob = wbk_glob_new(b->p, b->n, l->op == WBK_IGLOB);
		if (!s->glob || wbk_reserve(&s->pattern_bytes, b->n + 1))
			return -1;
		if (b->n)
			memcpy(s->pattern_bytes.p, b->p, (size_t)b->n);
		s->pattern.n = b->n;
	}
	return wbk_glob_match(s->glob, a->p, a->n);
}

/* 1, 0, or -1 when memory is short. */
static int texts(const wbk_leaf *l, pair_state *s, wbk_text a, wbk_text b)
{
	int64_t least = a.n < b.n ? a.n : b.n;
	int order = least ? memcmp(a.p, b.p, (size_t)least) : 0;
	if (!order)
		order = (a.n > b.n) - (a.n < b.n);
	switch (l->op) {
	case WBK_EQ:
	case WBK_IN:
		return order == 0;
	case WBK_LT:
		return order < 0;
	case WBK_LE:
		return order <= 0;
	case WBK_GT:
		return order > 0;
	case WBK_GE:
		return order >= 0;
	case WBK_STARTSWITH:
		return a.n >= b.n && (b.n == 0 || memcmp(a.p, b.p, (size_t)b.n) == 0);
	case WBK_ENDSWITH:
		return a.n >= b.n &&
		       (b.n == 0 || memcmp(a.p + a.n - b.n, b.p, (size_t)b.n) == 0);
	case WBK_ICONTAINS:
		if (fold_into(&s->folded[0], &a) || fold_into(&s->folded[1], &b))
			return -1;
		a.p = s->folded[0].p;
		b.p = s->folded[1].p;
		/* fallthrough */
	case WBK_CONTAINS:
		return a.n >= b.n &&
		       (b.n == 0 || memmem(a.p, (size_t)a.n, b.p, (size_t)b.n) != NULL);
	case WBK_GLOB:
	case WBK_IGLOB:
		return glob_of(l, s, &a, &b);
	default:
		return 0;
	}
}

/* The k-th side's text of row i as the leaf sees it. */
static int side(const wbk_leaf *l, int k, const wbk_column *c, int64_t i,
		wbk_scratch *scratch, wbk_text *t)
{
	int32_t flags = k ? l->flags & WBK_CUT : l->flags & (WBK_CUT | WBK_TRIM);
	if (!wbk_text_at(c, i, t))
		return 0;
	int got = wbk_steps(l->steps[k], flags, t, scratch);
	if (got > 0)
		wbk_view(flags, t);
	return got;
}

/* The k-th side's number: its value or its length. 1, 0 for absent, -1. */
static int number_side(const wbk_leaf *l, int k, const wbk_column *c, int64_t i,
		       wbk_scratch *scratch, uint64_t *out)
{
	int64_t a, b;
	wbk_text t;
	if (!(l->flags & (k ? WBK_RIGHT_LENGTH : WBK_LENGTH)))
		return wbk_number_at(c, i, out);
	if (wbk_is_list(c)) {
		wbk_offset_at(c, i, &a, &b);
		*out = (uint64_t)(b - a);
		for (int64_t k = a; k < b; k++)
			if (!wbk_present_at(c->child, k))
				return 0;
		return b > a;
	}
	int got = side(l, k, c, i, scratch, &t);
	*out = got > 0 ? (uint64_t)t.n : 0;
	return got;
}

/* 1, 0, 2 for absent, -1 when memory is short. */
static int flat(const wbk_leaf *l, pair_state *s, const wbk_column *left,
		const wbk_column *right, int64_t i, int of_numbers)
{
	uint64_t x, y;
	wbk_text a, b;
	int got;
	if (of_numbers) {
		got = number_side(l, 0, left, i, &s->left, &x);
		if (got > 0)
			got = number_side(l, 1, right, i, &s->right, &y);
		return got > 0 ? wbk_compare_numbers(l->op, x, y) : got ? got : 2;
	}
	got = side(l, 0, left, i, &s->left, &a);
	if (got > 0)
		got = side(l, 1, right, i, &s->right, &b);
	return got > 0 ? texts(l, s, a, b) : got ? got : 2;
}

int wbk_scan_pair(const wbk_leaf *l, const wbk_column *left, const wbk_column *right,
		  int64_t start, int64_t n, const uint64_t *need, uint64_t *out)
{
	pair_state s = {0};
	wbk_item_table table = {0};
	int failed = 0, negate = (l->flags & WBK_NEGATE) != 0;
	int lengths = l->flags & (WBK_LENGTH | WBK_RIGHT_LENGTH);
	int both = wbk_is_list(left) && wbk_is_list(right) && !lengths;
	int of_numbers = lengths || wbk_is_number(left);
	for (int64_t k = 0; k < wbk_words(n) && !failed; k++) {
		uint64_t word = 0;
		for (uint64_t rest = need[k]; rest; rest &= rest - 1) {
			int64_t i = start + k * 64 + __builtin_ctzll(rest);
			int hit = both ? wbk_pair_lists(l, left, i, right, &table)
				       : flat(l, &s, left, right, i, of_numbers);
			if (hit < 0) {
				failed = -1;
				break;
			}
			if (hit == !negate)
				word |= rest & -rest;
		}
		out[k] = word;
	}
	free(s.left.p);
	free(s.right.p);
	free(s.folded[0].p);
	free(s.folded[1].p);
	free(s.pattern_bytes.p);
	wbk_glob_free(s.glob);
	free(table.hash);
	free(table.item);
	return failed;
}
