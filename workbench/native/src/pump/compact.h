/* Rows that stay, of those just built. */
#ifndef WB_COMPACT_H
#define WB_COMPACT_H

#include "column.h"

/* Where a column stood before its latest rows. */
typedef struct wb_mark_point {
	uint64_t data_len;
	uint64_t elems;
	uint64_t nulls;
} wb_mark_point;

static inline wb_mark_point wb_column_mark(const wb_column *c)
{
	return (wb_mark_point){c->data_len, c->elems, c->nulls};
}

/* Of the rows [base, base + n), built since `mark`, keep those whose bit is set, moved to
 * the front; `kept` of them. The budget gets back what the others took. */
void wb_column_keep(wb_column *c, const wb_mark_point *mark, uint64_t base, uint64_t n,
                    const uint64_t *bits, uint64_t kept);

#endif
