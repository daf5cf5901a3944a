/* Members of brackets, "a-z" and "[:digit:]", and what skipping the rest of a bracket
   leads to. */
#include "bracket.h"

static int in_class(const char *name, uint8_t c)
{
	int lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
	int digit = c >= '0' && c <= '9', graph = c > 32 && c < 127;
	if (!strcmp(name, "alpha"))
		return lower || upper;
	if (!strcmp(name, "digit"))
		return digit;
	if (!strcmp(name, "alnum"))
		return lower || upper || digit;
	if (!strcmp(name, "upper"))
		return upper;
	if (!strcmp(name, "lower"))
		return lower;
	if (!strcmp(name, "space"))
		return c == ' ' || (c >= 9 && c <= 13);
	if (!strcmp(name, "blank"))
		return c == ' ' || c == 9;
	if (!strcmp(name, "punct"))
		return graph && !(lower || upper || digit);
	if (!strcmp(name, "print"))
		return graph || c == ' ';
	if (!strcmp(name, "graph"))
		return graph;
	if (!strcmp(name, "cntrl"))
		return c < 32 || c == 127;
	if (!strcmp(name, "xdigit"))
		return digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
	return -1;
}

/* Read ":name:]" at `at`. The place after it, 0 when this is no class at all, NO_MATCH
   when the whole pattern can never match here. */
static int32_t class_name(const bracket_reader *r, int32_t at, char name[2049])
{
	for (int size = 0;; size++) {
		if (size == 2048)
			return NO_MATCH;
		uint8_t c = r->p[++at];
		if (c == ':' && r->p[at + 1] == ']') {
			name[size] = 0;
			return at + 2;
		}
		if (c < 'a' || c >= 'z')
			return 0;
		name[size] = (char)c;
	}
}

/* Read "=x=]" at `at`: the place after it, or 0. */
static int32_t equivalence(const bracket_reader *r, int32_t at)
{
	const uint8_t *p = r->p + at;
	return p[1] && p[2] == '=' && p[3] == ']' ? at + 4 : 0;
}

/* Read ".x.]" at `at`: the place after it, or NO_MATCH. */
static int32_t collating(const bracket_reader *r, int32_t at)
{
	const uint8_t *p = r->p + at;
	return p[1] && p[2] == '.' && p[3] == ']' ? at + 4 : NO_MATCH;
}

/* ---- behind a hit ---- */

/* By place, filled once: the place after the next ".]", or NO_MATCH. */
static int32_t after_dots(const bracket_reader *r, int32_t at)
{
	int32_t *dots = r->dots;
	if (!dots[r->n]) {
		dots[r->n] = NO_MATCH;
		for (int32_t k = r->n - 1; k >= 0; k--)
			dots[k] = r->p[k] == '.' && r->p[k + 1] == ']' ? k + 2 : dots[k + 1];
	}
	return dots[at];
}

/* One step of skipping, `at` not being the end: the place after it, NO_MATCH or
   UNCLOSED. */
static int32_t skip_one(const bracket_reader *r, int32_t at)
{
	char name[2049];
	uint8_t c = r->p[at], next = c ? r->p[at + 1] : 0;
	int32_t after;
	if (c == 0)
		return UNCLOSED;
	if (c == '\\')
		return next ? at + 2 : NO_MATCH;
	if (c == '[' && next == ':') {
		after = class_name(r, at + 1, name);
		return after ? after : at + 1;
	}
	if (c == '[' && next == '=') {
		after = equivalence(r, at + 1);
		return after ? after : NO_MATCH;
	}
	if (c == '[' && next == '.')
		return after_dots(r, at + 2);
	return at + 1;
}

int32_t wbk_skip_bracket(const bracket_reader *r, int32_t from)
{
	int32_t *known = r->skip, at = from, end;
	while (!known[at]) {
		if (r->p[at] == ']') {
			known[at] = at + 1;
			break;
		}
		int32_t after = skip_one(r, at);
		if (after < 0) {
			known[at] = after;
			break;
		}
		at = after;
	}
	end = known[at];
	/* The same for all places on the way. */
	for (at = from; !known[at]; at = skip_one(r, at))
		known[at] = end;
	return end;
}

/* ---- members ---- */

static void put_range(byte_set *s, int first, int last, int fold)
{
	for (int b = first; b <= last; b++)
		byte_put(s, (uint8_t)b);
	if (!fold)
		return;
	/* Capital letters are asked for as small ones. */
	for (int b = 'A'; b <= 'Z'; b++) {
		s->bits[b >> 6] &= ~(1ULL << (b & 63));
		if (byte_in(s, (uint8_t)(b | 0x20)))
			byte_put(s, (uint8_t)b);
	}
}

/* "[:name:]" or "[=x=]" at `at`: 1; 0 when it is none. */
static int read_named(const bracket_reader *r, int32_t at, member *m)
{
	char name[2049];
	if (r->p[at] != '[')
		return 0;
	if (r->p[at + 1] == '=') {
		m->after = m->skip_from = equivalence(r, at + 1);
		if (m->after)
			byte_put(&m->bytes, r->p[at + 2]);
		return m->after != 0;
	}
	if (r->p[at + 1] != ':')
		return 0;
	m->after = m->skip_from = class_name(r, at + 1, name);
	if (m->after > 0 && in_class(name, 0) < 0)
		m->after = NO_MATCH;
	for (int b = 1; m->after > 0 && b < 256; b++)
		if (in_class(name, (uint8_t)b))
			byte_put(&m->bytes, (uint8_t)b);
	return m->after != 0;
}

/* One byte, as it stands, escaped, or as a collating element: which is matched as it is,
   never folded. The place after it, or NO_MATCH. */
static int32_t read_byte(const bracket_reader *r, int32_t at, int *byte, int *collated)
{
	const uint8_t *p = r->p;
	*collated = p[at] == '[' && p[at + 1] == '.';
	if (*collated) {
		*byte = p[at + 2];
		return collating(r, at + 1);
	}
	if (p[at] == '\\')
		at++;
	*byte = r->fold ? wbk_fold(p[at]) : p[at];
	return *byte ? at + 1 : NO_MATCH;
}

void wbk_read_member(const bracket_reader *r, int32_t at, member *m)
{
	int first, last, collated;
	*m = (member){.after = UNCLOSED};
	if (!r->p[at] || read_named(r, at, m))
		return;
	m->after = m->skip_from = read_byte(r, at, &first, &collated);
	if (m->after < 0)
		return;
	const uint8_t *dash = r->p + m->after;
	if (dash[0] != '-' || dash[1] == 0 || dash[1] == ']') {
		/* A collating element before a last dash begins a range without end. */
		if (!collated || dash[0] != '-' || dash[1] == 0)
			put_range(&m->bytes, first, first, r->fold && !collated);
		if (dash[0] == '-' && dash[1] == 0)
			m->after = NO_MATCH;
		return;
	}
	m->after = read_byte(r, m->after + 1, &last, &collated);
	m->skip_from = m->after;
	if (m->after > 0)
		put_range(&m->bytes, first, last, r->fold);
}
