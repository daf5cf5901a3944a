/* One loaded plugin, whatever its family; everything above talks to wb_plugin only. */
#ifndef WB_PLUGIN_H
#define WB_PLUGIN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "../common/abi.h"
#include "../common/memory.h"
#include "shared_page.h"
#include "calls.h"

typedef enum wb_family { WB_FAMILY_NONE, WB_A1, WB_A2, WB_B, WB_C } wb_family;

typedef struct wb_host wb_host;
typedef struct wb_plugin wb_plugin;

#define WB_TYPE_BITS_BYTES 8192 /* one bit per event type */

/* Where a plugin wants to see events: sources by name (none = all), types by number. */
typedef struct wb_scope {
	char **sources;
	uint32_t nsources;
	uint8_t *types; /* WB_TYPE_BITS_BYTES, NULL = every type */
} wb_scope;

struct wb_plugin {
	wb_host *host;
	uint32_t index;
	char *path;
	void *library;
	void *sym[WB_CALL_COUNT];
	wb_family family;
	uint32_t minor;
	char *name;
	char *source; /* event source it opens, "" for none */
	uint32_t id;
	void *state;
	bool init_ok;
	bool extracts;
	bool shares_calls; /* several fields may be asked for in one call */
	wb_scope extract;
	bool parses;
	wb_scope parse;
	void *tables; /* owned by state_tables.c */
	bool sends_async;
	wb_scope async; /* sources only */
	char **async_names;
	uint32_t nasync_names;
	void (*forget)(wb_plugin *p); /* set by live/: no thread may reach p any more */
	char *text; /* copy of the last text a call returned */
	char *schema_version;
	uint64_t failed_until; /* the last event whose extraction failed */
	wb_plugin *next;
};

struct wb_host {
	wb_shared_page *page;
	int log_fd;
	wb_plugin *first;
	wb_plugin *last;
	void *tables; /* the registry */
};

/* One event as the pump sees it. blob is the whole 3.x event, built when needed.
 *
 * Plugins may keep what they parsed under the event's number (official Go plugins do),
 * so a number must not come again for another event during the life of their state:
 * not in the next capture, not when stored events are extracted again. */
typedef struct wb_event {
	uint8_t *blob;
	uint32_t blob_len;
	uint32_t payload_len;
	const uint8_t *payload;
	uint64_t ts;
	uint64_t num;    /* counts per capture: what people see as evt.num */
	uint64_t serial; /* what plugins see: never the same for two events */
	uint16_t type;
} wb_event;

/* What one next_batch returned. */
typedef struct wb_batch {
	uint32_t n;
	union {
		abi_event_ab *ab;
		abi_event_c **c;
		void *any;
	} events;
} wb_batch;

/* ---- a host's list of plugins (library.c) ---- */
/* A new plugin at the end of the list, nothing looked up yet. */
wb_plugin *wb_host_add(wb_host *host, uint32_t index, const char *path);

