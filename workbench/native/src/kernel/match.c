/* One test on one value, and the loops that ask it of many rows. */
#include "kernel.h"

static int compare(const uint8_t *p, int64_t n, const wbk_text *t)
{
	int64_t least = n < t->n ? n : t->n;
	int c = least ? memcmp(p, t->p, (size_t)least) : 0;
	return c ? c : (n > t->n) - (n < t->n);
}

WBK_INLINE int same(const uint8_t *p, const uint8_t *q, int64_t n)
{
	return n == 0 || memcmp(p, q, (size_t)n) == 0;
}

static int in_network(const wbk_text *net, const uint8_t *p, int64_t n)
{
	if (net->n != n + 1)
		return 0;
	int bits = net->p[0], whole = bits >> 3;
	if (!same(p, net->p + 1, whole))
		return 0;
	if (!(bits & 7))
		return 1;
	uint8_t mask = (uint8_t)(0xff << (8 - (bits & 7)));
	return ((p[whole] ^ net->p[1 + whole]) & mask) == 0;
}

/* Is v one of the numbers, which are sorted? */
static int among(const wbk_leaf *l, uint64_t v)
{
	int64_t a = 0, b = l->n_numbers;
	while (a < b) {
		int64_t m = (a + b) / 2;
		if (l->numbers[m] < v)
			a = m + 1;
		else
			b = m;
	}
	return a < l->n_numbers && l->numbers[a] == v;
}

int wbk_match_number(const wbk_leaf *l, uint64_t v)
{
	if (l->op == WBK_EXISTS)
		return 1;
	if (!l->n_numbers)
		return 0;
	if (l->op == WBK_IN)
		return among(l, v);
	return wbk_compare_numbers(l->op, v, l->numbers[0]);
}

/* `p` is what the leaf sees of the text. */
WBK_INLINE int match_text(int op, const wbk_leaf *l, const uint8_t *p, int64_t n,
			  const uint8_t *readable)
{
	const wbk_text *c = l->items;
	switch (op) {
	case WBK_EXISTS:
		return 1;
	case WBK_EQ:
		return n == c->n && same(p, c->p, n);
	case WBK_LT:
		return compare(p, n, c) < 0;
	case WBK_LE:
		return compare(p, n, c) <= 0;
	case WBK_GT:
		return compare(p, n, c) > 0;
	case WBK_GE:
		return compare(p, n, c) >= 0;
	case WBK_CONTAINS:
	case WBK_ICONTAINS:
		return n >= c->n && wbk_find(&l->needle, p, n, readable) != NULL;
	case WBK_STARTSWITH:
		return n >= c->n && same(p, c->p, c->n);
	case WBK_ENDSWITH:
		return n >= c->n && same(p + n - c->n, c->p, c->n);
	case WBK_GLOB:
	case WBK_IGLOB:
		return wbk_glob_match(l->glob, p, n);
	case WBK_PMATCH:
		return wbk_paths_match(l->paths, p, n);
	case WBK_IN:
		return wbk_set_has(l->set, p, n);
	case WBK_NET:
		for (int64_t i = 0; i < l->n_items; i++)
			if (in_network(&c[i], p, n))
				return 1;
		return 0;
	default:
		return 0;
	}
}

int wbk_match_text(const wbk_leaf *l, const uint8_t *p, int64_t n,
		   const uint8_t *readable)
{
	return match_text(l->op, l, p, n, readable);
}

/* A plain column of texts, `op` known to the compiler. */
WBK_INLINE void scan32(int op, const wbk_leaf *l, const wbk_column *c, int64_t start,
		       int64_t n, const uint64_t *need, uint64_t *out, int32_t view)
{
	const int32_t *offsets = (const int32_t *)c->values + c->offset + start;
	const uint8_t *data = c->data, *readable = data + c->data_bytes;
	for (int64_t k = 0; k < wbk_words(n); k++) {
		uint64_t word = 0, rest = need[k];
		const int32_t *o = offsets + k * 64;
		if (rest == ~0ULL) {
			for (int j = 0; j < 64; j++) {
				wbk_text t = {data + o[j], o[j + 1] - o[j]};
				wbk_view(view, &t);
				word |= (uint64_t)match_text(op, l, t.p, t.n, readable) << j;
			}
		} else {
			for (; rest; rest &= rest - 1) {
				int j = __builtin_ctzll(rest);
				wbk_text t = {data + o[j], o[j + 1] - o[j]};
				wbk_view(view, &t);
				word |= (uint64_t)match_text(op, l, t.p, t.n, readable) << j;
			}
		}
		out[k] = word;
	}
}

