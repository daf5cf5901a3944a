#define _GNU_SOURCE /* memrchr */
/* Transformers of one text: ASCII case, basename, base64. */
#include "kernel.h"

int wbk_reserve(wbk_scratch *s, int64_t size)
{
	if (size <= s->size)
		return 0;
	int64_t bigger = size * 2 + 64;
	uint8_t *p = realloc(s->p, (size_t)bigger);
	if (!p)
		return -1;
	s->p = p;
	s->size = bigger;
	return 0;
}

static int b64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Padding is optional, at most two trailing '=' are dropped; one character left over
   or spare bits that are not zero are errors, and so is padding alone. Bytes written, or
   -1. */
static int64_t b64_decode(const uint8_t *p, int64_t n, uint8_t *out)
{
	uint32_t bits = 0;
	int64_t size = 0, have = 0, whole = n;
	for (int k = 0; k < 2 && n && p[n - 1] == '='; k++)
		n--;
	if (n % 4 == 1 || (whole && !n))
		return -1;
	for (int64_t i = 0; i < n; i++) {
		int value = b64_value(p[i]);
		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[size++] = (uint8_t)(bits >> have);
			bits &= (1u << have) - 1;
		}
	}
	return bits ? -1 : size;
}

static void basename_of(wbk_text *t)
{
	const uint8_t *slash = t->n ? memrchr(t->p, '/', (size_t)t->n) : NULL;
	if (slash) {
		t->n -= slash + 1 - t->p;
		t->p = slash + 1;
	}
}

/* Make the text lie in the scratch buffer, with room for one byte more. */
static int own(wbk_text *t, wbk_scratch *s, int *owned)
{
	if (*owned)
		return 0;
	if (wbk_reserve(s, t->n + 1))
		return -1;
	if (t->n)
		memcpy(s->p, t->p, (size_t)t->n);
	t->p = s->p;
	*owned = 1;
	return 0;
}

static void change_case(uint8_t step, uint8_t *p, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		p[i] = step == WBK_LOWER ? wbk_fold(p[i])
		       : p[i] >= 'a' && p[i] <= 'z' ? p[i] & ~0x20
						    : p[i];
}

int wbk_steps(const uint8_t *steps, int32_t flags, wbk_text *t, wbk_scratch *s)
{
	int owned = 0; /* the text lies in the scratch buffer */
	if (!*steps)
		return 1;
	for (; *steps; steps++) {
		wbk_view(WBK_TRIM, t);
		if (*steps == WBK_BASENAME) {
			basename_of(t);
			continue;
		}
		if (own(t, s, &owned))
			return -1;
		uint8_t *p = s->p + (t->p - s->p);
		if (*steps != WBK_B64) {
			change_case(*steps, p, t->n);
			continue;
		}
		int64_t size = b64_decode(p, t->n, p);
		if (size < 0)
			return 0;
		t->n = size;
	}
	if ((flags & (WBK_CUT | WBK_TRIM)) || (t->n && t->p[t->n - 1] == 0))
		return 1;
	if (own(t, s, &owned))
		return -1;
	s->p[t->p - s->p + t->n++] = 0;
	return 1;
}

int64_t wbk_texts(const wbk_column *c, const uint8_t *steps, int32_t flags,
		  int64_t start, int64_t n, const uint64_t *need, int64_t *ends,
		  uint8_t *absent, uint8_t **data)
{
	wbk_scratch all = {0}, one = {0};
	int64_t count = 0, size = 0;
	for (int64_t k = 0; k < wbk_words(n); k++) {
		for (uint64_t rest = need[k]; rest; rest &= rest - 1) {
			wbk_text t = {NULL, 0};
			int got = wbk_text_at(c, start + k * 64 + __builtin_ctzll(rest), &t);
			if (got)
				got = wbk_steps(steps, flags, &t, &one);
			if (got < 0)
				goto fail;
			if (got) {
				wbk_view(flags, &t);
				if (wbk_reserve(&all, size + t.n))
					goto fail;
				if (t.n)
					memcpy(all.p + size, t.p, (size_t)t.n);
				size += t.n;
			}
			absent[count] = !got;
			ends[count++] = size;
		}
	}
	free(one.p);
	*data = all.p;
	return count;
fail:
	free(one.p);
	free(all.p);
	return -1;
}

void wbk_free(void *memory)
{
	free(memory);
}
