/* The layout of a chunk in memory: head, column rows, then buffers. The same head lies
 * at the start of the builder's arena, where a parent may read it after our death.
 * session/chunk_reader.py reads it; the asserts hold the layout. */
#ifndef WB_CHUNK_H
#define WB_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#define WB_CHUNK_MAGIC 0x4b434257u

enum { WB_KIND_U64 = 0, WB_KIND_BOOL = 1, WB_KIND_BYTES = 2 };
enum { WB_PLAIN = 0, WB_DICT = 1 };

typedef struct wb_span {
	uint64_t off;
	uint64_t len; /* bytes; the capacity while the chunk is being built */
} wb_span;

typedef struct wb_chunk_col {
	uint32_t kind;
	uint32_t is_list;
	uint32_t encoding;
	uint32_t pad;
	uint64_t nulls;
	wb_span validity;  /* bits, one per row */
	wb_span lists;     /* int32, rows + 1; lists only */
	wb_span offsets;   /* bytes: int32, elements + 1; as dictionary: int32 codes */
	wb_span data;      /* u64, bits or bytes */
	wb_span dict_offsets; /* int32, dict_new + 1, counted from the whole dictionary */
	wb_span dict_data;
	uint64_t dict_start; /* entries the reader has already */
	uint64_t dict_new;
} wb_chunk_col;

typedef struct wb_chunk_head {
	uint32_t magic;
	uint32_t ncols;
	volatile uint64_t rows;
	volatile uint64_t seq; /* 1 for the first chunk of a capture */
	uint64_t bytes;
	volatile uint64_t seen; /* events of the capture so far, rows or not */
	volatile uint64_t first_ns; /* time of the source's first event, 0 before it */
	uint64_t pad[2];
} wb_chunk_head;

_Static_assert(sizeof(wb_chunk_head) == 64, "chunk head");
_Static_assert(sizeof(wb_chunk_col) == 136, "chunk column");
_Static_assert(offsetof(wb_chunk_col, validity) == 24, "chunk column spans");

#endif
