/* A chunk under construction, and its way out: a memfd to the parent, or a queue. */
#ifndef WB_BUILDER_H
#define WB_BUILDER_H

#include "column.h"

typedef struct wb_block {
	struct wb_block *next;
	uint8_t *memory;
	uint64_t bytes;
} wb_block;

typedef struct wb_builder {
	wb_host *host;
	wb_arena arena;
	wb_chunk_head *live; /* at offset 0 of the arena; its column rows follow */
	wb_column *cols;
	uint32_t ncols;
	uint32_t max_rows;
	uint32_t target_rows; /* small first, then doubling */
	uint64_t rows;
	int64_t budget;
	int64_t full_budget;
	uint64_t started_ns; /* first row of this chunk */
	uint64_t window;
	int data_fd; /* -1: keep blocks in the queue */
	wb_block *queue;
	wb_block **queue_end;
	wb_chunk_col *scratch;
	struct iovec *parts;
	bool broken; /* the parent is gone */
} wb_builder;

int wb_builder_init(wb_builder *b, wb_host *host, uint32_t ncols, uint32_t max_rows,
                    uint64_t window, int data_fd);
void wb_builder_column(wb_builder *b, uint32_t i, uint8_t kind, bool is_list, bool dict);
void wb_builder_free(wb_builder *b);
/* Send the rows so far, if any. */
void wb_builder_emit(wb_builder *b);
/* May another chunk be sent, or is the reader too far behind? */
bool wb_builder_may_send(const wb_builder *b);

static inline void wb_builder_commit(wb_builder *b)
{
	b->live->rows = ++b->rows;
}
static inline bool wb_builder_full(const wb_builder *b)
{
	return b->rows >= b->target_rows || b->budget <= 0;
}

#endif
