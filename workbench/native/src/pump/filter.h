/* Conditions where the events are: only rows that may match leave the worker.
 *
 * Events become rows of a *piece*: at first with the columns of the first wave alone, which
 * the first program reads. It drops rows; for those left the next wave is extracted, and
 * so on; the last wave is what only readers want. Programs err on the side of keeping:
 * who reads the rows evaluates the condition itself. */
#ifndef WB_FILTER_H
#define WB_FILTER_H

#include "../kernel/packed.h"
#include "choice.h"
#include "compact.h"
#include "pump_api.h"
#include "selection.h"

#define WB_MOST_STAGES 4
#define WB_PIECE_ROWS 1024u

typedef struct wb_filter {
	wbk_packed *stages[WB_MOST_STAGES];
	uint32_t nstages;
	/* WB_ORDER_…: at once: all waves, and a piece may span batches. By batch: plugins see
	 * earlier events of their batch again. By event: a piece is one event. */
	int order;
	uint32_t first; /* waves up to this one go together, earlier programs are left out */
	wb_choice choice;
	uint64_t base;    /* rows of the chunk that stay */
	uint64_t pending; /* rows behind them that are not decided */
	uint32_t *index;  /* of each of those: number of its event in the batch */
	wb_mark_point *marks; /* of each column, where the piece began */
	uint32_t *wave_of;    /* of each column */
	uint64_t bits[WB_PIECE_ROWS / 64];
} wb_filter;

wb_filter *wb_filter_new(void);
void wb_filter_free(wb_filter *f);
/* Add a stage; later ones come later. 0, or -EINVAL. */
int wb_filter_stage(wb_filter *f, const uint8_t *program, uint64_t bytes);
/* Which wave each request belongs to: before the selection is planned. */
void wb_filter_waves(wb_filter *f, wb_selection *s);
/* Does it pay to code the values of request i? Where many checks look at them, or none. */
bool wb_filter_codes(const wb_filter *f, uint32_t i);
/* Do the programs fit the columns? 0, or -EINVAL. */
int wb_filter_ready(wb_filter *f, const wb_selection *s, const wb_builder *b);
/* Run program `stage` over the pending rows and drop those that it does not want, from the
 * columns of the waves up to `wave`. */
void wb_filter_decide(wb_filter *f, uint32_t stage, uint32_t wave, const wb_selection *s,
                      wb_builder *b);

#endif
