/* From a plugin's results to cells of columns. */
#ifndef WB_CELLS_H
#define WB_CELLS_H

#include "selection.h"

/* Families B and C: n results into row `row` of their columns. watch: look out for
 * fields that share their memory, so that the earlier value is lost; false when there are
 * some, and the row must be written again (wb_rewind_cells first). */
bool wb_store_cells(wb_request *const *requests, wb_column *const *cols,
                    const abi_field *f, uint32_t n, uint64_t row, bool watch);
void wb_rewind_cells(wb_column *const *cols, uint32_t n, uint64_t row);
/* Family A: one result that came by value. */
void wb_store_value(wb_column *c, wb_request *request, bool present, const char *text,
                    uint64_t number, uint64_t row);
/* Leave a request's columns empty in this row. */
void wb_null_cells(wb_builder *b, wb_request *request, uint64_t row);
/* Warn about a field's values, once. */
void wb_complain(wb_request *request, const char *what);
/* A number that is the same for the same values. */
uint64_t wb_value_digest(const wb_request *request, const abi_field *f);

#endif
