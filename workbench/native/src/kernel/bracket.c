/* Brackets of wildcards, "[a-z]", as the C library reads them. What a bracket means, and
   where it ends, may depend on the byte that is asked for: members are tried from left to
   right, and behind the first that has the byte the rest is only skipped, by rules of its
   own. A bracket that finds no end is a plain '[', and the next one may begin right
   behind it. Patterns come from events too, so nothing is read twice: what skipping from
   a place leads to is kept, and brackets are read from right to left. */
#include "bracket.h"

static int is_empty(const byte_set *s)
{
	return !(s->bits[0] | s->bits[1] | s->bits[2] | s->bits[3]);
}

/* Add those of `more` that `but` has not. */
static void join(byte_set *s, const byte_set *more, const byte_set *but)
{
	for (int i = 0; i < 4; i++)
		s->bits[i] |= more->bits[i] & ~(but ? but->bits[i] : 0);
}

enum { UNDECIDED, PLAIN, NOT_PLAIN };

/* What a bracket comes to from one of its members on. */
typedef struct rest {
	bracket_end ends[WBK_BRACKET_ENDS]; /* by the first member that has the byte */
	int32_t n_ends;
	int32_t close;    /* the place after it for bytes that no member has */
	byte_set members; /* bytes that some member has */
	uint8_t plain;    /* whether '[' meets no end, and stands for itself */
} rest;

static int add_end(rest *r, const byte_set *bytes, const byte_set *but, int32_t next)
{
	bracket_end added = {.next = next};
	int32_t k = 0;
	join(&added.bytes, bytes, but);
	if (is_empty(&added.bytes))
		return 0;
	while (k < r->n_ends && r->ends[k].next != next)
		k++;
	if (k == WBK_BRACKET_ENDS)
		return -1;
	if (k == r->n_ends)
		r->ends[r->n_ends++] = (bracket_end){.next = next};
	join(&r->ends[k].bytes, &added.bytes, NULL);
	return 0;
}

static int append_member(const bracket_reader *r, rest *to, const member *m)
{
	int failed = 0;
	int32_t end = is_empty(&m->bytes) ? NO_MATCH : wbk_skip_bracket(r, m->skip_from);
	if (end > 0)
		failed = add_end(to, &m->bytes, &to->members, end);
	if (!to->plain && byte_in(&m->bytes, '['))
		to->plain = end == UNCLOSED ? PLAIN : NOT_PLAIN;
	join(&to->members, &m->bytes, NULL);
	return failed;
}

static int append_rest(rest *to, const rest *more)
{
	int failed = 0;
	for (int32_t k = 0; k < more->n_ends; k++)
		failed |= add_end(to, &more->ends[k].bytes, &to->members,
				  more->ends[k].next);
	to->close = more->close;
	to->plain = to->plain ? to->plain : more->plain;
	join(&to->members, &more->members, NULL);
	return failed;
}

/* Read on from a member, up to one from which the rest is known. */
static int read_rest(const bracket_reader *r, int32_t at, rest *out)
{
	member m;
	*out = (rest){.close = NO_MATCH};
	for (;;) {
		if (r->known[at] >= 0)
			return append_rest(out, &r->rests[r->known[at]]);
		wbk_read_member(r, at, &m);
		if (append_member(r, out, &m))
			return -1;
		at = m.after;
		if (at < 0 || r->p[at] == ']')
			break;
	}
	if (at > 0)
		out->close = at + 1;
	if (!out->plain)
		out->plain = at == UNCLOSED ? PLAIN : NOT_PLAIN;
	return 0;
}

static int keep_rest(bracket_reader *r, int32_t at)
{
	if (r->n_rests == r->rests_room) {
		int32_t room = r->rests_room * 2 + 16;
		void *grown = realloc(r->rests, sizeof *r->rests * (size_t)room);
		if (!grown)
			return -1;
		r->rests = grown;
		r->rests_room = room;
	}
	if (read_rest(r, at, &r->rests[r->n_rests]))
		return -1;
	r->known[at] = r->n_rests++;
	return 0;
}

/* Members apart from one that is kept. */
#define STRIDE 32

/* Know the rest from a member on. Others come by the same members: the first one of every
   so many places is kept, from the last to the first, so that no way is gone often. */
static int know_rest(bracket_reader *r, int32_t from)
{
	int32_t marked = 0, block = -1, at = from;
	member m;
	while (at >= 0 && r->known[at] < 0) {
		if (at / STRIDE != block) {
			block = at / STRIDE;
			r->marks[marked++] = at;
		}
		wbk_read_member(r, at, &m);
		at = m.after >= 0 && r->p[m.after] == ']' ? -1 : m.after;
	}
	while (marked)
		if (keep_rest(r, r->marks[--marked]))
			return -1;
	return 0;
}

/* The ends of the bracket at `place`, after those found so far. */
static int put_ends(wbk_glob *g, int32_t place, int negate, const rest *r)
{
	static const byte_set bracket = {{0, 1ULL << ('[' - 64), 0, 0}};
	static const byte_set all = {{~1ULL, ~0ULL, ~0ULL, ~0ULL}};
	rest made = {0};
	int failed = 0;
	if (!negate)
		failed = append_rest(&made, r);
	else if (r->close > 0)
		failed = add_end(&made, &all, &r->members, r->close);
	if (r->plain == PLAIN)
		failed |= add_end(&made, &bracket, NULL, place + 1);
	if (failed || g->n_ends + made.n_ends > g->ends_room) {
		int32_t room = g->ends_room * 2 + WBK_BRACKET_ENDS;
		void *grown = failed ? NULL : realloc(g->ends, sizeof *g->ends * (size_t)room);
		if (!grown)
			return -1;
		g->ends = grown;
		g->ends_room = room;
	}
	g->brackets[place] = (bracket_at){g->n_ends, made.n_ends};
	for (int32_t k = 0; k < made.n_ends; k++)
		g->ends[g->n_ends++] = made.ends[k];
	return 0;
}

static int read_all(bracket_reader *r, wbk_glob *g)
{
	for (int32_t place = r->n - 1; place >= 0; place--) {
		int negate = r->p[place + 1] == '!' || r->p[place + 1] == '^';
		int32_t first = place + 1 + negate;
		if (r->p[place] != '[')
			continue;
		if (know_rest(r, first) ||
		    put_ends(g, place, negate, &r->rests[r->known[first]]))
			return -1;
	}
	return 0;
}

int wbk_brackets_read(wbk_glob *g)
{
	size_t places = (size_t)g->n + 2;
	bracket_reader r = {.p = g->pattern, .n = (int32_t)g->n, .fold = g->fold};
	if (!g->n || !memchr(g->pattern, '[', (size_t)g->n))
		return 0;
	g->brackets = calloc(places, sizeof *g->brackets);
	r.skip = calloc(places, sizeof *r.skip);
	r.dots = calloc(places, sizeof *r.dots);
	r.known = malloc(places * sizeof *r.known);
	r.marks = malloc((places / STRIDE + 1) * sizeof *r.marks);
	int failed = !g->brackets || !r.skip || !r.dots || !r.known || !r.marks;
	if (!failed) {
		memset(r.known, 0xff, places * sizeof *r.known);
		failed = read_all(&r, g);
	}
	free(r.skip);
	free(r.dots);
	free(r.known);
	free(r.marks);
	free(r.rests);
	return failed ? -1 : 0;
}
