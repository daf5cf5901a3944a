/*
 * One capture's live side: async events that any thread may send, routines on a pool,
 * and the calls that tell plugins of a capture's start and end.
 *
 *   open → wb_live_start → (wb_live_take …) → close → wb_live_stop → wb_live_free
 */
#ifndef WB_LIVE_H
#define WB_LIVE_H
#include "../host/plugin.h"
#include "live_api.h"

typedef struct wb_live wb_live;
typedef struct wb_queue wb_queue;
typedef struct wb_pool wb_pool;

#define WB_QUEUE_EVENTS 4096
#define WB_FUTURE_NS 10000000000u
#define WB_POOL_THREADS 2

/* source: the plugin whose capture it is. */
wb_live *wb_live_new(wb_host *host, wb_plugin *source, const char *event_source);
/* Install async handlers, call capture_open. False: error says why, everything that
 * was begun has been ended again. */
bool wb_live_start(wb_live *live, char *error, size_t bytes);
/* Are there async events at all? Cheap, for every event of the stream. */
bool wb_live_pending(wb_live *live);
/* Take the first async event due before a stream event of time ts. The blob of *event
 * is the caller's, for wb_free. */
bool wb_live_take(wb_live *live, uint64_t ts, wb_event *event);
/* The stream has ended: what is queued may still be taken, nothing more comes in. */
void wb_live_close(wb_live *live);
/* After the source was closed: remove handlers, call capture_close, end the routines. */
void wb_live_stop(wb_live *live);
void wb_live_free(wb_live *live);
wb_async_counts wb_live_counts(wb_live *live);

/* ---- async.c: the queue and the way into it ---- */
wb_queue *wb_queue_new(const char *event_source, uint32_t source_id);
void wb_queue_free(wb_queue *q);
bool wb_queue_pending(wb_queue *q);
bool wb_queue_take(wb_queue *q, uint64_t ts, wb_event *event);
/* Count what still comes as lost. */
void wb_queue_close(wb_queue *q);
/* Count what is left as lost. */
void wb_queue_end(wb_queue *q);
wb_async_counts wb_queue_counts(wb_queue *q);
/* Where p's async events go; NULL: nowhere. */
void wb_route_set(wb_plugin *p, wb_queue *q);
int32_t wb_async_handler(abi_owner *owner, const abi_event_c *event, char *err);
/* What is wrong with an async event of p before it is known where it goes, or NULL. */
const char *wb_async_wrong(const wb_plugin *p, const abi_event_c *event, char *text,
                           size_t bytes);

/* ---- routines.c: the pool ---- */
wb_pool *wb_pool_new(void);
/* From now on p may subscribe. */
void wb_pool_admit(wb_pool *pool, wb_plugin *p);
/* Wait for running routines, forget all, end the threads. */
void wb_pool_free(wb_pool *pool, wb_host *host);
extern abi_routine_vtable wb_routine_vtable;

#endif
