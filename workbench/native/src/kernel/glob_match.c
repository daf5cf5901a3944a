/* Matching a wildcard pattern as the C library does: a star is left at the first place of
   the text where what follows it fits, up to the next star, and that is never undone. */
#define _GNU_SOURCE /* memmem */
#include "glob.h"

/* Steps of comparing that are no matter, whatever the other way costs. */
#define CHEAP_STEPS (1 << 16)
/* Segments that are compared anew at every place, however long the text is. */
#define SHORT_SEGMENT 32
/* Tests set it, so that short patterns go the other way too. */
#ifndef SCAN_ALWAYS
#define SCAN_ALWAYS 0
#endif

/* ---- patterns whose brackets end in several places: token by token ---- */

/* Follow the pattern from t on along the text, to a star, the end of both, or NULL. */
static const token *walk(const wbk_glob *g, const token *t, const uint8_t **p,
			 const uint8_t *end)
{
	while (t && t->kind != STAR) {
		if (t->kind == END)
			return *p == end ? t : NULL;
		if (t->kind == FAIL || *p == end)
			return NULL;
		t = wbk_follow(g, t, *(*p)++);
	}
	return t;
}

/* The first place where the tokens from t on fit: what they lead to, and p behind it.
   Place by place at first; when that has taken longer than a look at all places at once
   would, this is done instead. */
static const token *find_row(const wbk_glob *g, const token *t, const uint8_t **p,
			     const uint8_t *end)
{
	int32_t first = (int32_t)(t - g->tokens);
	int64_t steps = 0, limit = g->n_tokens + CHEAP_STEPS, cost = 0;
	for (const uint8_t *at = *p; at < end; at++) {
		*p = at;
		const token *found = walk(g, t, p, end);
		if (found)
			return found;
		steps += *p - at + 1;
		if (steps > limit && !cost) {
			cost = (end - at) * wbk_row_cost(g, first);
			limit = cost > limit ? cost : limit;
		}
		const uint8_t *next;
		if ((steps <= limit && !SCAN_ALWAYS) ||
		    wbk_scan_row(g, first, at, end, &next))
			continue;
		if (!next)
			return NULL;
		at = next - 1; /* where it fits: the next round's */
	}
	return NULL;
}

static int match_tokens(const wbk_glob *g, const uint8_t *p, const uint8_t *end)
{
	const token *t = walk(g, g->tokens, &p, end);
	while (t && t->kind == STAR) {
		/* Stars and single bytes in any order: so many bytes at least. */
		for (; t->kind == STAR || t->kind == ANY; t++)
			if (t->kind == ANY && p++ == end)
				return 0;
		if (t->kind == END)
			return 1;
		t = find_row(g, t, &p, end);
	}
	return t != NULL;
}

/* ---- all others: segment by segment ---- */

static int segment_at(const wbk_glob *g, const segment *s, const uint8_t *p)
{
	if (s->literal && !g->fold)
		return memcmp(p, g->text + s->first, (size_t)s->count) == 0;
	for (int32_t k = 0; k < s->count; k++)
		if (!wbk_passes(g, &g->run[s->first + k], p[k]))
			return 0;
	return 1;
}

/* Where the segment lies first, or NULL. */
static const uint8_t *find_segment(const wbk_glob *g, const segment *s,
				   const uint8_t *p, const uint8_t *end)
{
	const uint8_t *found;
	int slow = SCAN_ALWAYS || (s->count > SHORT_SEGMENT &&
				   (end - p) * s->count > CHEAP_STEPS);
	if (slow && s->literal && !g->fold)
		return memmem(p, (size_t)(end - p), g->text + s->first,
			      (size_t)s->count);
	/* When memory is short, the slow way. */
	if (slow && !wbk_scan_row(g, s->token, p, end, &found))
		return found;
	for (; end - p >= s->count; p++) {
		if (s->n_plain) {
			const uint8_t *last = end - (s->count - s->plain - s->n_plain);
			p += s->plain;
			p = wbk_find(&s->needle, p, last - p, end);
			if (!p)
				return NULL;
			p -= s->plain;
		}
		if (s->literal || segment_at(g, s, p))
			return p;
	}
	return NULL;
}

int wbk_glob_match(const wbk_glob *g, const uint8_t *p, int64_t n)
{
	const uint8_t *end = p + n;
	if (!g->regular)
		return match_tokens(g, p, end);
	if (g->n_segments < 0 || n < g->fixed)
		return 0;
	const segment *s = g->segments, *last = s + g->n_segments;
	if (s == last)
		return n == 0 || g->open_start;
	if (!g->open_start) {
		if (last - s == 1 && !g->open_end)
			return n == s->count && segment_at(g, s, p);
		if (!segment_at(g, s, p))
			return 0;
		p += s->count;
		s++;
	}
	if (!g->open_end && last > s) {
		last--;
		if (end - p < last->count || !segment_at(g, last, end - last->count))
			return 0;
		end -= last->count;
	}
	for (; s < last; s++) {
		p = find_segment(g, s, p, end);
		if (!p)
			return 0;
		p += s->count;
	}
	return 1;
}
