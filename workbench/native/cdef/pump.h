/* Pump: events into columns, chunk by chunk. */

typedef struct wb_pump wb_pump;

/* Bits of wb_pump_new's flags. */
#define WB_KEEP_PAYLOAD 1
#define WB_KEEP_RAW 2
#define WB_PLUGIN_INFO 4
#define WB_ONE_FIELD 8
#define WB_DICTIONARIES 16
#define WB_ASYNC_COLUMNS 32
#define WB_PARSE 64
#define WB_OWN_NUMBERS 256 /* stored events: plugins see their own numbers */
#define WB_ONE_NUMBER 128 /* stored events: all under one number, to show who caches */

/* What wb_pump_run returned for. */
#define WB_RUN_CONTROL 1
#define WB_RUN_ENDED 2
#define WB_RUN_QUEUED 3
#define WB_RUN_SLICE 4
#define WB_RUN_WAITING 5

/* Why the stream ended. */
#define WB_END_EOF 1
#define WB_END_LIMIT 2
#define WB_END_CANCELLED 3
#define WB_END_FAILURE 4
#define WB_END_BAD_EVENT 5
#define WB_END_PARENT_GONE 6

/* source: NULL to extract from stored events. data_fd: a SEQPACKET socket for chunks, or
 * -1 to queue them. max_events: 0 for no limit. */
wb_pump *wb_pump_new(wb_host *host, wb_plugin *source, const char *event_source,
                     int data_fd, uint32_t chunk_rows, uint64_t window_bytes,
                     uint64_t flush_ns, uint64_t max_events, int flags);
/* What is added to the numbers of events before plugins see them; 0 at first. */
void wb_pump_number_from(wb_pump *pump, uint64_t base);
/* Add a column request. arg: the argument's text, "" when there is none. Returns its
 * number. */
int wb_pump_request(wb_pump *pump, wb_plugin *plugin, uint32_t field_id,
                    const char *field, uint32_t type, int is_list, int arg_present,
                    const char *arg_key, uint64_t arg_index, const char *arg,
                    int offsets);
/* When columns are extracted that no program reads. */
#define WB_ORDER_MEASURED 0
#define WB_ORDER_AT_ONCE 1
#define WB_ORDER_BY_BATCH 2
#define WB_ORDER_BY_EVENT 3
/* Ways of filtering that may be tried. */
#define WB_WAYS 5
/* Leave events out that a program does not want, see src/pump/filter.h: one call for each
 * stage, after the requests. Columns of programs: 0 number, 1 time, then the requests.
 * 0, or -EINVAL. */
int wb_pump_filter(wb_pump *pump, const uint8_t *program, uint64_t bytes, int order);
/* What is known of way i of a filter: its order, whether it is in stages, events, about how
 * many ns each took beside next_batch. -1: no such way. */
int wb_pump_way(wb_pump *pump, uint32_t i, int *order, int *staged, uint64_t *events,
                double *ns);
/* Allocate; 0 or a negative errno. */
int wb_pump_prepare(wb_pump *pump);
int wb_pump_arena_fd(wb_pump *pump);
/* plugin_open. */
int32_t wb_pump_open(wb_pump *pump, const char *params);
/* Pump until something happens; see WB_RUN_*. control_fd: returns when readable, or -1. */
int wb_pump_run(wb_pump *pump, int control_fd, uint64_t slice_ns);
/* Extract from n stored 3.x events, one row each. offsets: n + 1. Returns how many were
 * taken: a full chunk ends the call early. */
int64_t wb_pump_extract(wb_pump *pump, uint8_t *data, const int64_t *offsets,
                        const uint64_t *numbers, int64_t n);
/* The text of one stored event; the copy lives until the next call with this pump. */
const char *wb_pump_event_text(wb_pump *pump, wb_plugin *plugin, uint8_t *data,
                               uint32_t bytes, uint64_t number);
/* What a plugin's async handler or capture_open had against the open, or NULL. */
const char *wb_pump_live_error(wb_pump *pump);
void wb_pump_async_counts(wb_pump *pump, wb_async_counts *counts);
void wb_pump_flush(wb_pump *pump);
int wb_pump_end(wb_pump *pump);
int32_t wb_pump_end_code(wb_pump *pump);
const char *wb_pump_end_message(wb_pump *pump);
uint64_t wb_pump_events(wb_pump *pump);
/* Take a finished chunk from the queue: memory is the caller's, see wb_block_free. */
uint8_t *wb_pump_take(wb_pump *pump, uint64_t *bytes);
void wb_block_free(void *memory);
/* Progress of the open instance; NULL text when it has none. -1: not supported. */
int wb_pump_progress(wb_pump *pump, uint32_t *hundredths, const char **text);
/* plugin_close, once, if open succeeded. */
void wb_pump_close(wb_pump *pump);
void wb_pump_free(wb_pump *pump);
