/* Wildcards as the C library's fnmatch without flags (or with case folding) reads them
   in the C locale. Patterns and texts may both come from events: reading takes time in
   proportion to the pattern. */
#include "glob.h"

/* ---- reading ---- */

/* The bracket at t->place, which has been read. */
static void take_bracket(wbk_glob *g, token *t)
{
	bracket_at at = g->brackets[t->place];
	const bracket_end *found = g->ends + at.first;
	int bytes = 0;
	t->kind = at.count ? SET : FAIL;
	if (!at.count)
		return;
	t->next = found->next;
	t->ends = at.first;
	t->n_ends = (uint8_t)at.count;
	for (int i = 0; i < 4; i++)
		bytes += __builtin_popcountll(found->bytes.bits[i]);
	g->regular &= at.count == 1;
	if (at.count > 1 || bytes > 1 || g->fold)
		return;
	t->kind = BYTE;
	t->n_ends = 0;
	for (int b = 1; b < 256; b++)
		if (byte_in(&found->bytes, (uint8_t)b))
			t->byte = (uint8_t)b;
}

static void read_token(wbk_glob *g, token *t)
{
	uint8_t c = g->pattern[t->place];
	t->next = t->place + 1;
	t->byte = g->fold ? wbk_fold(c) : c;
	t->kind = BYTE;
	if (t->place == g->n) {
		t->kind = END;
	} else if (c == '?') {
		t->kind = ANY;
	} else if (c == '*') {
		t->kind = STAR;
	} else if (c == '[') {
		take_bracket(g, t);
	} else if (c == '\\') {
		if (t->next == g->n) {
			t->kind = FAIL;
			return;
		}
		t->byte = g->pattern[t->next];
		t->byte = g->fold ? wbk_fold(t->byte) : t->byte;
		t->next++;
	}
}

/* Read every place that can be reached, each once: all lead forward. */
static int read_tokens(wbk_glob *g)
{
	uint8_t *reached = calloc((size_t)g->n + 1, 1);
	if (!reached)
		return -1;
	reached[0] = 1;
	for (int32_t place = 0; place <= g->n; place++) {
		if (!reached[place])
			continue;
		token *t = &g->tokens[g->n_tokens++];
		t->place = place;
		read_token(g, t);
		if (t->kind == FAIL || t->kind == END)
			continue;
		reached[t->next] = 1;
		for (int k = 1; k < t->n_ends; k++)
			reached[g->ends[t->ends + k].next] = 1;
	}
	free(reached);
	return 0;
}

/* Brackets end in several places: tokens are looked up by their place. */
static int index_tokens(wbk_glob *g)
{
	g->index = malloc(sizeof *g->index * ((size_t)g->n + 1));
	if (!g->index)
		return -1;
	for (int32_t k = 0; k < g->n_tokens; k++)
		g->index[g->tokens[k].place] = k;
	return 0;
}

/* ---- segments ---- */

/* Room for what the tokens are cut into. */
static int segment_room(wbk_glob *g)
{
	size_t stars = 0;
	for (int32_t k = 0; k < g->n_tokens; k++)
		stars += g->tokens[k].kind == STAR;
	g->run = calloc((size_t)g->n_tokens, sizeof *g->run);
	g->text = calloc((size_t)g->n_tokens, 1);
	g->segments = calloc(stars + 1, sizeof *g->segments);
	return g->run && g->text && g->segments;
}

static void prepare_search(const wbk_glob *g, segment *s)
{
	const token *run = g->run + s->first;
	for (int32_t k = 0, from = 0; k < s->count; k++) {
		if (run[k].kind != BYTE)
			from = k + 1;
		else if (k + 1 - from > s->n_plain) {
			s->plain = from;
			s->n_plain = k + 1 - from;
		}
	}
	wbk_needle_init(&s->needle, g->text + s->first + s->plain, s->n_plain, g->fold);
}

/* Every token leads to the next one: cut their row at the stars. */
static int cut_segments(wbk_glob *g)
{
	int32_t count = 0;
	segment *s = NULL;
	if (!segment_room(g))
		return -1;
	g->open_start = g->tokens[0].kind == STAR;
	for (const token *t = g->tokens; t->kind != END; t++) {
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
			s->token = (int32_t)(t - g->tokens);
			s->literal = 1;
		}
		s->literal &= t->kind == BYTE;
		s->count++;
		g->text[count] = t->byte;
		g->run[count++] = *t;
	}
	g->fixed = count;
	for (int32_t k = 0; k < g->n_segments; k++)
		prepare_search(g, &g->segments[k]);
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
	g->tokens = calloc((size_t)n + 1, sizeof *g->tokens);
	if (!g->pattern || !g->tokens || n > INT32_MAX - 8)
		goto fail;
	if (n)
		memcpy(g->pattern, p, (size_t)n);
	if (wbk_brackets_read(g) || read_tokens(g) ||
	    (g->regular ? cut_segments(g) : index_tokens(g)))
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
	free(g->tokens);
	free(g->ends);
	free(g->brackets);
	free(g->index);
	free(g->run);
	free(g->text);
	free(g->segments);
	free(g);
}
