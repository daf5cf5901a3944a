/*
 * The glue for 1.0 and 2.0, which have one layout: capabilities instead of types,
 * results as arrays, arguments as key and index, and truth values of one byte.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"

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

struct plugin {
  struct state numbers;
  uint64_t value[2]; /* FIELD_VALUE and FIELD_DIGIT */
  char text[TEXT_SIZE];
  const char* texts[1];
  uint64_t digits[TEXT_SIZE];
};

EXPORT const char* plugin_get_required_api_version(void) {
  return LEGACY_API == 1 ? "1.0.0" : "2.0.0";
}

EXPORT const char* plugin_get_name(void) {
  return LEGACY_NAME;
}

EXPORT const char* plugin_get_description(void) {
  return "Counts, in the manner of plugin API " LEGACY_VERSION;
}

EXPORT const char* plugin_get_contact(void) {
  return "the authors of the Falco Plugin Workbench";
}

EXPORT const char* plugin_get_version(void) {
  return "0.1.0";
}

EXPORT uint32_t plugin_get_id(void) {
  return LEGACY_ID;
}

EXPORT const char* plugin_get_event_source(void) {
  return LEGACY_NAME;
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
  struct state* begun = numbers_init(config, rc);
  struct plugin* p = calloc(1, sizeof *p);
  if (begun == NULL || p == NULL) {
    *rc = RC_FAILURE;
  } else {
    p->numbers = *begun;
  }
  free(begun);
  return p;
}

EXPORT void plugin_destroy(struct plugin* p) {
  free(p);
}

EXPORT const char* plugin_get_last_error(struct plugin* p) {
  return p != NULL ? p->numbers.error : "no state";
}

EXPORT const char* plugin_get_init_schema(int32_t* type) {
  *type = 0;
  return "";
}

EXPORT const char* plugin_list_open_params(struct plugin* p, int32_t* rc) {
  (void)p;
  *rc = RC_SUCCESS;
  return "[{\"value\":\"10\",\"desc\":\"ten numbers\"},"
         "{\"value\":\"100000\",\"desc\":\"a hundred thousand numbers\"}]";
}

struct capture {
  struct instance numbers;
  struct event events[BATCH];
  char payloads[BATCH][TEXT_SIZE];
};

EXPORT struct capture* plugin_open(struct plugin* p, const char* params, int32_t* rc) {
  struct capture* c = NULL;
  struct instance* opened = numbers_open(&p->numbers, params, rc);
  if (opened != NULL) {
    c = calloc(1, sizeof *c);
    if (c != NULL) {
      c->numbers = *opened;
    } else {
      *rc = RC_FAILURE;
    }
    free(opened);
  }
  return c;
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
  if (!numbers_read(e->data, e->datalen, &number)) {
    snprintf(p->numbers.error, sizeof p->numbers.error, "the payload is no number");
    return RC_FAILURE;
  }
  for (uint32_t i = 0; i < count; i++) {
    struct extract_field* f = &fields[i];
    f->res_len = 1;
    switch (f->field_id) {
      case FIELD_VALUE:
        p->value[0] = number;
        f->res.u64 = &p->value[0];
        break;
      case FIELD_TEXT:
        snprintf(p->text, sizeof p->text, "%" PRIu64, number);
        p->texts[0] = p->text;
        f->res.str = p->texts;
        break;
      case FIELD_DIGIT:
        f->res_len = f->arg_present && numbers_digit(number, f->arg_index, &p->value[1]);
        f->res.u64 = &p->value[1];
        break;
      default:
        f->res_len = 0;
        while (numbers_digit(number, f->res_len, &p->digits[f->res_len])) {
          f->res_len++;
        }
        f->res.u64 = p->digits;
    }
  }
  return RC_SUCCESS;
}
