/* Looking for the first place of a long text where a long row of tokens fits: all places
   at once, a bit per token, from the end of the text to its start. A byte of the text
   costs a shift and a mask per 64 tokens, and a look at each that may lead elsewhere. */
#include "glob.h"

typedef struct scan {
	const wbk_glob *g;
	int32_t first, count; /* the row: tokens up to the next stars */
	int64_t words;
	uint64_t *pass; /* by byte: tokens that it takes to the next one */
	uint64_t *any;  /* tokens that every byte takes to the next one */
	uint64_t *ends; /* tokens at which the row is done */
	uint64_t *good; /* tokens from which the row fits here */
	int32_t *jumps; /* tokens that may lead elsewhere */
	int32_t n_jumps;
} scan;

static void set_bit(uint64_t *bits, int32_t k)
{
	bits[k >> 6] |= 1ULL << (k & 63);
}

static int32_t index_of(const wbk_glob *g, const token *t, int32_t place)
{
	return g->index ? g->index[place] : (int32_t)(t - g->tokens) + 1;
}

/* How many tokens from the first on can be reached without passing a star. */
static int32_t row_length(const wbk_glob *g, int32_t first)
{
	int32_t last = first;
	for (int32_t k = first; k <= last; k++) {
		const token *t = &g->tokens[k];
		if (t->kind == STAR || t->kind == FAIL || t->kind == END)
			continue;
		int32_t next = index_of(g, t, t->next);
		last = next > last ? next : last;
		for (int i = 1; i < t->n_ends; i++) {
			next = index_of(g, t, g->ends[t->ends + i].next);
			last = next > last ? next : last;
		}
	}
	return last - first + 1;
}

static int may_jump(const wbk_glob *g, const token *t)
{
	return t->n_ends > 1 ||
	       (t->kind != STAR && t->kind != FAIL && t->kind != END &&
		index_of(g, t, t->next) != (int32_t)(t - g->tokens) + 1);
}

int64_t wbk_row_cost(const wbk_glob *g, int32_t first)
{
	int32_t count = row_length(g, first);
	int64_t jumps = 0;
	for (int32_t k = 0; k < count; k++)
		jumps += may_jump(g, &g->tokens[first + k]);
	return count / 64 + 1 + jumps;
}

static void add_token(scan *s, int32_t k)
{
	const wbk_glob *g = s->g;
	const token *t = &g->tokens[s->first + k];
	if (t->kind == STAR)
		set_bit(s->ends, k);
	if (t->kind == STAR || t->kind == FAIL || t->kind == END)
		return;
	if (may_jump(g, t)) {
		s->jumps[s->n_jumps++] = k;
	} else if (t->kind == ANY) {
		set_bit(s->any, k);
	} else if (t->kind == BYTE) {
		set_bit(s->pass + t->byte * s->words, k);
		if (g->fold && t->byte >= 'a' && t->byte <= 'z')
			set_bit(s->pass + (t->byte ^ 0x20) * s->words, k);
	} else {
		for (int b = 0; b < 256; b++)
			if (byte_in(&g->ends[t->ends].bytes, (uint8_t)b))
				set_bit(s->pass + b * s->words, k);
	}
}

static int prepare(scan *s)
{
	s->count = row_length(s->g, s->first);
	s->words = s->count / 64 + 1;
	s->pass = calloc(259 * (size_t)s->words, sizeof *s->pass);
	s->jumps = malloc((size_t)s->count * sizeof *s->jumps);
	if (!s->pass || !s->jumps)
		return -1;
	s->any = s->pass + 256 * s->words;
	s->ends = s->any + s->words;
	s->good = s->ends + s->words;
	for (int32_t k = 0; k < s->count; k++)
		add_token(s, k);
	return 0;
}

/* One byte further to the left. */
static void step(scan *s, uint8_t b)
{
	const uint64_t *pass = s->pass + b * s->words;
	uint64_t *good = s->good;
	const token *row = s->g->tokens + s->first;
	/* Those that jump look at what is right of the byte, before it changes. */
	int32_t hits = 0;
	for (int32_t i = 0; i < s->n_jumps; i++) {
		const token *to = wbk_follow(s->g, row + s->jumps[i], b);
		int32_t k = to ? (int32_t)(to - row) : -1;
		if (k >= 0 && good[k >> 6] >> (k & 63) & 1) {
			/* Keep the tokens that hit at the front. */
			int32_t swap = s->jumps[hits];
			s->jumps[hits++] = s->jumps[i];
			s->jumps[i] = swap;
		}
	}
	for (int64_t w = 0; w < s->words; w++) {
		uint64_t right = w + 1 < s->words ? good[w + 1] << 63 : 0;
		good[w] = s->ends[w] | ((good[w] >> 1 | right) & (pass[w] | s->any[w]));
	}
	while (hits)
		set_bit(good, s->jumps[--hits]);
}

int wbk_scan_row(const wbk_glob *g, int32_t first, const uint8_t *p, const uint8_t *end,
		 const uint8_t **found)
{
	scan s = {.g = g, .first = first};
	int failed = prepare(&s);
	*found = NULL;
	if (!failed) {
		memcpy(s.good, s.ends, (size_t)s.words * sizeof *s.good);
		if (g->tokens[first + s.count - 1].kind == END)
			set_bit(s.good, s.count - 1);
		for (const uint8_t *at = end; at > p;) {
			step(&s, *--at);
			if (s.good[0] & 1)
				*found = at;
		}
	}
	free(s.pass);
	free(s.jumps);
	return failed;
}
