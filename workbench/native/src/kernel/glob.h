/* A wildcard pattern as the files that read and match it share it. */
#ifndef WB_KERNEL_GLOB_H
#define WB_KERNEL_GLOB_H

#include "kernel.h"

enum { BYTE, ANY, SET, STAR, FAIL, END };

/* What stands at one place of the pattern; `next` is the place after it. */
typedef struct token {
	uint8_t kind;
	uint8_t byte;
	int32_t next;
	int32_t set;
} token;

/* One run of tokens between stars. */
typedef struct segment {
	int32_t first;
	int32_t count;
	int literal;
	wbk_needle needle;
} segment;

struct wbk_glob {
	uint8_t *pattern; /* NUL-terminated copy, folded literals are in tokens */
	int64_t n;
	int fold;
	int regular; /* every place has one successor: segments may be used */
	token *at;   /* by place in the pattern, n + 1 of them */
	int32_t (*sets)[256];
	int32_t n_sets;
	token *run; /* regular: tokens in order, stars left out */
	uint8_t *text;
	segment *segments;
	int32_t n_segments;
	int64_t fixed; /* bytes that all tokens together consume */
	int open_start, open_end;
};

/* The place after the bracket that starts at `start` when byte `b` passes it, -1 when
   not. An unclosed bracket is the plain character '['. */
int32_t wbk_bracket(const wbk_glob *g, int32_t start, uint8_t b);

#endif
