/* Brackets of a wildcard pattern as the files that read them share them. */
#ifndef WB_KERNEL_BRACKET_H
#define WB_KERNEL_BRACKET_H

#include "glob.h"

/* Instead of a place. */
enum { NO_MATCH = -1, UNCLOSED = -2 };

typedef struct bracket_reader {
	const uint8_t *p;
	int32_t n;
	int fold;
	int32_t *skip;  /* by place: what skipping from there leads to; 0 is not known */
	int32_t *dots;  /* by place: the place after the next ".]"; filled on demand */
	int32_t *known; /* by place of a member: number of the rest from there on, or -1 */
	struct rest *rests;
	int32_t n_rests, rests_room;
	int32_t *marks; /* places on the way, while reading */
} bracket_reader;

/* A member of a bracket: the bytes it has, where the rest of the bracket lies for these,
   and where the next member lies for others. */
typedef struct member {
	byte_set bytes;
	int32_t skip_from;
	int32_t after; /* or NO_MATCH, UNCLOSED */
} member;

/* bracket_member.c: read the member at `at`, which may be the bracket's first ']'. */
void wbk_read_member(const bracket_reader *r, int32_t at, member *m);
/* Behind a hit: the place after the bracket, NO_MATCH or UNCLOSED. */
int32_t wbk_skip_bracket(const bracket_reader *r, int32_t from);

#endif
