/*
 * The glue for 1.0 and 2.0, which have one layout: capabilities instead of types,
 * results as arrays, arguments as key and index, and truth values of one byte.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "since_1.h"

struct event {
  uint64_t evtnum;
  uint8_t* data;
  uint32_t datalen;
  uint64_t ts;
};
_Static_assert(sizeof(struct event) == 32, "layout of events up to 2.x");

struct extract_field {
  union {
    const char** str;
    uint64_t* u64;
    const void* any;
  } res;
  uint64_t res_len;
  uint32_t field_id;
  const char* field;
  const char* arg_key;
  uint64_t arg_index;
  bool arg_present;
  uint32_t ftype;
  bool flist;
};
_Static_assert(sizeof(struct extract_field) == 64, "layout of requests, 1.0 to 2.x");

EXPORT const char* plugin_get_required_api_version(void) {
  return LEGACY_API == 1 ? "1.0.0" : "2.0.0";
}

EXPORT const char* plugin_get_fields(void) {
  return "[{\"type\":\"uint64\",\"name\":\"legacy.value\",\"desc\":\"The number\"},"
         "{\"type\":\"string\",\"name\":\"legacy.text\",\"desc\":\"The payload\"},"
         "{\"type\":\"uint64\",\"name\":\"legacy.digit\","
         "\"arg\":{\"isRequired\":true,\"isIndex\":true},"
         "\"desc\":\"Digit of the number, counted from 0 on the left\"},"
         "{\"type\":\"uint64\",\"name\":\"legacy.digits\",\"isList\":true,"
         "\"desc\":\"All digits of the number\"}]";
}

EXPORT struct plugin* plugin_init(const char* config, int32_t* rc) {
  return numbers_init(config, sizeof(struct plugin), rc);
}

EXPORT const char* plugin_get_init_schema(int32_t* type) {
  *type = 0;
  return "";
}

struct capture {
  struct instance numbers;
  struct event events[BATCH];
  char payloads[BATCH][TEXT_SIZE];
};

EXPORT struct capture* plugin_open(struct plugin* p, const char* params, int32_t* rc) {
  return numbers_open(&p->numbers, params, sizeof(struct capture), rc);
}

EXPORT void plugin_close(struct plugin* p, struct capture* c) {
  (void)p;
  free(c);
}

/* `out` points at an array of events: one pointer less than from 3.0 on. */
EXPORT int32_t plugin_next_batch(struct plugin* p, struct capture* c, uint32_t* n,
                                 struct event** out) {
  int32_t rc;
  *n = numbers_batch(&p->numbers, &c->numbers, BATCH, &rc);
  for (uint32_t i = 0; i < *n; i++) {
    const uint64_t number = c->numbers.next++;
    const int len = snprintf(c->payloads[i], TEXT_SIZE, "%" PRIu64, number);
    c->events[i] = (struct event){.evtnum = number,
                                  .data = (uint8_t*)c->payloads[i],
                                  .datalen = (uint32_t)len,
                                  .ts = numbers_time(number)};
  }
  *out = c->events;
  return rc;
}

EXPORT const char* plugin_get_progress(struct plugin* p, struct capture* c,
                                       uint32_t* pct) {
  (void)p;
  return numbers_progress(&c->numbers, pct);
}

EXPORT const char* plugin_event_to_string(struct plugin* p, const struct event* e) {
  return numbers_event_string(&p->numbers, e->data, e->datalen);
}

EXPORT int32_t plugin_extract_fields(struct plugin* p, const struct event* e,
                                     uint32_t count, struct extract_field* fields) {
  uint64_t number;
  if (!number_of(p, e->data, e->datalen, &number)) {
    return RC_FAILURE;
  }
  for (uint32_t i = 0; i < count; i++) {
    struct extract_field* f = &fields[i];
    f->res.any =
        answer(p, number, f->field_id, f->arg_present, f->arg_index, &f->res_len);
  }
  return RC_SUCCESS;
}
