/* Columns being built. Row r of every column is written before `rows` counts it, so a
 * half-written row is simply overwritten or left out. */
#ifndef WB_COLUMN_H
#define WB_COLUMN_H

#include "../host/plugin.h"
#include "arena.h"
#include "chunk.h"

/* Values larger than this are refused: offsets are 32-bit. */
#define WB_VALUE_MAX (1u << 30)
/* Elements of one list value; counts beyond are taken for garbage. */
#define WB_LIST_MAX (1u << 20)

typedef struct wb_dict wb_dict;

typedef struct wb_column {
	uint8_t kind;
	bool is_list;
	bool dict_on;
	uint8_t *validity;
	int32_t *lists;
	int32_t *offsets; /* byte offsets, or codes while dict_on */
	uint8_t *data;
	uint64_t offsets_cap; /* elements */
	uint64_t data_cap;    /* bytes */
	uint64_t data_len;
	uint64_t elems;
	uint64_t nulls; /* every other cell is valid: bits are preset */
	wb_dict *dict;
	int64_t *budget; /* bytes left in this chunk */
	wb_chunk_col *live;
	wb_arena *arena;
} wb_column;

void wb_column_init(wb_column *c, wb_arena *arena, wb_chunk_col *live, int64_t *budget,
                    uint8_t kind, bool is_list, bool dict, uint32_t rows);
void wb_column_reset(wb_column *c, uint32_t rows);
void wb_column_free(wb_column *c);
/* Make room for `extra` more bytes, or for element index `elem`. */
bool wb_column_grow_data(wb_column *c, uint64_t extra);
void wb_column_grow_elems(wb_column *c, uint64_t elem);
/* Write what the chunk needs into `row`: exact lengths for `rows` rows. */
void wb_column_describe(wb_column *c, uint64_t rows, wb_chunk_col *row);
/* The chunk went out: its dictionary entries are known to the reader. */
void wb_column_sent(wb_column *c);
/* Leave the dictionary when it does not pay. seen: values so far, in all chunks. */
void wb_column_judge(wb_column *c, uint64_t rows);

/* The code of a value; entries are made as needed. False when it cannot be kept. */
bool wb_dict_code(wb_column *c, const uint8_t *bytes, uint64_t len, int32_t *code);
bool wb_dict_text(wb_column *c, const char *text, int32_t *code);

/* ---- cells ------------------------------------------------------------------- */

static inline void wb_cell_null(wb_column *c, uint64_t row)
{
	c->nulls++;
	c->validity[row >> 3] &= (uint8_t)~(1u << (row & 7));
	if (c->is_list)
		c->lists[row + 1] = (int32_t)c->elems;
	else if (c->kind == WB_KIND_U64)
		((uint64_t *)c->data)[row] = 0;
	else if (c->kind == WB_KIND_BYTES && !c->dict_on)
		c->offsets[row + 1] = (int32_t)c->data_len;
	else if (c->kind == WB_KIND_BYTES)
		c->offsets[row] = 0;
}

/* Elements: index e is the row for scalars, c->elems for lists. */
static inline void wb_put_u64(wb_column *c, uint64_t e, uint64_t value)
{
	((uint64_t *)c->data)[e] = value;
}

static inline void wb_put_bool(wb_column *c, uint64_t e, uint32_t value)
{
	uint8_t bit = (uint8_t)(1u << (e & 7));
	if (value)
		c->data[e >> 3] |= bit;
	else
		c->data[e >> 3] &= (uint8_t)~bit;
}

bool wb_put_bytes(wb_column *c, uint64_t e, const void *bytes, uint64_t len);
bool wb_put_text(wb_column *c, uint64_t e, const char *text);

/* 4 or 16 bytes. */
static inline bool wb_put_address(wb_column *c, uint64_t e, const void *bytes, uint32_t len)
{
	if (c->data_cap - c->data_len < 16)
		return wb_put_bytes(c, e, bytes, len);
	if (len == 4)
		memcpy(c->data + c->data_len, bytes, 4);
	else
		memcpy(c->data + c->data_len, bytes, 16);
	c->data_len += len;
	*c->budget -= (int64_t)len + 4;
	c->offsets[e + 1] = (int32_t)c->data_len;
	return true;
}

#endif
