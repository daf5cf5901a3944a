/* Wildcards as the C library's fnmatch without flags (or with case folding) reads them
   in the C locale, but in time bounded by value length times pattern length. */
#include "glob.h"

static int read_bracket(wbk_glob *g, int32_t place, token *t)
{
	int32_t next = -1, table[256];
	int same = 1, only = -1, hits = 0;
	/* Without a closing bracket only '[' itself can pass. */
	int open = !memchr(g->pattern + place, ']', (size_t)(g->n - place));
	for (int b = 1; b < 256; b++) {
		table[b] = open && b != '[' ? -1 : wbk_bracket(g, place, (uint8_t)b);
		if (table[b] < 0)
			continue;
		hits++;
		only = b;
		if (next >= 0 && table[b] != next)
			same = 0;
		next = table[b];
	}
	table[0] = -1;
	if (!hits) {
		t->kind = FAIL;
		return 0;
	}
	t->next = next;
	if (hits == 1 && !g->fold) {
		t->kind = BYTE;
		t->byte = (uint8_t)only;
		return 0;
	}
	void *grown = realloc(g->sets, sizeof *g->sets * (size_t)(g->n_sets + 1));
	if (!grown)
		return -1;
	g->sets = grown;
	memcpy(g->sets[g->n_sets], table, sizeof table);
	t->kind = SET;
	t->set = g->n_sets++;
	if (!same)
		g->regular = 0;
	return 0;
}

static int read_token(wbk_glob *g, int32_t place)
{
	token *t = &g->at[place];
	uint8_t c = g->pattern[place];
	t->next = place + 1;
	t->byte = g->fold ? wbk_fold(c) : c;
	t->kind = BYTE;
	if (place == g->n) {
		t->kind = END;
	} else if (c == '?') {
		t->kind = ANY;
	} else if (c == '*') {
		t->kind = STAR;
	} else if (c == '[') {
		return read_bracket(g, place, t);
	} else if (c == '\\') {
		if (place + 1 == g->n) {
			t->kind = FAIL;
			return 0;
		}
		t->byte = g->pattern[place + 1];
		t->byte = g->fold ? wbk_fold(t->byte) : t->byte;
		t->next = place + 2;
	}
	return 0;
}

/* Read every place that can be reached, each once: brackets read this way do not
   overlap, so that the time is bounded by the length of the pattern. */
static int read_places(wbk_glob *g)
{
	int32_t *todo = malloc(sizeof *todo * ((size_t)g->n + 1)), left = 0;
	uint8_t *seen = calloc((size_t)g->n + 1, 1);
	int failed = !todo || !seen;
	if (!failed) {
		todo[left++] = 0;
		seen[0] = 1;
	}
	while (left && !failed) {
		int32_t place = todo[--left];
		failed = read_token(g, place) != 0;
		const token *t = &g->at[place];
		if (failed || t->kind == FAIL || t->kind == END)
			continue;
		for (int b = 255; b >= 0; b--) {
			int32_t next = t->kind == SET ? g->sets[t->set][b] : t->next;
			if (next >= 0 && !seen[next]) {
				seen[next] = 1;
				todo[left++] = next;
			}
			if (t->kind != SET)
				break;
		}
	}
	free(todo);
	free(seen);
	return failed ? -1 : 0;
}

/* Follow the one successor of each place and cut the run at the stars. */
static int cut_segments(wbk_glob *g)
{
	int32_t count = 0;
	segment *s = NULL;
	g->run = calloc((size_t)g->n + 1, sizeof *g->run);
	g->text = calloc((size_t)g->n + 1, 1);
	g->segments = calloc((size_t)g->n + 2, sizeof *g->segments);
	if (!g->run || !g->text || !g->segments)
		return -1;
	g->open_start = g->at[0].kind == STAR;
	g->open_end = g->open_start;
	for (int32_t place = 0; g->at[place].kind != END; place = g->at[place].next) {
		const token *t = &g->at[place];
		g->open_end = t->kind == STAR;
		if (t->kind == FAIL) {
			g->n_segments = -1;
			return 0;
		}
		if (t->kind == STAR) {
			s = NULL;
			continue;
		}
		if (!s) {
			s = &g->segments[g->n_segments++];
			s->first = count;
			s->literal = 1;
		}
		s->literal &= t->kind == BYTE;
		s->count++;
		g->text[count] = t->byte;
		g->run[count++] = *t;
	}
	g->fixed = count;
	for (int32_t k = 0; k < g->n_segments; k++) {
		s = &g->segments[k];
		wbk_needle_init(&s->needle, g->text + s->first, s->count, g->fold);
	}
	return 0;
}

