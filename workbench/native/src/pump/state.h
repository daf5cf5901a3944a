/* What the files of the pump share. */
#ifndef WB_PUMP_STATE_H
#define WB_PUMP_STATE_H
#include <pthread.h>
#include <stdatomic.h>

#include "../live/live.h"
#include "pump_api.h"
#include "filter.h"
#include "selection.h"

/* Columns that every chunk has, before the wanted ones. */
enum { COL_NUM, COL_TIME, COL_FIRST_REQUEST };

struct wb_pump {
	wb_host *host;
	wb_plugin *source;
	char *event_source;
	void *instance;
	bool opened;
	bool closed;
	int flags;
	int data_fd;
	uint32_t chunk_rows;
	uint64_t window;
	uint64_t flush_ns;
	uint64_t max_events;
	uint64_t events;
	uint64_t number_base; /* added to what plugins see as the event's number */
	wb_builder builder;
	wb_selection selection;
	wb_filter *filter; /* NULL: every event becomes a row */
	bool prepared;
	uint32_t col_payload, col_raw, col_info, col_async;
	wb_live *live;
	bool async_closed;
	uint32_t async_budget; /* async events that may still come before the source's */
	char live_error[1200];
	wb_batch batch;
	uint32_t cursor;
	int32_t code; /* of the batch in hand, reported after its events */
	bool have_batch;
	int end;
	int32_t end_code;
	char end_message[512];
	uint64_t noted; /* events that the choice of a way knows of */
	uint32_t idle; /* immediate timeouts in a row */
	uint64_t last_poll_ns;
	char *text;
	pthread_mutex_t lock;
	pthread_t flusher;
	bool flusher_on;
	_Atomic bool in_next;
	_Atomic bool quit;
};

/* Does a started chunk wait for too long? (setup.c) */
bool wb_pump_due(wb_pump *m, uint64_t now);
/* Extract from an event and write its row. id: of the plugin it comes from. (rows.c) */
void wb_pump_add_row(wb_pump *m, wb_event *e, uint32_t id);
/* What a row has besides number, time and fields. */
void wb_pump_put_rest(wb_pump *m, wb_event *e, uint64_t row, uint32_t id);
/* The same behind a filter, if there is one: the row may come later or never. (piece.c) */
void wb_pump_take_row(wb_pump *m, wb_event *e, uint32_t id);
/* Decide the rows that wait for it; while the batch they come from is in hand. */
void wb_pump_settle(wb_pump *m);
/* Begin with one way of filtering. */
void wb_pump_choose(wb_pump *m, bool may_look_back);
/* A batch is done: perhaps go on in another way. */
void wb_pump_note(wb_pump *m);
/* Decide, then send the rows so far. */
void wb_pump_emit(wb_pump *m);

#endif
