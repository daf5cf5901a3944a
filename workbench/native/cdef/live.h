/* Live: what plugins do beside the stream while a capture is open. */

/* Async events of one capture, counted. */
typedef struct wb_async_counts {
	uint64_t taken;    /* accepted from plugins */
	uint64_t given;    /* became rows */
	uint64_t refused;  /* failed a check, the plugin was told why */
	uint64_t overflow; /* dropped: the queue was full */
	uint64_t future;   /* dropped: more than ten seconds ahead */
	uint64_t left;     /* still queued when the capture ended */
} wb_async_counts;

/* Announce an async event of p by name; NULL: it has the capability, no names yet. */
void wb_plugin_async_name(wb_plugin *p, const char *name);
/* Restrict the event sources that p's async events may join. */
void wb_plugin_async_source(wb_plugin *p, const char *source);

/* All state tables as bytes, see tables/snapshot.c; free with wb_block_free. */
uint8_t *wb_host_tables(wb_host *host, uint64_t max_rows, uint64_t *bytes);
/* What dump_state of all plugins gives: events one after another, each headed by its
 * length in 4 bytes. NULL and an error text when a plugin fails. */
uint8_t *wb_host_dump_state(wb_host *host, uint64_t *bytes, char *error,
                            uint64_t error_bytes);
