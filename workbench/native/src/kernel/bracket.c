/* Brackets of wildcards, "[a-z]", as the C library reads them: for one byte at a time, as
   what a bracket means, and where it ends, may depend on the byte. */
#include "glob.h"

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

/* Read "[:name:]" with p at the colon. 1 and the place after it, 0 when this is no
   class at all, -1 when the whole pattern can never match here. */
static int class_name(const uint8_t *p, char name[2049], const uint8_t **after)
{
	int size = 0;
	for (;;) {
		if (size == 2048)
			return -1;
		uint8_t c = *++p;
		if (c == ':' && p[1] == ']') {
			*after = p + 2;
			name[size] = 0;
			return 1;
		}
		if (c < 'a' || c >= 'z')
			return 0;
		name[size++] = (char)c;
	}
}

/* Skip the rest of a bracket after a hit, p at the next character. NULL when nothing can
   match any more, `open` itself when the bracket has no end. */
static const uint8_t *skip_bracket(const uint8_t *p, const uint8_t *open)
{
	char name[2049];
	for (;;) {
		uint8_t c = *p++;
		if (c == 0)
			return open;
		if (c == '\\') {
			if (*p == 0)
				return NULL;
			p++;
			continue;
		}
		if (c == '[' && *p == ':') {
			const uint8_t *after;
			int got = class_name(p, name, &after);
			if (got < 0)
				return NULL;
			if (got)
				p = after;
			continue;
		}
		if (c == '[' && *p == '=') {
			if (!p[1] || p[2] != '=' || p[3] != ']')
				return NULL;
			p += 4;
			continue;
		}
		if (c == '[' && *p == '.') {
			const uint8_t *q = p + 1;
			while (*q && !(*q == '.' && q[1] == ']'))
				q++;
			if (!*q)
				return NULL;
			p = q + 2;
			continue;
		}
		if (c == ']')
			return p;
	}
}

/* One element "[.x.]" with p at the first dot: its byte, or -1 when it is none. */
static int collating(const uint8_t *p, const uint8_t **after)
{
	if (p[1] && p[2] == '.' && p[3] == ']') {
		*after = p + 4;
		return p[1];
	}
	return -1;
}

int32_t wbk_bracket(const wbk_glob *g, int32_t start, uint8_t b)
{
	const uint8_t *base = g->pattern, *p = base + start + 1, *init = p, *after;
	uint8_t fn = g->fold ? wbk_fold(b) : b, c;
	char name[2049];
	int negate = *p == '!' || *p == '^', hit = 0;
	if (negate)
		p++;
	c = *p++;
	for (;;) {
		int first, literal = 0;
		if (c == '\\') {
			if (*p == 0)
				return -1;
			c = *p++;
			literal = 1;
		} else if (c == '[' && *p == ':') {
			int got = class_name(p, name, &after);
			if (got < 0)
				return -1;
			if (got) {
				int in = in_class(name, b);
				if (in < 0)
					return -1;
				p = after;
				if (in) {
					hit = 1;
					break;
				}
				c = *p++;
				goto next;
			}
			literal = 1;
		} else if (c == '[' && *p == '=') {
			if (p[1] && p[2] == '=' && p[3] == ']') {
				uint8_t want = p[1];
				p += 4;
				if (b == want) {
					hit = 1;
					break;
				}
				c = *p++;
				goto next;
			}
			literal = 1;
		} else if (c == 0) {
			return b == '[' ? (int32_t)(init - base) : -1;
		}
		if (!literal && c == '[' && *p == '.') {
			first = collating(p, &after);
			if (first < 0)
				return -1;
			p = after;
			if (!(*p == '-' && p[1] != 0 && p[1] != ']') && first == b) {
				hit = 1;
				break;
			}
			c = *p++;
		} else {
			first = g->fold ? wbk_fold(c) : c;
			if (!(*p == '-' && p[1] != 0 && p[1] != ']') && first == fn) {
				hit = 1;
				break;
			}
			c = *p++;
		}
		if (c == '-' && *p != ']') {
			int last = *p++;
			if (last == '[' && *p == '.') {
				last = collating(p, &after);
				if (last < 0)
					return -1;
				p = after;
			} else {
				if (last == '\\')
					last = *p++;
				if (last == 0)
					return -1;
			}
			if (g->fold)
				last = wbk_fold((uint8_t)last);
			if (first <= fn && fn <= last) {
				hit = 1;
				break;
			}
			c = *p++;
		}
next:
		if (c == ']')
			break;
	}
	if (hit) {
		p = skip_bracket(p, init);
		if (p == init)
			return b == '[' ? (int32_t)(init - base) : -1;
		return p && !negate ? (int32_t)(p - base) : -1;
	}
	return negate ? (int32_t)(p - base) : -1;
}
