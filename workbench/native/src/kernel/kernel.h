/* What the files of the kernel share. */
#ifndef WB_KERNEL_H
#define WB_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../kernel_api.h"

#define WBK_MAX_STEPS 16
#define WBK_INLINE static inline __attribute__((always_inline))

typedef struct wbk_text {
	const uint8_t *p;
	int64_t n;
} wbk_text;

/* A growing buffer for transformed text. */
typedef struct wbk_scratch {
	uint8_t *p;
	int64_t size;
} wbk_scratch;

typedef struct wbk_glob wbk_glob;
typedef struct wbk_paths wbk_paths;
typedef struct wbk_set wbk_set;

/* A literal prepared for search: its two rarest bytes are looked for together. */
typedef struct wbk_needle {
	const uint8_t *p;
	int64_t n;
	int64_t at[2];
	uint8_t byte[2];
	uint8_t other[2]; /* the same byte, or its other case */
	int fold;
} wbk_needle;

struct wbk_leaf {
	int32_t op;
	int32_t flags;
	uint8_t steps[2][WBK_MAX_STEPS + 1];
	uint8_t *blob;
	wbk_text *items;
	int64_t n_items;
	uint64_t *numbers; /* sorted, without duplicates */
	int64_t n_numbers;
	wbk_glob *glob;
	wbk_paths *paths;
	wbk_set *set;
	wbk_needle needle;
};

static inline int64_t wbk_words(int64_t n)
{
	return (n + 63) >> 6;
}

/* Without the machine's own instruction, which not every machine has. */
static inline int64_t wbk_ones_in(uint64_t word)
{
#ifdef __POPCNT__
	return __builtin_popcountll(word);
#else
	word -= word >> 1 & 0x5555555555555555u;
	word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (int64_t)(word * 0x0101010101010101u >> 56);
#endif
}

static inline int wbk_bit(const uint8_t *bits, int64_t i)
{
	return (bits[i >> 3] >> (i & 7)) & 1;
}

static inline int wbk_compare_numbers(int32_t op, uint64_t a, uint64_t b)
{
	switch (op) {
	case WBK_EQ:
	case WBK_IN:
		return a == b;
	case WBK_LT:
		return a < b;
	case WBK_LE:
		return a <= b;
	case WBK_GT:
		return a > b;
	case WBK_GE:
		return a >= b;
	default:
		return 0;
	}
}

static inline uint8_t wbk_fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* The part of a text before its first NUL byte. */
static inline int64_t wbk_cut(const uint8_t *p, int64_t n)
{
	const uint8_t *end = n ? memchr(p, 0, (size_t)n) : NULL;
	return end ? end - p : n;
}

static inline int wbk_offset_at(const wbk_column *c, int64_t i, int64_t *a, int64_t *b)
{
	i += c->offset;
	if (c->kind == WBK_BYTES32 || c->kind == WBK_LIST32) {
		*a = ((const int32_t *)c->values)[i];
		*b = ((const int32_t *)c->values)[i + 1];
	} else {
		*a = ((const int64_t *)c->values)[i];
		*b = ((const int64_t *)c->values)[i + 1];
	}
	return *b > *a;
}

static inline int wbk_is_list(const wbk_column *c)
{
	return c->kind == WBK_LIST32 || c->kind == WBK_LIST64;
}

static inline int wbk_is_number(const wbk_column *c)
{
	if (c->kind == WBK_DICT)
		c = c->child;
	return c->kind == WBK_U64 || c->kind == WBK_BOOL;
}

static inline uint64_t wbk_code_at(const wbk_column *c, int64_t i)
{
	i += c->offset;
	switch (c->width) {
	case 1:
		return ((const uint8_t *)c->values)[i];
	case 2:
		return ((const uint16_t *)c->values)[i];
	case 4:
		return ((const uint32_t *)c->values)[i];
	default:
		return ((const uint64_t *)c->values)[i];
	}
}

/* bits.c */
int wbk_any(const uint64_t *bits, int64_t words);
void wbk_ones(uint64_t *bits, int64_t n);

/* column.c */
int wbk_text_at(const wbk_column *c, int64_t i, wbk_text *out);
int wbk_present_at(const wbk_column *c, int64_t i);
int wbk_number_at(const wbk_column *c, int64_t i, uint64_t *out);
void wbk_present(const wbk_column *c, int64_t start, int64_t n, const uint64_t *need,
		 uint64_t *out);

