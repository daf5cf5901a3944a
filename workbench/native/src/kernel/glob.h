/* A wildcard pattern as the files that read and match it share it. */
#ifndef WB_KERNEL_GLOB_H
#define WB_KERNEL_GLOB_H

#include "kernel.h"

/* Bytes, one bit each. */
typedef struct byte_set {
	uint64_t bits[4];
} byte_set;

/* Bytes that pass a bracket, and the place of the pattern after it. */
typedef struct bracket_end {
	byte_set bytes;
	int32_t next;
} bracket_end;

/* Where a bracket may end: that depends on the byte that is asked for. */
#define WBK_BRACKET_ENDS 4

/* A bracket's ends among those of the pattern; none: nothing passes. */
typedef struct bracket_at {
	int32_t first, count;
} bracket_at;

enum { BYTE, ANY, SET, STAR, FAIL, END };

/* What stands at one place of the pattern. */
typedef struct token {
	uint8_t kind;
	uint8_t byte;
	uint8_t n_ends; /* SET */
	int32_t next;   /* the place after it; SET: of its first end */
	int32_t place;
	int32_t ends; /* SET: its first */
} token;

/* One run of tokens between stars. */
typedef struct segment {
	int32_t first; /* in run */
	int32_t token; /* in tokens */
	int32_t count;
	int literal;
	int32_t plain, n_plain; /* its longest row of plain bytes, looked for first */
	wbk_needle needle;
} segment;

struct wbk_glob {
	uint8_t *pattern; /* NUL-terminated copy, folded literals are in tokens */
	int64_t n;
	int fold;
	int regular; /* every token has one successor: segments may be used */
	token *tokens; /* of all places that can be reached, in order */
	int32_t n_tokens;
	bracket_end *ends;
	int32_t n_ends, ends_room;
	bracket_at *brackets; /* by place of a '['; NULL when there is none */
	int32_t *index; /* not regular: of the token at a place of the pattern */
	/* regular: the tokens without stars, cut at these */
	token *run;
	uint8_t *text;
	segment *segments;
	int32_t n_segments; /* -1: no text matches */
	int64_t fixed;      /* bytes that all tokens together consume */
	int open_start, open_end;
};

static inline int byte_in(const byte_set *s, uint8_t b)
{
	return (int)(s->bits[b >> 6] >> (b & 63) & 1);
}

static inline void byte_put(byte_set *s, uint8_t b)
{
	s->bits[b >> 6] |= 1ULL << (b & 63);
}

WBK_INLINE int wbk_passes(const wbk_glob *g, const token *t, uint8_t b)
{
	if (t->kind == BYTE)
		return t->byte == (g->fold ? wbk_fold(b) : b);
	return t->kind == ANY || byte_in(&g->ends[t->ends].bytes, b);
}

/* Not regular: the token after t when byte b passes it, or NULL. */
static inline const token *wbk_follow(const wbk_glob *g, const token *t, uint8_t b)
{
	if (t->kind != SET)
		return wbk_passes(g, t, b) ? &g->tokens[g->index[t->next]] : NULL;
	for (int k = 0; k < t->n_ends; k++) {
		const bracket_end *e = &g->ends[t->ends + k];
		if (byte_in(&e->bytes, b))
			return &g->tokens[g->index[e->next]];
	}
	return NULL;
}

/* bracket.c: read all brackets of the pattern. -1 when memory is short. An unclosed bracket
   is the plain character '['. */
int wbk_brackets_read(wbk_glob *g);

/* glob_scan.c: about how many steps a byte of the text costs wbk_scan_row. */
int64_t wbk_row_cost(const wbk_glob *g, int32_t first);
/* The first place of the text where the tokens from `first` on fit, up to a
   star or the end of both, or NULL. 0, or -1 when memory is short. */
int wbk_scan_row(const wbk_glob *g, int32_t first, const uint8_t *p, const uint8_t *end,
		 const uint8_t **found);

#endif
