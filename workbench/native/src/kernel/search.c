/* Substring search: the two rarest bytes of the needle are compared at once over 16 or
   32 places, survivors in full. */
#include "kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* How often a byte is met in paths, names and messages; lower is rarer. */
static int frequency(uint8_t c)
{
	static const char common[] = "etaoinsrlcdhupmgfbywkvxjzq";
	if (c == '/' || c == ' ' || c == '.')
		return 90;
	if (c >= 'a' && c <= 'z')
		return 80 - (int)(strchr(common, c) - common) * 2;
	if (c >= '0' && c <= '9')
		return 60;
	if (c == '-' || c == '_' || c == '"' || c == ':')
		return 50;
	if (c >= 'A' && c <= 'Z')
		return 25;
	return 10;
}

void wbk_needle_init(wbk_needle *x, const uint8_t *p, int64_t n, int fold)
{
	int64_t best[2] = {0, n > 1 ? 1 : 0};
	x->p = p;
	x->n = n;
	x->fold = fold;
	for (int64_t i = 0; i < n; i++) {
		if (frequency(p[i]) < frequency(p[best[0]])) {
			best[1] = best[0];
			best[0] = i;
		} else if (i != best[0] &&
			   (best[1] == best[0] ||
			    frequency(p[i]) < frequency(p[best[1]]))) {
			best[1] = i;
		}
	}
	for (int k = 0; k < 2; k++) {
		uint8_t c = n ? p[best[k]] : 0;
		x->at[k] = best[k];
		x->byte[k] = x->other[k] = c;
		if (fold && wbk_fold(c) >= 'a' && wbk_fold(c) <= 'z') {
			x->byte[k] = wbk_fold(c);
			x->other[k] = wbk_fold(c) & ~0x20;
		}
	}
}

WBK_INLINE int equal(const wbk_needle *x, const uint8_t *p)
{
	if (!x->fold)
		return memcmp(p, x->p, (size_t)x->n) == 0;
	for (int64_t i = 0; i < x->n; i++)
		if (wbk_fold(p[i]) != wbk_fold(x->p[i]))
			return 0;
	return 1;
}

static const uint8_t *find_plain(const wbk_needle *x, const uint8_t *p,
				 const uint8_t *last)
{
	for (; p <= last; p++) {
		uint8_t a = p[x->at[0]], b = p[x->at[1]];
		if ((a == x->byte[0] || a == x->other[0]) &&
		    (b == x->byte[1] || b == x->other[1]) && equal(x, p))
			return p;
	}
	return NULL;
}

#if defined(__x86_64__)
static const uint8_t *find_sse2(const wbk_needle *x, const uint8_t *p,
				const uint8_t *last, const uint8_t *readable)
{
	const __m128i a = _mm_set1_epi8((char)x->byte[0]);
	const __m128i b = _mm_set1_epi8((char)x->byte[1]);
	const __m128i a2 = _mm_set1_epi8((char)x->other[0]);
	const __m128i b2 = _mm_set1_epi8((char)x->other[1]);
	const int64_t far = x->at[0] > x->at[1] ? x->at[0] : x->at[1];
	for (; p <= last && readable - p >= far + 16; p += 16) {
		__m128i u = _mm_loadu_si128((const void *)(p + x->at[0]));
		__m128i v = _mm_loadu_si128((const void *)(p + x->at[1]));
		__m128i hit = _mm_and_si128(
			_mm_or_si128(_mm_cmpeq_epi8(u, a), _mm_cmpeq_epi8(u, a2)),
			_mm_or_si128(_mm_cmpeq_epi8(v, b), _mm_cmpeq_epi8(v, b2)));
		uint32_t mask = (uint32_t)_mm_movemask_epi8(hit);
		while (mask) {
			const uint8_t *at = p + __builtin_ctz(mask);
			if (at > last)
				return NULL;
			if (equal(x, at))
				return at;
			mask &= mask - 1;
		}
	}
	return find_plain(x, p, last);
}

__attribute__((target("avx2"))) static const uint8_t *
find_avx2(const wbk_needle *x, const uint8_t *p, const uint8_t *last,
	  const uint8_t *readable)
{
	const __m256i a = _mm256_set1_epi8((char)x->byte[0]);
	const __m256i b = _mm256_set1_epi8((char)x->byte[1]);
	const __m256i a2 = _mm256_set1_epi8((char)x->other[0]);
	const __m256i b2 = _mm256_set1_epi8((char)x->other[1]);
	const int64_t far = x->at[0] > x->at[1] ? x->at[0] : x->at[1];
	for (; p <= last && readable - p >= far + 32; p += 32) {
		__m256i u = _mm256_loadu_si256((const void *)(p + x->at[0]));
		__m256i v = _mm256_loadu_si256((const void *)(p + x->at[1]));
		__m256i hit = _mm256_and_si256(
			_mm256_or_si256(_mm256_cmpeq_epi8(u, a), _mm256_cmpeq_epi8(u, a2)),
			_mm256_or_si256(_mm256_cmpeq_epi8(v, b),
					_mm256_cmpeq_epi8(v, b2)));
		uint32_t mask = (uint32_t)_mm256_movemask_epi8(hit);
		while (mask) {
			const uint8_t *at = p + __builtin_ctz(mask);
			if (at > last)
				return NULL;
			if (memcmp(at, x->p, (size_t)x->n) == 0 || (x->fold && equal(x, at)))
				return at;
			mask &= mask - 1;
		}
	}
	return find_sse2(x, p, last, readable);
}
#endif

const uint8_t *wbk_find(const wbk_needle *x, const uint8_t *p, int64_t n,
			const uint8_t *readable)
{
	if (x->n == 0)
		return p ? p : (const uint8_t *)"";
	if (n < x->n)
		return NULL;
	const uint8_t *last = p + (n - x->n);
#if defined(__x86_64__)
	static int has_avx2 = -1;
	if (has_avx2 < 0)
		has_avx2 = __builtin_cpu_supports("avx2") != 0;
	/* Short values are mostly shorter than one wide step. */
	if (has_avx2 && n >= 64)
		return find_avx2(x, p, last, readable);
	return find_sse2(x, p, last, readable);
#else
	(void)readable;
	return find_plain(x, p, last);
#endif
}
