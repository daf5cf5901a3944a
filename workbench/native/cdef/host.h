/* Host: load and drive plugins of any family. Nothing here knows Python objects. */

typedef struct wb_shared_page wb_shared_page;
typedef struct wb_host wb_host;
typedef struct wb_plugin wb_plugin;

typedef struct wb_metric_copy {
	char name[512];
	int32_t type;
	int32_t value_type;
	uint64_t bits;
} wb_metric_copy;

uint64_t wb_shared_page_bytes(void);

/* page: wb_shared_page_bytes() zeroed bytes, shared with the parent or private.
 * log_fd: a SEQPACKET socket for log lines, or -1. */
wb_host *wb_host_new(void *page, int log_fd);
void wb_host_free(wb_host *host);

/* Report death through the shared page: signal, exit status, backtrace. */
int wb_crash_install(void *page, int text_fd);
/* End this process with its parent; at once if that is another one already. */
void wb_end_with_parent(int parent);
/* End this process soon after the other end of fd is gone; in a thread of its own. */
int wb_watch_socket(int fd);

int wb_call_count(void);
const char *wb_call_name(int call);

/* dlopen and look every function up. NULL: error holds the loader's words. */
wb_plugin *wb_plugin_open(wb_host *host, uint32_t index, const char *library,
                          const char *path, char *error, uint64_t error_bytes);
/* Another plugin from the library of `of`, described alike, in another host: to be
 * initialised on its own. */
wb_plugin *wb_plugin_second_handle(wb_host *host, wb_plugin *of);
/* Forget p. Destroys its state; never unmaps the library. */
void wb_plugin_free(wb_plugin *p);
int wb_plugin_has(wb_plugin *p, int call);
/* Call a function that takes nothing and returns text. The copy lives until the next
 * call here with p. NULL when it returned NULL. */
const char *wb_plugin_text(wb_plugin *p, int call);
uint32_t wb_plugin_number(wb_plugin *p, int call);
const char *wb_plugin_init_schema(wb_plugin *p, int32_t *type);

/* What the loader found out: family 1..4 (A1, A2, B, C). */
void wb_plugin_describe(wb_plugin *p, int family, uint32_t minor, const char *name,
                        const char *source, uint32_t id);
/* Where it extracts (what = 0) or parses (what = 1): call once, then add sources. */
int wb_plugin_scope(wb_plugin *p, int what, const char *source);

/* as_falco: without state tables where Falco gives none, so a plugin that reads them
 * all the same dies here as it dies there. */
int32_t wb_plugin_init(wb_plugin *p, const char *config, int as_falco);
/* After init, also a failed one. NULL when it says nothing. */
const char *wb_plugin_last_error(wb_plugin *p);
/* Ask for the event types it wants; after a good init. */
void wb_plugin_ask_types(wb_plugin *p);
void wb_plugin_destroy(wb_plugin *p);
int wb_plugin_has_state(wb_plugin *p);
const char *wb_plugin_open_params(wb_plugin *p, int32_t *rc);
int32_t wb_plugin_set_config(wb_plugin *p, const char *config);
/* Copy the metrics; returns their number, at most max. */
uint32_t wb_plugin_metrics(wb_plugin *p, wb_metric_copy *out, uint32_t max);
