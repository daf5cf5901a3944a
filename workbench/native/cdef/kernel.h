/* The condition kernel: leaves over Arrow buffers into bitmaps of 64-bit words.
   Bit i of a bitmap is row start + i of the block asked for; bits past the last row
   of a block are always zero. */

/* One Arrow array, or the part of it that counts. `offset` shifts rows in `validity`
   and `values`. Kinds: */
enum {
	WBK_NULL,    /* every row absent */
	WBK_BYTES32, /* values: int32 offsets into data */
	WBK_BYTES64, /* values: int64 offsets into data */
	WBK_FIXED,   /* data: width bytes a row */
	WBK_U64,     /* values: uint64 */
	WBK_BOOL,    /* values: bits */
	WBK_DICT,    /* values: codes of width bytes, unsigned reading; child: the values */
	WBK_LIST32,  /* values: int32 offsets into child */
	WBK_LIST64   /* values: int64 offsets into child */
};

typedef struct wbk_column {
	int32_t kind;
	int32_t width;
	int64_t length;
	int64_t offset;
	const uint8_t *validity; /* bits, or NULL when no row is null */
	const void *values;
	const uint8_t *data;
	int64_t data_bytes;
	const struct wbk_column *child;
	int32_t has_nul; /* a NUL byte may occur in data */
} wbk_column;

/* What a leaf asks of one value. */
enum {
	WBK_EXISTS,
	WBK_EQ,
	WBK_LT,
	WBK_LE,
	WBK_GT,
	WBK_GE,
	WBK_CONTAINS,
	WBK_ICONTAINS,
	WBK_STARTSWITH,
	WBK_ENDSWITH,
	WBK_GLOB,
	WBK_IGLOB,
	WBK_PMATCH,
	WBK_IN, /* equal to one of the items */
	WBK_NET /* inside one of the networks */
};

enum {
	WBK_NEGATE = 1, /* true for present values that do not pass */
	WBK_CUT = 2,    /* text ends at its first NUL byte */
	WBK_ALL = 4,    /* list: every item has to pass; without it one is enough */
	WBK_LENGTH = 8, /* ask the length of the text or list, a number */
	WBK_TRIM = 16,  /* trailing NUL bytes of the left text do not count */
	WBK_RIGHT_LENGTH = 32 /* WBK_LENGTH for the right side */
};

/* Steps applied to text before it is asked, first to last. Each takes the text without
   trailing NUL bytes; the last leaves one NUL behind, which WBK_CUT and WBK_TRIM undo. */
enum { WBK_LOWER = 1, WBK_UPPER, WBK_BASENAME, WBK_B64 };

typedef struct wbk_leaf wbk_leaf;

/* `items`: the literals one after the other, `ends`: where each ends. Numbers are
   8-byte little-endian items, networks a prefix length byte and the address.
   `left_steps`/`right_steps`: zero-terminated. NULL when memory is short or a
   literal has a wrong size. */
wbk_leaf *wbk_leaf_new(int32_t op, int32_t flags, const uint8_t *items,
		       const int64_t *ends, int64_t n_items,
		       const uint8_t *left_steps, const uint8_t *right_steps);
void wbk_leaf_free(wbk_leaf *leaf);

/* Evaluate over rows [start, start + n). `right`: the other column of a comparison of
   two fields, or NULL. `need`: rows of interest, or NULL for all; others become 0.
   0, or -1 when memory is short. */
int wbk_leaf_eval(const wbk_leaf *leaf, const wbk_column *left,
		  const wbk_column *right, int64_t start, int64_t n,
		  const uint64_t *need, uint64_t *out);

/* 0 when every offset of the column lies inside its buffers, else -1. */
int wbk_column_check(const wbk_column *column);
int wbk_column_has_nul(const wbk_column *column);

/* The texts of the rows of interest, transformed, one after the other. ends[k]: where
   the k-th ends; absent[k] is set when its steps gave nothing. `*data` is to be freed
   with wbk_free. Number of texts, or -1 when memory is short. */
int64_t wbk_texts(const wbk_column *column, const uint8_t *steps, int32_t flags,
		  int64_t start, int64_t n, const uint64_t *need, int64_t *ends,
		  uint8_t *absent, uint8_t **data);
void wbk_free(void *memory);

int64_t wbk_count(const uint64_t *bits, int64_t n);
void wbk_load_bits(const uint8_t *bits, int64_t offset, int64_t n, uint64_t *out);
/* Or n bits into `dst` from bit `offset` on; safe beside other threads. */
void wbk_store_bits(uint8_t *dst, int64_t offset, const uint64_t *bits, int64_t n);
/* Bit i of `packed` answers for the i-th set bit of `need`. */
void wbk_scatter(const uint64_t *need, int64_t n, const uint8_t *packed,
		 int64_t packed_offset, uint64_t *out);
/* lut[i] gets bit `bit` where bits[i] is set. */
void wbk_lut_put(uint8_t *lut, const uint64_t *bits, int64_t n, int32_t bit);

/* A distinct check of a program over one batch. */
typedef struct wbk_slot {
	const wbk_leaf *leaf; /* NULL: the callback answers */
	const wbk_column *left;
	const wbk_column *right;
	int32_t group; /* answered by this lookup table, or -1 */
	float cost;    /* ns a row, about */
} wbk_slot;

/* Up to eight checks on one dictionary-encoded column, answered by one look into
   `lut`: child->length (of the dictionary) + 1 bytes, the last one zero. */
typedef struct wbk_group {
	const wbk_column *column; /* WBK_DICT, or a list of it */
	const uint8_t *lut;
	int32_t count;
	int32_t slots[8];
} wbk_group;

enum { WBK_LEAF, WBK_AND, WBK_OR, WBK_NOT, WBK_ONE /* exactly one child */ };

/* children[first … first + count) are nodes; for a leaf `first` is the slot. */
typedef struct wbk_node {
	int32_t op;
	int32_t first;
	int32_t count;
	int32_t shared; /* met more than once: remember its rows */
} wbk_node;

typedef int (*wbk_callback)(void *context, int32_t slot, int64_t start, int64_t n,
			    const uint64_t *need, uint64_t *out);

typedef struct wbk_program {
	const wbk_node *nodes;
	int64_t n_nodes;
	const int32_t *children;
	int64_t n_children;
	const int32_t *roots;
	int64_t n_roots;
	const wbk_slot *slots;
	int64_t n_slots;
	const wbk_group *groups;
	int64_t n_groups;
	wbk_callback callback;
	void *context;
	int32_t first_match; /* a row counts for its first root only */
} wbk_program;

/* Evaluate all roots over rows [0, n) of the columns. out[r]: bits, zero before, root
   r's row i goes to bit out_offset + i; `out` may be NULL. counts[r] grows by the
   number of rows; may be NULL. 0; -1 when memory is short; -2 when the callback
   failed. */
int wbk_run(const wbk_program *program, int64_t n, uint8_t *const *out,
	    int64_t out_offset, int64_t *counts);

/* A program as bytes, see src/kernel/packed.h: how many columns it reads, or -1 when it
   is not a valid one. */
int64_t wbk_packed_check(const uint8_t *bytes, uint64_t size);