/* Texts that begin with a literal of at most eight bytes: one load, one compare. */
static void scan_head(const wbk_leaf *l, const wbk_column *c, int64_t start, int64_t n,
		      const uint64_t *need, uint64_t *out)
{
	const int32_t *offsets = (const int32_t *)c->values + c->offset + start;
	int64_t head = l->items[0].n < 8 ? l->items[0].n : 8;
	int64_t rest_of_literal = l->items[0].n - head;
	uint64_t mask = head == 8 ? ~0ULL : (1ULL << (8 * head)) - 1, want = 0;
	memcpy(&want, l->items[0].p, (size_t)head);
	for (int64_t k = 0; k < wbk_words(n); k++) {
		uint64_t word = 0;
		for (uint64_t rest = need[k]; rest; rest &= rest - 1) {
			int j = __builtin_ctzll(rest);
			int64_t a = offsets[k * 64 + j], size = offsets[k * 64 + j + 1] - a;
			uint64_t got = 0;
			if (a + 8 <= c->data_bytes)
				memcpy(&got, c->data + a, 8);
			else if (size)
				memcpy(&got, c->data + a, (size_t)(size < 8 ? size : 8));
			if ((got & mask) == want && size >= l->items[0].n &&
			    same(c->data + a + head, l->items[0].p + head,
				 rest_of_literal))
				word |= rest & -rest;
		}
		out[k] = word;
	}
}

/* All rows at once: the values lie one after the other, so the literal is looked for in
   the whole buffer and hits are told to their rows; a hit across two rows is none. */
static void scan_buffer(const wbk_leaf *l, const wbk_column *c, int64_t start,
			int64_t n, const uint64_t *need, uint64_t *out)
{
	const int32_t *offsets = (const int32_t *)c->values + c->offset + start;
	const uint8_t *end = c->data + offsets[n], *p = c->data + offsets[0];
	const uint8_t *readable = c->data + c->data_bytes;
	int64_t row = 0;
	memset(out, 0, (size_t)wbk_words(n) * 8);
	while ((p = wbk_find(&l->needle, p, end - p, readable)) != NULL) {
		int64_t at = p - c->data;
		while (offsets[row + 1] <= at)
			row++;
		if (at + l->needle.n <= offsets[row + 1]) {
			out[row >> 6] |= 1ULL << (row & 63);
			p = c->data + offsets[row + 1];
			row++;
		} else {
			p++;
		}
		if (row >= n)
			break;
	}
	for (int64_t k = 0; k < wbk_words(n); k++)
		out[k] &= need[k];
}

/* Any layout, any steps. */
static int scan_any(const wbk_leaf *l, const wbk_column *c, int64_t start, int64_t n,
		    const uint64_t *need, uint64_t *out)
{
	wbk_scratch scratch = {0};
	int failed = 0;
	const wbk_column *texts = c->kind == WBK_DICT ? c->child : c;
	const uint8_t *readable = texts->data + texts->data_bytes;
	for (int64_t k = 0; k < wbk_words(n) && !failed; k++) {
		uint64_t word = 0;
		for (uint64_t rest = need[k]; rest; rest &= rest - 1) {
			wbk_text t;
			if (!wbk_text_at(c, start + k * 64 + __builtin_ctzll(rest), &t))
				continue;
			int got = wbk_steps(l->steps[0], l->flags, &t, &scratch);
			if (got < 0) {
				failed = -1;
				break;
			}
			if (!got)
				continue;
			wbk_view(l->flags, &t);
			const uint8_t *limit = l->steps[0][0] ? t.p + t.n : readable;
			int hit = l->flags & WBK_LENGTH
					  ? wbk_match_number(l, (uint64_t)t.n)
					  : match_text(l->op, l, t.p, t.n, limit);
			if (hit != (l->flags & WBK_NEGATE))
				word |= rest & -rest;
		}
		out[k] = word;
	}
	free(scratch.p);
	return failed;
}

/* True for the rows of interest that do not pass. */
static void negate(const uint64_t *need, int64_t n, uint64_t *out)
{
	for (int64_t k = 0; k < wbk_words(n); k++)
		out[k] = need[k] & ~out[k];
}

#define CASE(OP)                                                               \
	case OP:                                                               \
		if (view)                                                      \
			scan32(OP, l, c, start, n, need, out, view);           \
		else                                                           \
			scan32(OP, l, c, start, n, need, out, 0);              \
		break

