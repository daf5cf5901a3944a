/*
 * Random wildcards on random texts: what we say, and what the C library's own fnmatch
 * says. Texts are walks through the pattern, spoilt now and then.
 * All buffers are exact-size heap blocks, so that the address sanitizer sees every byte
 * read outside them.
 */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <stdio.h>

#include "chance.h"
#include "kernel/glob.h"

static const char *const pieces[] = {
	"a", "b", "[", "]", "!", "^", "-", "\\", "?", "*", ":", "=", ".", "Z", "z", "/",
	"\xe9", "[:alpha:]", "[:upper:]", "[:digit:]", "[:foo:]", "[:b:]", "[=a=]",
	"[=]=]", "[.a.]", "[.-.]", "[.].]", "[.ab.]", "[[", "a-c", "[!", "[^", "x-[:b:]",
	"-[.c.]", "a-[.Z.]", "[.A.]-", "\\]", "\\[", "[ab]", "[!a-z]", "[xa-[:alpha:]*]",
	"[]-a]", "[a-", "[:", "[.", "[=", ".]", ":]", "=]", "abc", "aaaaaaaa", "????????",
};

/* At most 4 stars: the C library tries all ways to share a text out among them. */
static char *random_pattern(void)
{
	char made[2048] = "";
	int count = (int)(chance() % (chance() % 8 ? 10 : 90)), stars = 4;
	if (chance() % 4 == 0)
		strcat(made, "[");
	while (count--) {
		const char *piece = pieces[chance() % (sizeof pieces / sizeof *pieces)];
		int has_star = strchr(piece, '*') != NULL;
		if (has_star && !stars)
			continue;
		stars -= has_star;
		strcat(made, piece);
	}
	return strdup(made);
}

static uint8_t some_byte(void)
{
	static const char bytes[] = "ab[]!^-\\:=.Zzx/c*?\xe9";
	return (uint8_t)bytes[chance() % (sizeof bytes - 1)];
}

static uint8_t some_member(const byte_set *s)
{
	int b = (int)(chance() % 256);
	while (!byte_in(s, (uint8_t)b))
		b = (b + 1) % 256;
	return (uint8_t)b;
}

static const token *token_at(const wbk_glob *g, int32_t place)
{
	const token *t = g->tokens;
	while (t->place != place)
		t++;
	return t;
}

/* A text that the pattern, as we read it, leads along. */
static int64_t walk(const wbk_glob *g, uint8_t out[4096])
{
	int64_t n = 0;
	const token *t = g->tokens;
	while (t->kind != END && t->kind != FAIL && n < 4000) {
		int32_t next = t->next;
		if (t->kind == STAR)
			for (int k = (int)(chance() % 4); k; k--)
				out[n++] = some_byte();
		else if (t->kind == SET) {
			const bracket_end *e = &g->ends[t->ends + chance() % t->n_ends];
			out[n++] = some_member(&e->bytes);
			next = e->next;
		} else
			out[n++] = t->kind == ANY ? some_byte() : t->byte;
		t = token_at(g, next);
	}
	return n;
}

static int64_t random_text(const wbk_glob *g, uint8_t out[4096])
{
	int64_t n = walk(g, out);
	if (chance() % 8 == 0) {
		n = (int64_t)(chance() % 8);
		for (int64_t k = 0; k < n; k++)
			out[k] = some_byte();
	}
	for (int k = (int)(chance() % 3); k && n; k--)
		out[chance() % (uint64_t)n] = some_byte();
	if (n && chance() % 8 == 0)
		n--;
	return n;
}

static int64_t one(void)
{
	uint8_t room[4096];
	char *pattern = random_pattern();
	int64_t m = (int64_t)strlen(pattern);
	int fold = (int)(chance() % 2);
	uint8_t *exact = malloc((size_t)m + !m);
	memcpy(exact, pattern, (size_t)m);
	wbk_glob *g = wbk_glob_new(exact, m, fold);
	for (int k = 0; g && k < 4; k++) {
		int64_t n = random_text(g, room);
		char *text = malloc((size_t)n + 1);
		memcpy(text, room, (size_t)n);
		text[n] = 0;
		/* Without a NUL behind it, so that reading further is seen. */
		uint8_t *bytes = malloc((size_t)n + !n);
		memcpy(bytes, text, (size_t)n);
		int ours = wbk_glob_match(g, bytes, n);
		int libc = strlen(text) == (size_t)n
				   ? fnmatch(pattern, text, fold ? FNM_CASEFOLD : 0) == 0
				   : ours;
		if (ours != libc) {
			fprintf(stderr, "glob '%s' on '%s' fold %d: %d, libc %d\n", pattern,
				text, fold, ours, libc);
			abort();
		}
		free(bytes);
		free(text);
	}
	if (!g)
		abort();
	wbk_glob_free(g);
	free(exact);
	free(pattern);
	return 4;
}

int main(int argc, char **argv)
{
	run_cases(argc, argv, one);
	return 0;
}