/* transform.c: 1, 0 when the value becomes absent, -1 when memory is short */
int wbk_steps(const uint8_t *steps, int32_t flags, wbk_text *text,
	      wbk_scratch *scratch);
int wbk_reserve(wbk_scratch *scratch, int64_t size);

/* search.c */
void wbk_needle_init(wbk_needle *needle, const uint8_t *p, int64_t n, int fold);
/* First place in [p, p + n) or NULL; bytes up to `readable` may be looked at. */
const uint8_t *wbk_find(const wbk_needle *needle, const uint8_t *p, int64_t n,
			const uint8_t *readable);

/* glob.c */
wbk_glob *wbk_glob_new(const uint8_t *p, int64_t n, int fold);
void wbk_glob_free(wbk_glob *glob);
int wbk_glob_match(const wbk_glob *glob, const uint8_t *p, int64_t n);

/* paths.c */
wbk_paths *wbk_paths_new(const wbk_text *items, int64_t n);
void wbk_paths_free(wbk_paths *paths);
int wbk_paths_match(const wbk_paths *paths, const uint8_t *p, int64_t n);

/* set.c */
wbk_set *wbk_set_new(const wbk_text *items, int64_t n);
void wbk_set_free(wbk_set *set);
int wbk_set_has(const wbk_set *set, const uint8_t *p, int64_t n);
uint64_t wbk_hash(const uint8_t *p, int64_t n, uint64_t key);

/* match.c */
int wbk_match_text(const wbk_leaf *leaf, const uint8_t *p, int64_t n,
		   const uint8_t *readable);
int wbk_match_number(const wbk_leaf *leaf, uint64_t value);
int wbk_scan_text(const wbk_leaf *leaf, const wbk_column *c, int64_t start, int64_t n,
		  const uint64_t *need, uint64_t *out);
void wbk_scan_number(const wbk_leaf *leaf, const wbk_column *c, int64_t start,
		     int64_t n, const uint64_t *need, uint64_t *out);

/* What a leaf sees of a text, by its flags. */
WBK_INLINE void wbk_view(int32_t flags, wbk_text *t)
{
	if (flags & WBK_CUT)
		t->n = wbk_cut(t->p, t->n);
	else if (flags & WBK_TRIM)
		while (t->n && t->p[t->n - 1] == 0)
			t->n--;
}

/* pair.c */
int wbk_scan_pair(const wbk_leaf *leaf, const wbk_column *left, const wbk_column *right,
		  int64_t start, int64_t n, const uint64_t *need, uint64_t *out);

/* pair_lists.c */
typedef struct wbk_item_table {
	uint64_t *hash;
	int64_t *item; /* -1: free */
	int64_t size;
	uint64_t mask; /* of the places in use now */
} wbk_item_table;
/* Row i: left items in (all) or meeting (any) the right items; no steps here. 1, 0, or
   -1 when memory is short. The table is for use again; hash and item are to be freed. */
int wbk_pair_lists(const wbk_leaf *leaf, const wbk_column *left, int64_t i,
		   const wbk_column *right, wbk_item_table *table);

/* list.c */
void wbk_reduce(const wbk_column *list, int64_t start, int64_t n, const uint64_t *items,
		int64_t first_item, int all, const uint64_t *need, uint64_t *out);
void wbk_item_need(const wbk_column *list, int64_t start, int64_t n,
		   const uint64_t *need, int64_t first_item, int64_t n_items,
		   uint64_t *out);
/* Of the rows of interest those whose items all have a value. -1: memory is short. */
int wbk_whole_lists(const wbk_column *list, int64_t start, int64_t n,
		    const uint64_t *need, uint64_t *out);
void wbk_item_range(const wbk_column *list, int64_t start, int64_t n, int64_t *first,
		    int64_t *count);

/* dict.c */
void wbk_gather(const wbk_column *dict, int64_t start, int64_t n, const uint8_t *lut,
		int32_t count, uint64_t *const *out);

/* run.c: wbk_run in three steps, for many short runs of one program. What is learned of
   its checks stays. Blocks of at most `rows` rows. NULL when memory is short. */
typedef struct wbk_runner wbk_runner;
wbk_runner *wbk_runner_new(const wbk_program *program, int64_t rows);
int wbk_runner_run(wbk_runner *runner, int64_t n, uint8_t *const *out,
		   int64_t out_offset, int64_t *counts);
void wbk_runner_free(wbk_runner *runner);

#endif
