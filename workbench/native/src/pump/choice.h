/* Which way of filtering is cheapest, by measure. The verdicts are the same in all. */
#ifndef WB_CHOICE_H
#define WB_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "pump_api.h"

/* A way: an order of extraction, and whether all programs run or the last alone. */
typedef struct wb_way {
	int order;
	bool staged;
} wb_way;

typedef struct wb_choice {
	wb_way ways[WB_WAYS];
	uint32_t n;
	uint32_t now;            /* in use */
	double ns[WB_WAYS];      /* an event, about; 0 while not known */
	uint64_t due[WB_WAYS];   /* window in which it is tried again */
	uint64_t used[WB_WAYS];  /* events */
	uint64_t window;         /* number of this one */
	uint64_t events;         /* in this one */
	uint64_t began;          /* CPU time of the thread, ns; 0: not yet */
} wb_choice;

/* order: WB_ORDER_…; may_look_back: whether by batch is one of the ways; staged: whether
 * there is more than one program. */
void wb_choice_begin(wb_choice *c, int order, bool may_look_back, bool staged);
/* So many events more; cpu_ns tells the CPU time of the thread, which nobody else's work
 * disturbs. True: another way is used from now on. */
bool wb_choice_note(wb_choice *c, uint64_t events, uint64_t (*cpu_ns)(void));

#endif
