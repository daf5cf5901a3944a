/* Patterns that events may bring along, made to cost: how long reading one and asking it
 * of a text takes. Usage: glob_worst BYTES
 * Prints per pattern: name, milliseconds of CPU time, whether it matched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel/kernel.h"

typedef struct worst {
	const char *name;
	const char *head, *unit, *tail; /* the pattern: the unit again and again */
	const char *text, *end;         /* the text, four times as long, likewise */
	int fold;
} worst;

static const worst cases[] = {
	{"stars", "", "a*", "b", "a", "", 0},
	{"stars, folded", "", "a*", "b", "A", "", 1},
	{"stars that match", "", "a*", "b", "a", "b", 0},
	{"only stars", "", "*", "b", "a", "", 0},
	{"any", "*", "?", "b*", "a", "", 0},
	{"any between stars", "", "?*", "b", "a", "", 0},
	{"literal", "*", "a", "b*", "a", "", 0},
	{"literal with a last byte", "*", "ab", "bb*", "ab", "", 0},
	{"literal, folded", "*", "a", "b*", "A", "", 1},
	{"literal after a start", "*b", "a", "*", "a", "", 0},
	{"sets", "*", "[ab]", "c*", "a", "", 0},
	{"sets between stars", "", "*[ab]", "c", "a", "", 0},
	{"negated sets", "*", "[!b]", "b*", "a", "", 0},
	{"classes", "*", "[[:alpha:]]", "1*", "a", "", 0},
	{"one long set", "*", "a-b", "]", "c", "", 0},
	{"open brackets", "", "[", "", "[", "", 0},
	{"open brackets, closed", "", "[", "]", "[", "", 0},
	{"open brackets, escaped end", "", "[", "\\]", "[", "]", 0},
	{"open sets", "", "[a", "\\]", "[a", "]", 0},
	{"open sets and stars", "", "*[a", "\\]", "[a", "", 0},
	{"open negated sets", "", "[!a", "\\]", "[!a", "]", 0},
	{"open ranges", "", "[a-z", "\\]", "[a-z", "]", 0},
	{"open classes", "", "[:", "\\]", "[:", "]", 0},
	{"open long classes", "", "[[:abcdefghijklmno", "", "[[:abcdefghijklmno", "", 0},
	{"open collating elements", "", "[.", "\\]", "[.", "]", 0},
	{"open collating elements in sets", "", "[a[.", "\\]", "a", "", 0},
	{"open equivalences", "", "[=", "\\]", "[=", "]", 0},
	{"escapes", "", "\\a", "", "a", "", 0},
	{"escapes and stars", "", "*\\a", "b", "a", "", 0},
	{"two ends", "", "[xa-[:b:]", "]", "b]", "", 0},
	{"two ends far apart", "", "[xa-[:b:]\\]", "]", "b]", "", 0},
	{"two ends, stars", "[xa-[:b:]*]", "*?", "b", "b]", "", 0},
	{"two ends, sets", "[xa-[:b:]*]", "*[b\\]]", "c", "b]", "", 0},
	{"two ends, escapes", "[xa-[:b:]*]", "\\\\", "c", "\\", "", 0},
	{"two ends, any", "[ca-[:b:]*]*", "?", "b", "c", "", 0},
	{"two ends, negated sets", "[ca-[:b:]*]*", "[!b]", "b", "c", "", 0},
	{"two ends, literal", "[ca-[:b:]*]*", "c", "b", "c", "", 0},
	{"two ends, stars and sets", "[ca-[:b:]*]*", "*[!b]", "b", "c", "", 0},
	{"two ends, open brackets", "[xa-[:b:]*]", "[a", "\\]", "[a", "", 0},
};

/* head, then units up to `bytes`, then tail; never a part of a unit. */
static uint8_t *repeated(const char *head, const char *unit, const char *tail,
			 int64_t bytes, int64_t *n)
{
	int64_t h = (int64_t)strlen(head), u = (int64_t)strlen(unit),
		t = (int64_t)strlen(tail), count = (bytes - h - t) / u;
	uint8_t *made = malloc((size_t)(h + count * u + t + 1)), *p = made;
	memcpy(p, head, (size_t)h);
	p += h;
	for (int64_t i = 0; i < count; i++, p += u)
		memcpy(p, unit, (size_t)u);
	memcpy(p, tail, (size_t)t);
	*n = p + t - made;
	return made;
}

int main(int argc, char **argv)
{
	int64_t bytes = argc > 1 ? atoll(argv[1]) : 16384, m, n;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const worst *w = &cases[i];
		uint8_t *pattern = repeated(w->head, w->unit, w->tail, bytes, &m);
		uint8_t *text = repeated("", w->text, w->end, bytes * 4, &n);
		clock_t start = clock();
		wbk_glob *g = wbk_glob_new(pattern, m, w->fold);
		if (!g)
			return 1;
		int got = wbk_glob_match(g, text, n);
		wbk_glob_free(g);
		double ms = (double)(clock() - start) * 1000 / CLOCKS_PER_SEC;
		printf("%s\t%.2f\t%d\n", w->name, ms, got);
		fflush(stdout);
		free(pattern);
		free(text);
	}
	return 0;
}
