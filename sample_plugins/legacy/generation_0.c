/*
 * The glue for the draft of 2021 ("1.0.0"), 0.1 and 0.3.
 *
 *   LEGACY_API 0   the draft: events one by one with plugin_next, the old number for
 *                  the end, memory released with free()
 *   LEGACY_API 1   0.1: plugin_next and plugin_next_batch, plugin_free_mem
 *   LEGACY_API 3   0.3: memory stays ours, batches only, fields carry their id
 *
 * Up to 0.1 everything that is handed out (texts, events, payloads, values) belongs to
 * the caller, so it is allocated each time. From 0.2 on it is ours until the next call.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"

#define CALLER_OWNS (LEGACY_API < 2)

struct event {
  uint64_t evtnum;
  uint8_t* data;
  uint32_t datalen;
  uint64_t ts;
};
_Static_assert(sizeof(struct event) == 32, "layout of events up to 2.x");

struct extract_field {
#if LEGACY_API >= 2
  uint32_t field_id;
#endif
  const char* field;
  const char* arg;
  uint32_t ftype;
  bool field_present;
  const char* res_str;
  uint64_t res_u64;
};
_Static_assert(sizeof(struct extract_field) == (CALLER_OWNS ? 40 : 48),
               "layout of requests up to 0.3");

#if LEGACY_API == 1
/* How many pieces of memory the caller still has to give to plugin_free_mem. */
EXPORT int legacy_live_allocations;
#define COUNT(n) (legacy_live_allocations += (n))
#else
#define COUNT(n) ((void)(n))
#endif

/* A text the caller may keep: a copy as long as callers own what they get. */
static char* text_out(const char* text) {
#if CALLER_OWNS
  char* copy = strdup(text);
  COUNT(copy != NULL);
  return copy;
#else
  return (char*)(uintptr_t)text;
#endif
}

#if LEGACY_API == 1
EXPORT void plugin_free_mem(void* memory) {
  COUNT(-(memory != NULL));
  free(memory);
}
#endif

/* ------------------------------------------------------------------- information */

EXPORT char* plugin_get_required_api_version(void) {
  return text_out(LEGACY_API == 0 ? "1.0.0" : LEGACY_API == 1 ? "0.1.0" : "0.3.0");
}

EXPORT uint32_t plugin_get_type(void) {
  return 1; /* a source */
}

EXPORT char* plugin_get_name(void) {
  return text_out(LEGACY_NAME);
}

EXPORT char* plugin_get_description(void) {
  return text_out("Counts, in the manner of plugin API " LEGACY_VERSION);
}

EXPORT char* plugin_get_contact(void) {
  return text_out("the authors of the Falco Plugin Workbench");
}

EXPORT char* plugin_get_version(void) {
  return text_out("0.1.0");
}

EXPORT uint32_t plugin_get_id(void) {
  return LEGACY_ID;
}

EXPORT char* plugin_get_event_source(void) {
  return text_out(LEGACY_NAME);
}

EXPORT char* plugin_get_fields(void) {
  return text_out(
      "[{\"type\":\"uint64\",\"name\":\"legacy.value\",\"desc\":\"The number\"},"
      "{\"type\":\"string\",\"name\":\"legacy.text\",\"desc\":\"The payload\"},"
      "{\"type\":\"uint64\",\"name\":\"legacy.digit\",\"argRequired\":true,"
      "\"desc\":\"Digit of the number, counted from 0 on the left\"}]");
}

/* --------------------------------------------------------------------- lifecycle */

EXPORT void* plugin_init(const char* config, int32_t* rc) {
  return numbers_init(config, sizeof(struct state), rc);
}

EXPORT void plugin_destroy(struct state* s) {
  free(s);
}

EXPORT char* plugin_get_last_error(struct state* s) {
  return text_out(s != NULL ? s->error : "no state");
}

#if LEGACY_API >= 2
EXPORT const char* plugin_get_init_schema(int32_t* type) {
  *type = 0;
  return "";
}

EXPORT const char* plugin_list_open_params(struct state* s, int32_t* rc) {
  (void)s;
  *rc = RC_SUCCESS;
  return "[{\"value\":\"10\",\"desc\":\"ten numbers\"},"
         "{\"value\":\"100000\",\"desc\":\"a hundred thousand numbers\"}]";
}
#endif