int wbk_scan_text(const wbk_leaf *l, const wbk_column *c, int64_t start, int64_t n,
		  const uint64_t *need, uint64_t *out)
{
	if (c->kind != WBK_BYTES32 || l->steps[0][0] || (l->flags & WBK_LENGTH))
		return scan_any(l, c, start, n, need, out);
	int32_t view = c->has_nul ? l->flags & (WBK_CUT | WBK_TRIM) : 0;
	/* A prefix without NUL is the same with and without the cut. */
	int plain_head = l->op == WBK_STARTSWITH && l->items[0].n > 0 &&
			 !memchr(l->items[0].p, 0, (size_t)l->items[0].n);
	int searching = (l->op == WBK_CONTAINS || l->op == WBK_ICONTAINS) && !view &&
			l->items[0].n > 0 && wbk_count(need, n) * 3 > n;
	if (plain_head) {
		scan_head(l, c, start, n, need, out);
	} else if (searching) {
		scan_buffer(l, c, start, n, need, out);
	} else {
		switch (l->op) {
			CASE(WBK_EQ);
			CASE(WBK_CONTAINS);
			CASE(WBK_ICONTAINS);
			CASE(WBK_STARTSWITH);
			CASE(WBK_ENDSWITH);
			CASE(WBK_GLOB);
			CASE(WBK_IN);
			CASE(WBK_PMATCH);
		default:
			scan32(l->op, l, c, start, n, need, out, view);
		}
	}
	if (l->flags & WBK_NEGATE)
		negate(need, n, out);
	return 0;
}

#define COMPARE(EXPR)                                                          \
	for (int64_t k = 0; k < wbk_words(n); k++) {                           \
		int64_t rows = n - k * 64 < 64 ? n - k * 64 : 64;              \
		uint8_t bytes[64] = {0};                                       \
		uint64_t word = 0;                                             \
		if (!need[k]) {                                                \
			out[k] = 0;                                            \
			continue;                                              \
		}                                                              \
		for (int64_t i = 0; i < rows; i++) {                           \
			uint64_t v = values[k * 64 + i];                       \
			bytes[i] = (EXPR);                                     \
		}                                                              \
		for (int j = 0; j < 8; j++) {                                  \
			uint64_t eight;                                        \
			memcpy(&eight, bytes + 8 * j, 8);                      \
			word |= (eight * 0x0102040810204080ULL >> 56) << (8 * j); \
		}                                                              \
		out[k] = word & need[k];                                       \
	}                                                                      \
	break

static void scan_bools(const wbk_leaf *l, const wbk_column *c, int64_t start, int64_t n,
		       const uint64_t *need, uint64_t *out)
{
	uint64_t on = wbk_match_number(l, 1) ? ~0ULL : 0;
	uint64_t off = wbk_match_number(l, 0) ? ~0ULL : 0;
	wbk_load_bits(c->values, c->offset + start, n, out);
	for (int64_t k = 0; k < wbk_words(n); k++)
		out[k] = ((out[k] & on) | (~out[k] & off)) & need[k];
}

static void scan_coded_numbers(const wbk_leaf *l, const wbk_column *c, int64_t start,
			       int64_t n, const uint64_t *need, uint64_t *out)
{
	for (int64_t k = 0; k < wbk_words(n); k++) {
		uint64_t word = 0, v;
		for (uint64_t rest = need[k]; rest; rest &= rest - 1) {
			int64_t i = start + k * 64 + __builtin_ctzll(rest);
			if (wbk_number_at(c, i, &v) && wbk_match_number(l, v))
				word |= rest & -rest;
		}
		out[k] = word;
	}
}

static void scan_numbers(const wbk_leaf *l, const uint64_t *values, int64_t n,
			 const uint64_t *need, uint64_t *out)
{
	uint64_t want = l->n_numbers ? l->numbers[0] : 0;
	switch (l->n_numbers || l->op == WBK_EXISTS ? l->op : WBK_NET) {
	case WBK_EQ:
		COMPARE(v == want);
	case WBK_LT:
		COMPARE(v < want);
	case WBK_LE:
		COMPARE(v <= want);
	case WBK_GT:
		COMPARE(v > want);
	case WBK_GE:
		COMPARE(v >= want);
	default:
		COMPARE((uint8_t)wbk_match_number(l, v));
	}
}

void wbk_scan_number(const wbk_leaf *l, const wbk_column *c, int64_t start, int64_t n,
		     const uint64_t *need, uint64_t *out)
{
	if (c->kind == WBK_BOOL)
		scan_bools(l, c, start, n, need, out);
	else if (c->kind == WBK_DICT)
		scan_coded_numbers(l, c, start, n, need, out);
	else
		scan_numbers(l, (const uint64_t *)c->values + c->offset + start, n, need,
			     out);
	if (l->flags & WBK_NEGATE)
		negate(need, n, out);
}
