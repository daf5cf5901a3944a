/*
 * weblog: web-server access logs as events. What the files of the plugin share.
 *
 *   config.c  init config text         -> struct config
 *   source.c  log file                 -> batches of events, payload = one line
 *   line.c    payload                  -> struct line: where its parts stand
 *   values.c  parts of a line          -> decoded values for extract_fields
 *   weblog.c  the functions of the plugin API, over the four above
 */
#ifndef WEBLOG_H
#define WEBLOG_H

#include <falco_plugin.h>
#include <limits.h>
#include <stdbool.h>

#define MAX_LINE 65536u /* longer lines are cut here */
#define ERROR_SIZE 1024
#define NO_TIME UINT64_MAX

/* ---------------------------------------------------------------------- config.c */

struct config {
  uint64_t error_status; /* the least status that counts as an error */
  uint64_t batch_lines; /* most events of one batch */
  uint64_t poll_ms; /* how long to wait for a followed file to grow */
  bool follow; /* stay at the end of the file, as `tail -F` */
  char log_dir[PATH_MAX]; /* where suggested logs are looked for; "": beside us */
};

extern const char config_schema[];
/* Fills `out` with the defaults and what `text` changes. False: `err` says why. */
bool config_parse(const char* text, struct config* out, char err[ERROR_SIZE]);

/* ------------------------------------------------------------------------ line.c */

/* A part of a line. `ptr` NULL: the line has no such part. */
struct part {
  const char* ptr;
  uint32_t len;
};

/* An access-log line in combined format, optionally followed by seconds taken. */
struct line {
  struct part client, user, time, method, uri, path, query, proto;
  struct part status, bytes, referer, agent, duration;
  bool malformed; /* some part that the format requires is not there */
};

void line_parse(const char* text, uint32_t len, struct line* out);
bool part_number(struct part p, uint64_t* out);
/* "21/Nov/2026:07:58:01 +0100" to ns since the epoch, NO_TIME if it is not that. */
uint64_t part_time(struct part p);
/* "0.012" to ns. */
bool part_seconds(struct part p, uint64_t* out);
/* Only the time stamp of a line, for the event's own time. */
uint64_t line_time(const char* text, uint32_t len);

/* ---------------------------------------------------------------------- values.c */

/* Memory of extracted values: lives until the next reset; addresses never move. */
struct arena {
  struct block* first;
  struct block* current;
};

void* arena_alloc(struct arena* a, size_t size); /* NULL: out of memory */
void arena_reset(struct arena* a);
void arena_free(struct arena* a);

enum field {
  FIELD_CLIENT,
  FIELD_NET,
  FIELD_USER,
  FIELD_TIME,
  FIELD_METHOD,
  FIELD_URI,
  FIELD_PATH,
  FIELD_SEGMENT,
  FIELD_QUERY,
  FIELD_PARAMS,
  FIELD_PROTO,
  FIELD_STATUS,
  FIELD_BYTES,
  FIELD_REFERER,
  FIELD_AGENT,
  FIELD_IS_ERROR,
  FIELD_DURATION,
  FIELD_MALFORMED,
  FIELD_RAW,
  FIELD_COUNT
};

/* What a value is looked for in. */
struct subject {
  const struct line* line;
  struct part whole; /* the payload */
  uint64_t error_status;
  struct arena* arena;
};

/*
 * Fills `res` and `res_len` of one request. `places`: room for `max_places` parts,
 * filled with where each value stands in the payload. False: `err` says why.
 */
bool value_extract(const struct subject* s, ss_plugin_extract_field* f,
                   struct part* places, uint32_t max_places, char err[ERROR_SIZE]);

/* ---------------------------------------------------------------------- source.c */

struct source;

struct counters {
  uint64_t lines;
  uint64_t cut;
  uint64_t bytes;
  uint64_t reopened;
};

typedef void (*note_fn)(void* who, ss_plugin_log_severity sev, const char* text);

struct source* source_open(const char* path, const struct config* c, note_fn note,
                           void* who, char err[ERROR_SIZE]);
ss_plugin_rc source_next(struct source* s, const struct config* c,
                         struct counters* n, uint32_t* nevts, ss_plugin_event*** evts,
                         char err[ERROR_SIZE]);
const char* source_progress(struct source* s, uint32_t* pct);
void source_close(struct source* s);

#endif
