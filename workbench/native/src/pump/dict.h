/* Append-only dictionary of one column: earlier chunks stay valid with later ones. */
#ifndef WB_DICT_H
#define WB_DICT_H

#include "column.h"

wb_dict *wb_dict_new(wb_arena *arena);
void wb_dict_free(wb_dict *d);
const uint8_t *wb_dict_entry(const wb_dict *d, int32_t code, uint32_t *len);
/* Fill the dictionary part of a chunk's column row: what the reader lacks. */
void wb_dict_describe(const wb_dict *d, wb_chunk_col *row);
uint32_t wb_dict_count(const wb_dict *d);
const void *wb_dict_offsets_from(const wb_dict *d, uint64_t start);
const void *wb_dict_data_from(const wb_dict *d, uint64_t start);
/* Everything went out; note it in the live row too. */
void wb_dict_sent(wb_dict *d, wb_chunk_col *live);
/* More than 1024 entries or 8 MiB, and more than a quarter of the values seen; or more
 * than 65536 entries. */
bool wb_dict_hopeless(const wb_dict *d);

#endif