wbk_glob *wbk_glob_new(const uint8_t *p, int64_t n, int fold)
{
	wbk_glob *g = calloc(1, sizeof *g);
	if (!g)
		return NULL;
	g->n = n;
	g->fold = fold;
	g->regular = 1;
	/* The zeros behind the pattern let brackets look ahead. */
	g->pattern = calloc((size_t)n + 8, 1);
	g->at = calloc((size_t)n + 1, sizeof *g->at);
	if (!g->pattern || !g->at || n > INT32_MAX - 8)
		goto fail;
	if (n)
		memcpy(g->pattern, p, (size_t)n);
	if (read_places(g))
		goto fail;
	if (g->regular && cut_segments(g))
		goto fail;
	return g;
fail:
	wbk_glob_free(g);
	return NULL;
}

void wbk_glob_free(wbk_glob *g)
{
	if (!g)
		return;
	free(g->pattern);
	free(g->at);
	free(g->sets);
	free(g->run);
	free(g->text);
	free(g->segments);
	free(g);
}

WBK_INLINE int passes(const wbk_glob *g, const token *t, uint8_t b)
{
	if (t->kind == BYTE)
		return t->byte == (g->fold ? wbk_fold(b) : b);
	return t->kind == ANY || g->sets[t->set][b] >= 0;
}

static int segment_at(const wbk_glob *g, const segment *s, const uint8_t *p)
{
	if (s->literal && !g->fold)
		return memcmp(p, g->text + s->first, (size_t)s->count) == 0;
	for (int32_t k = 0; k < s->count; k++)
		if (!passes(g, &g->run[s->first + k], p[k]))
			return 0;
	return 1;
}

/* All places of the pattern at once, for patterns whose brackets end in several
   places. Memory is short: no match. */
static int match_places(const wbk_glob *g, const uint8_t *p, int64_t n)
{
	int64_t m = g->n;
	uint8_t *now = calloc((size_t)(m + 1) * 2, 1), *then = now + m + 1;
	if (!now)
		return 0;
	uint8_t *memory = now;
	now[0] = 1;
	for (int64_t i = 0;; i++) {
		for (int64_t k = 0; k < m; k++)
			if (now[k] && g->at[k].kind == STAR)
				now[g->at[k].next] = 1;
		if (i == n)
			break;
		memset(then, 0, (size_t)m + 1);
		for (int64_t k = 0; k < m; k++) {
			const token *t = &g->at[k];
			if (!now[k] || t->kind == FAIL)
				continue;
			if (t->kind == STAR)
				then[k] = 1;
			else if (t->kind == SET && g->sets[t->set][p[i]] >= 0)
				then[g->sets[t->set][p[i]]] = 1;
			else if (t->kind != SET && passes(g, t, p[i]))
				then[t->next] = 1;
		}
		uint8_t *swap = now;
		now = then;
		then = swap;
	}
	int found = now[m];
	free(memory);
	return found;
}

int wbk_glob_match(const wbk_glob *g, const uint8_t *p, int64_t n)
{
	if (!g->regular)
		return match_places(g, p, n);
	if (g->n_segments < 0 || n < g->fixed)
		return 0;
	int32_t first = 0, last = g->n_segments;
	const uint8_t *end = p + n;
	if (last == 0)
		return n == 0 || g->open_start;
	if (!g->open_start) {
		const segment *s = &g->segments[0];
		if (last == 1 && !g->open_end)
			return n == s->count && segment_at(g, s, p);
		if (!segment_at(g, s, p))
			return 0;
		p += s->count;
		first++;
	}
	if (!g->open_end && last > first) {
		const segment *s = &g->segments[--last];
		if (end - p < s->count || !segment_at(g, s, end - s->count))
			return 0;
		end -= s->count;
	}
	for (; first < last; first++) {
		const segment *s = &g->segments[first];
		if (s->literal) {
			p = wbk_find(&s->needle, p, end - p, end);
			if (!p)
				return 0;
		} else {
			while (end - p >= s->count && !segment_at(g, s, p))
				p++;
			if (end - p < s->count)
				return 0;
		}
		p += s->count;
	}
	return 1;
}
