/*
 * Async events: from any thread of a plugin, checked, copied into a bounded queue, taken
 * out by the pump in order of time. Routes outlive captures, so that a plugin thread
 * that sends too late is told so instead of touching freed memory.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "live.h"

#define ERROR_BYTES 1024 /* room plugins give for the reason */
#define ASYNC_PARAMS 3
#define ASYNC_HEAD 42u /* bytes before the name */

typedef struct queued {
	uint64_t rank; /* time, 0 for "now" */
	uint64_t seq;  /* events of one time keep their order */
	uint8_t *blob;
} queued;

struct wb_queue {
	char *event_source;
	uint32_t source_id;
	queued heap[WB_QUEUE_EVENTS];
	uint32_t n;
	_Atomic uint32_t pending; /* n, readable without the lock */
	uint64_t seq;
	bool closed;
	wb_async_counts counts;
};

typedef struct route {
	wb_plugin *plugin;
	wb_queue *queue;
	struct route *next;
} route;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static route *routes;

static route *route_of(const void *owner)
{
	for (route *r = routes; r; r = r->next)
		if (r->plugin == owner)
			return r;
	return NULL;
}

/* The plugin is about to be freed. */
static void forget_route(wb_plugin *p)
{
	pthread_mutex_lock(&gate);
	for (route **at = &routes; *at; at = &(*at)->next)
		if ((*at)->plugin == p) {
			route *r = *at;
			*at = r->next;
			wb_free(r);
			break;
		}
	pthread_mutex_unlock(&gate);
}

void wb_route_set(wb_plugin *p, wb_queue *q)
{
	pthread_mutex_lock(&gate);
	route *r = route_of(p);
	if (!r) {
		r = wb_alloc(sizeof *r);
		r->plugin = p;
		p->forget = forget_route;
		r->next = routes;
		routes = r;
	}
	r->queue = q;
	pthread_mutex_unlock(&gate);
}

/* ---- the queue: a heap by time, smallest first; callers hold the gate ---- */

static bool before(const queued *a, const queued *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->seq < b->seq;
}

static void swap(queued *a, queued *b)
{
	queued t = *a;
	*a = *b;
	*b = t;
}