/* ---------------------------------------------------------------------- sourcing */

struct capture {
  struct instance numbers;
  struct event events[BATCH];
  char payloads[BATCH][TEXT_SIZE];
};

EXPORT void* plugin_open(struct state* s, const char* params, int32_t* rc) {
  return numbers_open(s, params, sizeof(struct capture), rc);
}

EXPORT void plugin_close(struct state* s, struct capture* c) {
  (void)s;
  free(c);
}

/* Writes number after number as events at `out`. */
static void fill(struct capture* c, struct event* out, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const uint64_t number = c->numbers.next++;
    char* payload = c->payloads[i];
    snprintf(payload, TEXT_SIZE, "%" PRIu64, number);
    out[i] = (struct event){.evtnum = number,
                            .data = (uint8_t*)text_out(payload),
                            .datalen = (uint32_t)strlen(payload),
                            .ts = numbers_time(number)};
  }
}

static struct event* events_out(struct capture* c, uint32_t count) {
#if CALLER_OWNS
  struct event* events = calloc(count, sizeof *events);
  COUNT(events != NULL);
#else
  struct event* events = c->events;
#endif
  if (events != NULL) {
    fill(c, events, count);
  }
  return events;
}

#if CALLER_OWNS
/* One event. The end comes alone: there is no event to send it with. */
EXPORT int32_t plugin_next(struct state* s, struct capture* c, struct event** out) {
  int32_t rc;
  *out = NULL;
  if (numbers_batch(s, &c->numbers, 1, &rc) == 0) {
    return rc == RC_EOF && LEGACY_API == 0 ? RC_EOF_DRAFT : rc;
  }
  *out = events_out(c, 1);
  return *out != NULL ? RC_SUCCESS : RC_FAILURE;
}
#endif

#if LEGACY_API >= 1
EXPORT int32_t plugin_next_batch(struct state* s, struct capture* c, uint32_t* n,
                                 struct event** out) {
  int32_t rc;
  *out = NULL;
  *n = numbers_batch(s, &c->numbers, BATCH, &rc);
  if (*n > 0) {
    *out = events_out(c, *n);
  }
  return rc;
}
#endif

EXPORT char* plugin_get_progress(struct state* s, struct capture* c, uint32_t* pct) {
  (void)s;
  return text_out(numbers_progress(&c->numbers, pct));
}

EXPORT char* plugin_event_to_string(struct state* s, const uint8_t* data,
                                    uint32_t datalen) {
  return text_out(numbers_event_string(s, data, datalen));
}

/* -------------------------------------------------------------------- extraction */

/* The draft and 0.1 name the field, 0.3 numbers it too. */
static int field_of(const struct extract_field* f) {
#if LEGACY_API >= 2
  return (int)f->field_id;
#else
  return strcmp(f->field, "legacy.value") == 0  ? FIELD_VALUE
         : strcmp(f->field, "legacy.text") == 0 ? FIELD_TEXT
                                                : FIELD_DIGIT;
#endif
}

EXPORT int32_t plugin_extract_fields(struct state* s, const struct event* e,
                                     uint32_t count, struct extract_field* fields) {
  static char text[TEXT_SIZE];
  uint64_t number;
  if (!numbers_read(e->data, e->datalen, &number)) {
    snprintf(s->error, sizeof s->error, "the payload is no number");
    return RC_FAILURE;
  }
  snprintf(text, sizeof text, "%" PRIu64, number);
  for (uint32_t i = 0; i < count; i++) {
    struct extract_field* f = &fields[i];
    f->field_present = true;
    switch (field_of(f)) {
      case FIELD_VALUE:
        f->res_u64 = number;
        break;
      case FIELD_TEXT:
        f->res_str = text_out(text);
        break;
      default:
        f->field_present =
            f->arg != NULL && *f->arg != '\0' &&
            numbers_digit(number, strtoull(f->arg, NULL, 10), &f->res_u64);
    }
  }
  return RC_SUCCESS;
}

#if LEGACY_API == 0
/* An idea of the draft that was dropped before any release. Hosts leave it alone. */
EXPORT int32_t plugin_register_async_extractor(struct state* s, void* info) {
  (void)info;
  snprintf(s->error, sizeof s->error, "the async extractor is not to be used");
  return 9;
}
#endif
