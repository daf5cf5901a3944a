/*
 * @NAME@: a Falco plugin that counts, and says what it counted.
 *
 * An event's payload is a number in decimal text. Replace plugin_next_batch with your
 * own source and plugin_extract_fields with your own fields.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "falco_plugin.h"

#define BATCH 128
/* The longest payload: 20 digits of a 64-bit number and a NUL. */
#define ROOM 21

/* What belongs to one loaded plugin. */
typedef struct {
  uint64_t step;
  char error[256];
  char text[64];
  /* Lent to the framework until the next extraction. */
  uint64_t number, divisible;
  ss_plugin_bool even;
  const char* string;
  char value[ROOM];
} state;

/* One open stream. */
typedef struct {
  uint64_t done, end;
  char progress[64];
  char bytes[BATCH][FALCO_PLUGIN_EVENT_OVERHEAD + ROOM];
  ss_plugin_event* events[BATCH];
} stream;

const char* plugin_get_required_api_version(void) { return PLUGIN_API_VERSION_STR; }
const char* plugin_get_name(void) { return "@NAME@"; }
const char* plugin_get_version(void) { return "0.1.0"; }
const char* plugin_get_description(void) { return "Counts, and says what it counted"; }
const char* plugin_get_contact(void) { return "@CONTACT@"; }
uint32_t plugin_get_id(void) { return 999; /* for trials; ask for one of your own */ }
const char* plugin_get_event_source(void) { return "@NAME@"; }

const char* plugin_get_init_schema(ss_plugin_schema_type* type) {
  *type = SS_PLUGIN_SCHEMA_JSON;
  return "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
         "\"step\": {\"type\": \"integer\", \"minimum\": 1, \"default\": 1,"
         " \"description\": \"How much each event adds to the count\"}}}";
}

/* The framework has checked the config against the schema: find one number in it. */
static uint64_t read_step(const char* config) {
  const char* key = strstr(config, "\"step\"");
  const char* colon = key ? strchr(key, ':') : NULL;
  const uint64_t step = colon ? strtoull(colon + 1, NULL, 10) : 1;
  return step ? step : 1;
}

ss_plugin_t* plugin_init(const ss_plugin_init_input* input, ss_plugin_rc* rc) {
  state* s = calloc(1, sizeof *s);
  *rc = s ? SS_PLUGIN_SUCCESS : SS_PLUGIN_FAILURE;
  if (s) {
    s->step = read_step(input->config ? input->config : "");
  }
  return s;
}

void plugin_destroy(ss_plugin_t* s) { free(s); }

const char* plugin_get_last_error(ss_plugin_t* s) { return s ? ((state*)s)->error : ""; }

const char* plugin_list_open_params(ss_plugin_t* s, ss_plugin_rc* rc) {
  (void)s;
  *rc = SS_PLUGIN_SUCCESS;
  return "[{\"value\": \"1000\", \"desc\": \"count a thousand events\"}]";
}

ss_instance_t* plugin_open(ss_plugin_t* s, const char* params, ss_plugin_rc* rc) {
  char* rest = NULL;
  uint64_t end = 1000;
  *rc = SS_PLUGIN_FAILURE;
  if (params && *params) {
    errno = 0;
    end = strtoull(params, &rest, 10);
    if (*rest || errno || *params == '-') {
      snprintf(((state*)s)->error, sizeof ((state*)s)->error,
               "open params: '%.100s' is no number of events", params);
      return NULL;
    }
  }
  stream* h = calloc(1, sizeof *h);
  if (h) {
    h->end = end;
    *rc = SS_PLUGIN_SUCCESS;
  }
  return h;
}

void plugin_close(ss_plugin_t* s, ss_instance_t* h) {
  (void)s;
  free(h);
}

ss_plugin_rc plugin_next_batch(ss_plugin_t* s, ss_instance_t* handle, uint32_t* nevts,
                               ss_plugin_event*** evts) {
  stream* h = handle;
  uint32_t n = 0;
  for (; n < BATCH && h->done < h->end; n++, h->done++) {
    char text[ROOM];
    const int len =
        snprintf(text, sizeof text, "%" PRIu64, h->done * ((state*)s)->step);
    /* UINT64_MAX: the framework takes the time of now. */
    memcpy(falco_plugin_event_begin(h->bytes[n], UINT64_MAX, (uint32_t)len), text,
           (size_t)len);
    h->events[n] = (ss_plugin_event*)h->bytes[n];
  }
  *nevts = n;
  *evts = h->events;
  return h->done < h->end ? SS_PLUGIN_SUCCESS : SS_PLUGIN_EOF;
}

const char* plugin_get_progress(ss_plugin_t* s, ss_instance_t* handle, uint32_t* pct) {
  stream* h = handle;
  (void)s;
  *pct = h->end ? (uint32_t)(10000.0 * (double)h->done / (double)h->end) : 10000;
  snprintf(h->progress, sizeof h->progress, "%" PRIu64 " of %" PRIu64 " events", h->done,
           h->end);
  return h->progress;
}

/* Reads the payload, which may come from anywhere: never trust its length. */
static int read_number(const ss_plugin_event* evt, char text[ROOM], uint64_t* value) {
  uint32_t len = 0;
  char* rest = NULL;
  const char* data = falco_plugin_payload(evt, &len);
  if (data == NULL || len == 0 || len >= ROOM) {
    return 0;
  }
  memcpy(text, data, len);
  text[len] = 0;
  *value = strtoull(text, &rest, 10);
  return *rest == 0;
}

const char* plugin_event_to_string(ss_plugin_t* s, const ss_plugin_event_input* in) {
  state* p = s;
  char text[ROOM];
  uint64_t value;
  if (!read_number(in->evt, text, &value)) {
    return "not a number";
  }
  snprintf(p->text, sizeof p->text, "counted to %" PRIu64, value);
  return p->text;
}

const char* plugin_get_fields(void) {
  return "[{\"type\": \"uint64\", \"name\": \"@FIELD@.value\","
         "  \"desc\": \"The number counted to\"},"
         " {\"type\": \"string\", \"name\": \"@FIELD@.text\","
         "  \"desc\": \"The number as text\"},"
         " {\"type\": \"bool\", \"name\": \"@FIELD@.even\","
         "  \"desc\": \"True for even numbers\"},"
         " {\"type\": \"uint64\", \"name\": \"@FIELD@.divisible\","
         "  \"arg\": {\"isRequired\": true, \"isIndex\": true},"
         "  \"desc\": \"1 if the number is divisible by the argument, else 0\"}]";
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t* s, const ss_plugin_event_input* evt,
                                   const ss_plugin_field_extract_input* in) {
  state* p = s;
  uint64_t value;
  const int sound = read_number(evt->evt, p->value, &value);
  for (uint32_t i = 0; i < in->num_fields; i++) {
    ss_plugin_extract_field* f = &in->fields[i];
    f->res_len = 0; /* absent, until we know better */
    if (!sound || f->field_id > 3) {
      continue;
    }
    switch (f->field_id) {
      case 0:
        p->number = value;
        f->res.u64 = &p->number;
        break;
      case 1:
        p->string = p->value;
        f->res.str = &p->string;
        break;
      case 2:
        p->even = value % 2 == 0;
        f->res.boolean = &p->even;
        break;
      default:
        if (f->arg_index == 0) {
          continue; /* nothing is divisible by 0 */
        }
        p->divisible = value % f->arg_index == 0;
        f->res.u64 = &p->divisible;
    }
    f->res_len = 1;
  }
  return SS_PLUGIN_SUCCESS;
}
