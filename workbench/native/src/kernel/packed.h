/* A program as bytes: made in one process, run in another, beside the memory of its
 * columns. Head, columns, leaves, nodes, children, roots, literals; all little-endian. */
#ifndef WBK_PACKED_H
#define WBK_PACKED_H

#include "kernel.h"

#define WBK_PACKED_MAGIC 0x504b4257u
#define WBK_PACKED_VERSION 1u
/* Added to the kind of a column whose rows are lists of it. */
#define WBK_PACKED_LIST 0x100u

typedef struct wbk_packed_head {
	uint32_t magic;
	uint32_t version;
	uint32_t n_columns;
	uint32_t n_leaves;
	uint32_t n_nodes;
	uint32_t n_children;
	uint32_t n_roots; /* 1 */
	uint32_t literal_bytes;
} wbk_packed_head;

typedef struct wbk_packed_column {
	uint32_t where; /* for whoever binds the columns */
	uint32_t kind;  /* WBK_U64, WBK_BOOL or WBK_BYTES32, perhaps + WBK_PACKED_LIST */
} wbk_packed_column;

/* literals: where the lengths of its literals begin (4 bytes each), the bytes behind. */
typedef struct wbk_packed_leaf {
	int32_t op;
	int32_t flags;
	int32_t left;
	int32_t right; /* -1: none */
	uint32_t literals;
	uint32_t n_literals;
	uint32_t looked_up; /* its answer depends on one value of one column */
	float cost;
	uint8_t steps[2][WBK_MAX_STEPS];
} wbk_packed_leaf;

_Static_assert(sizeof(wbk_packed_head) == 32, "head of a packed program");
_Static_assert(sizeof(wbk_packed_leaf) == 64, "leaf of a packed program");

/* A column as it is bound: a dictionary or items have descriptions of their own. */
typedef struct wbk_bound {
	wbk_column rows;
	wbk_column items;  /* of a list */
	wbk_column values; /* of a dictionary */
	int32_t coded;     /* a dictionary now */
} wbk_bound;

typedef struct wbk_packed {
	uint32_t n_columns;
	wbk_packed_column *wanted;
	wbk_bound *bound;
	wbk_program program;
	wbk_leaf **leaves;
	wbk_packed_leaf *facts;
	wbk_node *nodes;
	int32_t *children;
	int32_t *roots;
	wbk_slot *slots;
	struct wbk_table *tables; /* of lookups, one for each group */
	wbk_group *groups;
	wbk_runner *runner;
} wbk_packed;

/* For runs over at most `rows` rows at a time. NULL: no valid program, or memory is
   short. */
wbk_packed *wbk_packed_new(const uint8_t *bytes, uint64_t size, int64_t rows);
void wbk_packed_free(wbk_packed *packed);

/* packed_run.c */
/* Make the groups of lookups; after the leaves. -1: memory is short. */
int wbk_packed_group(wbk_packed *packed);
void wbk_packed_ungroup(wbk_packed *packed);
/* Bind column i, whose description the caller has filled in, as dictionary or not. */
void wbk_packed_bind(wbk_packed *packed, uint32_t i, int coded);
/* Run the root over rows [0, n). 0, or -1 when memory is short. */
int wbk_packed_run(wbk_packed *packed, int64_t n, uint64_t *out);

#endif
