/*
 * The glue for 3.0: events are blobs of the engine's own format, batches are arrays of
 * pointers to them, and init, extraction and event_to_string take structures. Only the
 * members that 3.0 had are declared; hosts of today pass longer structures.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "since_1.h"

#define HEAD 38 /* bytes of a plugin event before its payload */
#define PLUGIN_EVENT 322

struct event_input {
  const char* event;
  uint64_t evtnum;
  const char* evtsrc;
};

struct init_input {
  const char* config;
  void* owner;
  const char* (*get_owner_last_error)(void* owner);
  const void* tables;
};
_Static_assert(sizeof(struct init_input) == 32, "layout of init in 3.0");

struct extract_field {
  union {
    const char** str;
    uint64_t* u64;
    const void* any;
    uint32_t* boolean;
  } res;
  uint64_t res_len;
  uint32_t field_id;
  const char* field;
  const char* arg_key;
  uint64_t arg_index;
  uint32_t arg_present;
  uint32_t ftype;
  uint32_t flist;
};
_Static_assert(sizeof(struct extract_field) == 64, "layout of requests in 3.x");

struct extract_input {
  void* owner;
  const char* (*get_owner_last_error)(void* owner);
  uint32_t num_fields;
  struct extract_field* fields;
  void* table_reader[4];
};
_Static_assert(sizeof(struct extract_input) == 64, "layout of extraction in 3.0");

EXPORT const char* plugin_get_required_api_version(void) {
  return "3.0.0";
}

EXPORT const char* plugin_get_fields(void) {
  return "[{\"type\":\"uint64\",\"name\":\"legacy.value\",\"desc\":\"The number\"},"
         "{\"type\":\"string\",\"name\":\"legacy.text\",\"desc\":\"The payload\"},"
         "{\"type\":\"uint64\",\"name\":\"legacy.digit\","
         "\"arg\":{\"isRequired\":true,\"isIndex\":true},"
         "\"desc\":\"Digit of the number, counted from 0 on the left\"},"
         "{\"type\":\"uint64\",\"name\":\"legacy.digits\",\"isList\":true,"
         "\"desc\":\"All digits of the number\"},"
         "{\"type\":\"bool\",\"name\":\"legacy.odd\","
         "\"desc\":\"The number is odd; the type is new in 3.0\"}]";
}

/* In 3.0 there was one argument; hosts may pass a second one, which is harmless. */
EXPORT uint16_t* plugin_get_extract_event_types(uint32_t* count) {
  static uint16_t types[] = {PLUGIN_EVENT};
  *count = 1;
  return types;
}

EXPORT struct plugin* plugin_init(const struct init_input* in, int32_t* rc) {
  return numbers_init(in->config, sizeof(struct plugin), rc);
}

struct capture {
  struct instance numbers;
  char* events[BATCH];
  char blobs[BATCH][HEAD + TEXT_SIZE];
};

EXPORT struct capture* plugin_open(struct plugin* p, const char* params, int32_t* rc) {
  return numbers_open(&p->numbers, params, sizeof(struct capture), rc);
}

EXPORT void plugin_close(struct plugin* p, struct capture* c) {
  (void)p;
  free(c);
}

/* Writes the blob of one event: head, lengths of two parameters, id, payload. */
static void write_event(char* blob, uint64_t number) {
  const uint64_t ts = numbers_time(number);
  const uint64_t tid = UINT64_MAX;
  const uint32_t size =
      (uint32_t)snprintf(blob + HEAD, TEXT_SIZE, "%" PRIu64, number);
  const uint32_t total = HEAD + size;
  const uint16_t type = PLUGIN_EVENT;
  const uint32_t rest[] = {2, 4, size, LEGACY_ID};
  memcpy(blob, &ts, 8);
  memcpy(blob + 8, &tid, 8);
  memcpy(blob + 16, &total, 4);
  memcpy(blob + 20, &type, 2);
  memcpy(blob + 22, rest, 16);
}

EXPORT int32_t plugin_next_batch(struct plugin* p, struct capture* c, uint32_t* n,
                                 char*** out) {
  int32_t rc;
  *n = numbers_batch(&p->numbers, &c->numbers, BATCH, &rc);
  for (uint32_t i = 0; i < *n; i++) {
    c->events[i] = c->blobs[i];
    write_event(c->blobs[i], c->numbers.next++);
  }
  *out = c->events;
  return rc;
}

EXPORT const char* plugin_get_progress(struct plugin* p, struct capture* c,
                                       uint32_t* pct) {
  (void)p;
  return numbers_progress(&c->numbers, pct);
}

/* The payload of an event blob and its size. */
static const char* payload_of(const char* event, uint32_t* size) {
  memcpy(size, event + 30, 4);
  return event + HEAD;
}

EXPORT const char* plugin_event_to_string(struct plugin* p,
                                          const struct event_input* in) {
  uint32_t size;
  const char* payload = payload_of(in->event, &size);
  return numbers_event_string(&p->numbers, payload, size);
}

EXPORT int32_t plugin_extract_fields(struct plugin* p, const struct event_input* e,
                                     const struct extract_input* in) {
  uint64_t number;
  uint32_t size;
  const char* payload = payload_of(e->event, &size);
  if (!number_of(p, payload, size, &number)) {
    return RC_FAILURE;
  }
  for (uint32_t i = 0; i < in->num_fields; i++) {
    struct extract_field* f = &in->fields[i];
    f->res.any =
        answer(p, number, f->field_id, f->arg_present, f->arg_index, &f->res_len);
  }
  return RC_SUCCESS;
}