static void push(wb_queue *q, queued item)
{
	uint32_t i = q->n++;
	q->heap[i] = item;
	for (; i && before(&q->heap[i], &q->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&q->heap[i], &q->heap[(i - 1) / 2]);
	atomic_store_explicit(&q->pending, q->n, memory_order_release);
}

static queued pop(wb_queue *q)
{
	queued first = q->heap[0];
	q->heap[0] = q->heap[--q->n];
	for (uint32_t i = 0;;) {
		uint32_t least = i, left = 2 * i + 1;
		if (left < q->n && before(&q->heap[left], &q->heap[least]))
			least = left;
		if (left + 1 < q->n && before(&q->heap[left + 1], &q->heap[least]))
			least = left + 1;
		if (least == i)
			break;
		swap(&q->heap[i], &q->heap[least]);
		i = least;
	}
	atomic_store_explicit(&q->pending, q->n, memory_order_release);
	return first;
}

wb_queue *wb_queue_new(const char *event_source, uint32_t source_id)
{
	wb_queue *q = wb_alloc(sizeof *q);
	q->event_source = wb_copy_text(event_source);
	q->source_id = source_id;
	return q;
}

void wb_queue_free(wb_queue *q)
{
	wb_queue_end(q);
	wb_free(q->event_source);
	wb_free(q);
}

bool wb_queue_pending(wb_queue *q)
{
	return atomic_load_explicit(&q->pending, memory_order_acquire) != 0;
}

bool wb_queue_take(wb_queue *q, uint64_t ts, wb_event *event)
{
	pthread_mutex_lock(&gate);
	bool due = q->n && q->heap[0].rank <= ts;
	queued item = {0};
	if (due) {
		item = pop(q);
		q->counts.given++;
	}
	pthread_mutex_unlock(&gate);
	if (!due)
		return false;
	abi_event_c *e = (abi_event_c *)item.blob;
	if (e->ts == ABI_NO_TIME)
		e->ts = wb_real_ns();
	uint32_t name_len;
	memcpy(&name_len, item.blob + 30, sizeof name_len);
	*event = (wb_event){.blob = item.blob, .blob_len = e->len, .ts = e->ts,
	                    .type = ABI_EVENT_ASYNC};
	event->payload = item.blob + ASYNC_HEAD + name_len;
	event->payload_len = e->len - ASYNC_HEAD - name_len;
	return true;
}

void wb_queue_close(wb_queue *q)
{
	pthread_mutex_lock(&gate);
	q->closed = true;
	pthread_mutex_unlock(&gate);
}

void wb_queue_end(wb_queue *q)
{
	pthread_mutex_lock(&gate);
	q->counts.left += q->n;
	while (q->n)
		wb_free(pop(q).blob);
	pthread_mutex_unlock(&gate);
}

wb_async_counts wb_queue_counts(wb_queue *q)
{
	pthread_mutex_lock(&gate);
	wb_async_counts counts = q->counts;
	pthread_mutex_unlock(&gate);
	return counts;
}

/* ---- checks, in the framework's order ---- */

const char *wb_async_wrong(const wb_plugin *p, const abi_event_c *e, char *text,
                           size_t bytes)
{
	const uint8_t *blob = (const uint8_t *)e;
	uint32_t id_len, name_len, data_len;

	snprintf(text, bytes, "malformed async event produced by plugin: %s", p->name);
	if (!e || e->type != ABI_EVENT_ASYNC || e->nparams != ASYNC_PARAMS ||
	    e->len < ASYNC_HEAD)
		return text;
	memcpy(&id_len, blob + 26, 4);
	memcpy(&name_len, blob + 30, 4);
	memcpy(&data_len, blob + 34, 4);
	/* The framework trusts these; a copy of the wrong length would crash it. */
	if (id_len != 4 || !name_len ||
	    (uint64_t)ASYNC_HEAD + name_len + data_len != e->len ||
	    blob[ASYNC_HEAD + name_len - 1])
		return text;
	const char *name = (const char *)blob + ASYNC_HEAD;
	for (uint32_t i = 0; i < p->nasync_names; i++)
		if (!strcmp(p->async_names[i], name))
			return NULL;
	snprintf(text, bytes, "incompatible async event '%.64s' produced by plugin: %s", name,
	         p->name);
	return text;
}

/* May this event of the route's plugin go to its queue? NULL, or what is wrong. */
static const char *refusal(const route *r, const abi_event_c *e, char *text, size_t bytes)
{
	const wb_plugin *p = r->plugin;
	const wb_queue *q = r->queue;
	if (!p->sends_async) {
		snprintf(text, bytes, "plugin without async events cap used as async handler");
		return text;
	}
	if (!q) {
		snprintf(text, bytes, "async event sent with NULL handler: %s", p->name);
		return text;
	}
	const char *wrong = wb_async_wrong(p, e, text, bytes);
	if (wrong)
		return wrong;
	if (!wb_scope_sees(&p->async, q->event_source)) {
		snprintf(text, bytes, "async events of plugin '%s' are not compatible with open "
		         "event source '%s'", p->name, q->event_source);
		return text;
	}
	if (q->source_id && e->tid != ABI_NO_TID) {
		snprintf(text, bytes, "async events of plugin '%s' can have no thread associated "
		         "with open event source '%s'", p->name, q->event_source);
		return text;
	}
	return NULL;
}

/* Queue a sound event, or drop and count it. */
static void take_in(route *r, const abi_event_c *e)
{
	wb_queue *q = r->queue;
	bool now = e->ts == ABI_NO_TIME;
	if (!now && e->ts > wb_real_ns() + WB_FUTURE_NS) {
		if (!q->counts.future++)
			wb_warn(r->plugin, "async events more than 10 seconds in the future are "
			        "dropped (said once)");
		return;
	}
	if (q->closed) {
		q->counts.left++;
		return;
	}
	if (q->n == WB_QUEUE_EVENTS) {
		if (!q->counts.overflow++)
			wb_warn(r->plugin, "async events are dropped, %d are waiting (said once)",
			        WB_QUEUE_EVENTS);
		return;
	}
	uint8_t *blob = wb_alloc(e->len);
	memcpy(blob, e, e->len);
	memcpy(blob + 38, &q->source_id, sizeof q->source_id);
	q->counts.taken++;
	push(q, (queued){now ? 0 : e->ts, q->seq++, blob});
}

int32_t wb_async_handler(abi_owner *owner, const abi_event_c *event, char *err)
{
	char text[ERROR_BYTES];
	pthread_mutex_lock(&gate);
	route *r = route_of(owner);
	const char *wrong = "async event sent with an owner that is not, or no longer, valid";
	if (r) {
		wrong = refusal(r, event, text, sizeof text);
		if (!wrong)
			take_in(r, event);
		else if (r->queue)
			r->queue->counts.refused++;
	}
	pthread_mutex_unlock(&gate);
	if (wrong && err)
		snprintf(err, ERROR_BYTES, "%s", wrong);
	return wrong ? ABI_FAILURE : ABI_SUCCESS;
}