/* ---- clocks ---- */
static inline uint64_t wb_clock(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static inline uint64_t wb_mono_ns(void) { return wb_clock(CLOCK_MONOTONIC); }
static inline uint64_t wb_real_ns(void) { return wb_clock(CLOCK_REALTIME); }

/* ---- the breadcrumb and the trace ---- */
typedef struct wb_frame {
	uint32_t call;
	uint32_t plugin;
	uint64_t start;
	wb_trace_slot *slot;
} wb_frame;

/* Lifecycle calls: listed one by one. */
void wb_call_begin(wb_plugin *p, wb_call call, wb_frame *frame, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void wb_call_end(wb_plugin *p, wb_frame *frame, uint32_t kind, int32_t code,
                 const char *text);

/* Hot calls: counted, one in 64 timed. */
static inline wb_hot *wb_hot_of(wb_plugin *p, int which)
{
	uint32_t i = p->index < WB_HOT_PLUGINS ? p->index : WB_HOT_PLUGINS - 1;
	return &p->host->page->hot[i][which];
}
/* An event in which extraction or parsing failed; see WB_FAILED_…. (lifecycle.c) */
void wb_note_failed(wb_plugin *p, int which, uint64_t number);
void wb_forget_failed(wb_host *host);
static inline void wb_mark(wb_host *host, uint32_t call, uint32_t plugin)
{
	wb_shared_page *b = host->page;
	b->plugin = plugin;
	b->call_seq++;
	b->last_call = call;
	b->call = call;
}
static inline void wb_unmark(wb_host *host) { host->page->call = WB_CALL_none; }

/* ---- logging, from any thread, never blocking ---- */
void wb_log(wb_plugin *p, int32_t severity, const char *component, const char *text);
/* Send one log line through a socket, for whoever has no plugin at hand. */
int wb_log_send(int fd, uint32_t plugin, int32_t severity, const char *component,
                const char *text);
void wb_warn(wb_plugin *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void wb_log_fn(abi_owner *owner, const char *component, const char *msg, int32_t sev);

/* ---- state tables (state_tables.c) ---- */
struct wbt_registry *wb_tables_registry(wb_host *host);
/* The calling thread's last error in a table call of owner, NULL for none. */
const char *wb_owner_last_error(abi_owner *owner);
/* Tables as seen by p during init; never NULL. */
const abi_init_tables_input *wb_tables_for_init(wb_plugin *p);
/* Access during extract, parse and capture listening; never NULL. */
abi_reader_vtable_ext *wb_tables_reader(wb_plugin *p);
abi_writer_vtable *wb_tables_writer(wb_plugin *p);
/* A call into p ended: drop entries it did not give back. Cheap when there are none. */
void wb_tables_call_ended(wb_plugin *p);
/* p is about to be destroyed: its own tables are gone. */
void wb_tables_retire(wb_plugin *p);
void wb_tables_free(wb_plugin *p);
void wb_tables_close(wb_host *host);

/* ---- the families (families.c) ---- */
int32_t wb_family_init(wb_plugin *p, const char *config, bool with_tables);
/* Get a batch. Outputs are preset. */
int32_t wb_family_next(wb_plugin *p, void *instance, wb_batch *batch);
/* Read event i of a batch, check it and complete it as the framework does: id, thread,
 * time. Returns NULL, or what is wrong with it. */
const char *wb_family_event(wb_plugin *p, wb_batch *batch, uint32_t i, wb_event *event,
                            char *message, size_t message_bytes);
/* Give a batch back (family A1 owns nothing of what it returned). */
void wb_family_release(wb_plugin *p, wb_batch *batch);
/* Keep a copy of a text that a plugin returned, give the original back where it is ours. */
const char *wb_family_keep_text(wb_plugin *p, const char *text);
/* One-line text of an event: a counted copy for the caller to free, or NULL. */
char *wb_family_event_text(wb_plugin *p, const wb_event *event, const char *source);
/* Build the 3.x event of an A or B event. out: at least 38 + payload_len bytes. */
void wb_event_build(uint8_t *out, const wb_event *event, uint32_t plugin_id);
/* Read a stored 3.x event; false when its lengths make no sense. */
bool wb_event_view(uint8_t *blob, uint32_t len, wb_event *event);

/* The signatures, for use with p->sym. */
typedef const char *(*wb_text_fn)(void);
typedef uint32_t (*wb_number_fn)(void);
typedef const char *(*wb_schema_fn)(int32_t *type);
typedef const char *(*wb_state_text_fn)(void *s);
typedef void (*wb_destroy_fn)(void *s);
typedef void *(*wb_open_fn)(void *s, const char *params, int32_t *rc);
typedef void (*wb_close_fn)(void *s, void *h);
typedef const char *(*wb_params_fn)(void *s, int32_t *rc);
typedef const char *(*wb_progress_fn)(void *s, void *h, uint32_t *pct);
typedef uint16_t *(*wb_types_fn)(uint32_t *n, void *s);
typedef int32_t (*wb_set_config_fn)(void *s, const abi_set_config_input *);
typedef const abi_metric *(*wb_metrics_fn)(void *s, uint32_t *n);
typedef void (*wb_free_mem_fn)(void *);
typedef int32_t (*wb_next_c_fn)(void *s, void *h, uint32_t *n, abi_event_c ***);
typedef int32_t (*wb_next_ab_fn)(void *s, void *h, uint32_t *n, abi_event_ab **);
typedef int32_t (*wb_next_one_fn)(void *s, void *h, abi_event_ab **);
typedef int32_t (*wb_extract_c_fn)(void *s, const abi_event_input *,
                                   const abi_extract_input *);
typedef int32_t (*wb_extract_b_fn)(void *s, const abi_event_ab *, uint32_t n,
                                   abi_field *);
typedef int32_t (*wb_extract_a2_fn)(void *s, const abi_event_ab *, uint32_t n,
                                    abi_field_a2 *);
typedef int32_t (*wb_extract_a1_fn)(void *s, const abi_event_ab *, uint32_t n,
                                    abi_field_a1 *);
typedef int32_t (*wb_parse_fn)(void *s, const abi_event_input *, const abi_parse_input *);

/* ---- scopes (scope.c) ---- */
void wb_scope_add(wb_scope *scope, const char *source);
void wb_scope_copy_sources(wb_scope *to, const wb_scope *from);
void wb_scope_free(wb_scope *scope);
/* Does p want events of this source and type? */
bool wb_scope_sees(const wb_scope *scope, const char *source);
static inline bool wb_scope_type(const wb_scope *scope, uint16_t type)
{
	return !scope->types || (scope->types[type >> 3] >> (type & 7) & 1);
}

#endif
