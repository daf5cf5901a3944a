/*
 * Faults: what goes wrong, in which call, at which event. What faulty.c needs to know.
 *
 *   specification   fault[=number]@call[:event], several joined by commas
 *                   "segfault@extract:100"  "stdout@init,hang@next_batch:7"
 *   where it stands open params, init config, the environment variable FAULTY, or the
 *                   name of the library file after "--", as in
 *                   libfaulty--segfault@dlopen.so
 *
 * Faults that end or stop the process happen inside fault_check. The others are handed
 * to the call, which answers wrongly in the way they name.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_FAULTS 16

/* Wrong answers, for the calls themselves to give. */
enum wrong {
  RIGHT = 0,
  WRONG_NULL, /* "null": NULL for a text, a state, a batch, an element */
  WRONG_EMPTY, /* "empty": "" for a text, no events with SUCCESS */
  WRONG_JSON, /* "badjson", "badjson=1" ...: see bad_json */
  WRONG_HUGE, /* "huge": a text of 16 MiB, or of the number; an event of 2 GiB */
  WRONG_BYTES, /* "bytes": text that is no UTF-8 */
  WRONG_HTML, /* "html": text that is markup */
  WRONG_POINTER, /* "pointer": an address that is not mapped */
  WRONG_COUNT, /* "count": far more values, events or types than there are */
  WRONG_ID, /* "id": another plugin's id */
  WRONG_LENGTH, /* "length": an event whose lengths disagree */
  WRONG_TYPE, /* "type": an event of a type that plugins do not make */
  WRONG_CODE, /* "code": a return code nobody knows, or the number given */
  WRONG_FAIL, /* "fail": failure, and the last error says so */
  WRONG_SILENT /* "silent": outputs and return code left untouched */
};

enum call {
  CALL_DLOPEN,
  CALL_VERSION, /* get_required_api_version */
  CALL_GET_NAME,
  CALL_GET_VERSION,
  CALL_GET_DESCRIPTION,
  CALL_GET_CONTACT,
  CALL_GET_EVENT_SOURCE,
  CALL_GET_ID,
  CALL_GET_FIELDS,
  CALL_GET_SOURCES, /* get_extract_event_sources */
  CALL_GET_TYPES, /* get_extract_event_types */
  CALL_GET_SCHEMA,
  CALL_INIT,
  CALL_LAST_ERROR,
  CALL_LIST_PARAMS,
  CALL_OPEN,
  CALL_NEXT_BATCH,
  CALL_PROGRESS,
  CALL_EXTRACT,
  CALL_TO_STRING,
  CALL_METRICS,
  CALL_CLOSE,
  CALL_DESTROY,
  CALL_SET_CONFIG,
  /* of libfaulty_live.so only */
  CALL_GET_PARSE_SOURCES,
  CALL_GET_PARSE_TYPES,
  CALL_PARSE,
  CALL_GET_ASYNC_EVENTS,
  CALL_GET_ASYNC_SOURCES,
  CALL_SET_ASYNC,
  CALL_SEND, /* "send": the thread that sends async events; event: which of them */
  CALL_DUMP_STATE,
  CALL_CAPTURE_OPEN,
  CALL_CAPTURE_CLOSE,
  CALL_COUNT
};

/* How a capture is to be: "events=1000" and "batch=32" in a specification. */
struct shape {
  uint64_t events;
  uint64_t batch;
};

/* Which texts the faults that are in force come from. A later one replaces its kind. */
enum origin { FROM_LIBRARY, FROM_CONFIG, FROM_PARAMS };

/* Reads `text`. False: `err` says what is wrong with it. */
bool faults_read(enum origin origin, const char* text, char* err, uint32_t size);
struct shape faults_shape(void);
/* Does what is due in this call at this event; what is left is for the call to do. */
enum wrong fault_check(enum call call, uint64_t event);
/* The number of the last fault that fault_check returned; `otherwise` if none given. */
uint64_t fault_number(uint64_t otherwise);

#endif
