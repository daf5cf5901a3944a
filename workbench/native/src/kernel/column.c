/* Reading one value of a column, whatever its layout. */
#include "kernel.h"

int wbk_present_at(const wbk_column *c, int64_t i)
{
	if (c->kind == WBK_NULL || i < 0 || i >= c->length)
		return 0;
	if (c->validity && !wbk_bit(c->validity, c->offset + i))
		return 0;
	if (c->kind == WBK_DICT) {
		uint64_t code = wbk_code_at(c, i);
		return code < (uint64_t)c->child->length &&
		       wbk_present_at(c->child, (int64_t)code);
	}
	if (wbk_is_list(c)) {
		int64_t a, b;
		return wbk_offset_at(c, i, &a, &b);
	}
	return 1;
}

int wbk_text_at(const wbk_column *c, int64_t i, wbk_text *out)
{
	int64_t a, b;
	if (!wbk_present_at(c, i))
		return 0;
	if (c->kind == WBK_DICT) {
		i = (int64_t)wbk_code_at(c, i);
		c = c->child;
	}
	switch (c->kind) {
	case WBK_BYTES32:
	case WBK_BYTES64:
		wbk_offset_at(c, i, &a, &b);
		out->p = c->data + a;
		out->n = b - a;
		return 1;
	case WBK_FIXED:
		out->p = c->data + (c->offset + i) * c->width;
		out->n = c->width;
		return 1;
	default:
		return 0;
	}
}

int wbk_number_at(const wbk_column *c, int64_t i, uint64_t *out)
{
	if (!wbk_present_at(c, i))
		return 0;
	if (c->kind == WBK_DICT) {
		i = (int64_t)wbk_code_at(c, i);
		c = c->child;
	}
	if (c->kind == WBK_U64)
		*out = ((const uint64_t *)c->values)[c->offset + i];
	else if (c->kind == WBK_BOOL)
		*out = (uint64_t)wbk_bit(c->values, c->offset + i);
	else
		return 0;
	return 1;
}

/* Rows of interest that have a value. */
void wbk_present(const wbk_column *c, int64_t start, int64_t n, const uint64_t *need,
		 uint64_t *out)
{
	int64_t words = wbk_words(n);
	if (c->kind == WBK_NULL) {
		memset(out, 0, (size_t)words * 8);
		return;
	}
	/* `need` and `out` may be the same bitmap. */
	if (!need)
		wbk_ones(out, n);
	else if (need != out)
		memcpy(out, need, (size_t)words * 8);
	for (int64_t k = 0; k < words && c->validity; k++) {
		uint64_t valid;
		wbk_load_bits(c->validity, c->offset + start + k * 64,
			      n - k * 64 < 64 ? n - k * 64 : 64, &valid);
		out[k] &= valid;
	}
	if (c->kind != WBK_DICT && !wbk_is_list(c))
		return;
	for (int64_t k = 0; k < words; k++) {
		uint64_t rest = out[k], kept = 0;
		while (rest) {
			uint64_t low = rest & -rest;
			int64_t i = start + k * 64 + __builtin_ctzll(rest);
			if (wbk_present_at(c, i))
				kept |= low;
			rest ^= low;
		}
		out[k] = kept;
	}
}

static int check_offsets(const wbk_column *c, int64_t limit)
{
	int64_t bad = 0, n = c->length;
	if (c->kind == WBK_BYTES32 || c->kind == WBK_LIST32) {
		const int32_t *o = (const int32_t *)c->values + c->offset;
		for (int64_t i = 0; i < n; i++)
			bad |= o[i] > o[i + 1];
		return bad || (n && (o[0] < 0 || o[n] > limit)) ? -1 : 0;
	}
	const int64_t *o = (const int64_t *)c->values + c->offset;
	for (int64_t i = 0; i < n; i++)
		bad |= o[i] > o[i + 1];
	return bad || (n && (o[0] < 0 || o[n] > limit)) ? -1 : 0;
}

int wbk_column_check(const wbk_column *c)
{
	switch (c->kind) {
	case WBK_BYTES32:
	case WBK_BYTES64:
		return check_offsets(c, c->data_bytes);
	case WBK_FIXED:
		return c->width < 0 || (c->offset + c->length) * c->width > c->data_bytes
			       ? -1
			       : 0;
	case WBK_LIST32:
	case WBK_LIST64:
		if (check_offsets(c, c->child->length))
			return -1;
		return wbk_column_check(c->child);
	case WBK_DICT:
		return wbk_column_check(c->child);
	default:
		return 0;
	}
}

int wbk_column_has_nul(const wbk_column *c)
{
	int64_t a, b, unused;
	if (c->kind == WBK_DICT || wbk_is_list(c))
		return wbk_column_has_nul(c->child);
	if (c->kind == WBK_FIXED)
		return 1;
	if ((c->kind != WBK_BYTES32 && c->kind != WBK_BYTES64) || !c->length)
		return 0;
	wbk_offset_at(c, 0, &a, &unused);
	wbk_offset_at(c, c->length - 1, &unused, &b);
	return b > a && memchr(c->data + a, 0, (size_t)(b - a)) != NULL;
}
