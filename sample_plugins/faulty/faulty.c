/* A source that counts, until it does what the specification in faults.h tells. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <falco_plugin.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "faults.h"

#ifndef FAULTY_NAME
#define FAULTY_NAME "faulty"
#endif

#define FIRST_SECOND 1700000000u

struct instance {
  uint64_t next; /* number of the next event, from 1 */
  struct shape shape;
  char* blobs;
  ss_plugin_event** events;
  char progress[48];
};

/* The specification in the name of this library, or in the environment. Hosts may map
 * a copy of the file: then its name is behind a link in /proc. */
__attribute__((constructor)) static void on_load(void) {
  char name[4096];
  char err[256];
  Dl_info self;
  const char* text = getenv("FAULTY");
  if (dladdr((const void*)(uintptr_t)&text_of, &self) != 0 && self.dli_fname != NULL) {
    const ssize_t size = readlink(self.dli_fname, name, sizeof name - 1);
    if (size > 0) {
      name[size] = '\0';
    } else {
      snprintf(name, sizeof name, "%s", self.dli_fname);
    }
    const char* slash = strrchr(name, '/');
    char* mark = strstr(slash != NULL ? slash : name, "--");
    char* end = mark != NULL ? strstr(mark, ".so") : NULL;
    if (end != NULL) {
      *end = '\0';
      text = mark + 2;
    }
  }
  if (text != NULL && !faults_read(FROM_LIBRARY, text, err, sizeof err)) {
    fprintf(stderr, "faulty: %s\n", err);
  }
  fault_check(CALL_DLOPEN, 1);
}

/* ------------------------------------------------------------------- information */

const char* plugin_get_required_api_version(void) {
  return text_of(CALL_VERSION, PLUGIN_API_VERSION_STR);
}

const char* plugin_get_name(void) {
  return text_of(CALL_GET_NAME, FAULTY_NAME);
}

const char* plugin_get_version(void) {
  return text_of(CALL_GET_VERSION, "1.0.0");
}

const char* plugin_get_description(void) {
  return text_of(CALL_GET_DESCRIPTION, "Counts until it fails in the way asked for");
}

const char* plugin_get_contact(void) {
  return text_of(CALL_GET_CONTACT, "the authors of the Falco Plugin Workbench");
}

const char* plugin_get_event_source(void) {
  return text_of(CALL_GET_EVENT_SOURCE, "faulty");
}

uint32_t plugin_get_id(void) {
  return fault_check(CALL_GET_ID, 1) == WRONG_ID ? 0 : 999;
}

const char* plugin_get_init_schema(ss_plugin_schema_type* schema_type) {
  const enum wrong wrong = fault_check(CALL_GET_SCHEMA, 1);
  *schema_type = SS_PLUGIN_SCHEMA_NONE;
  if (wrong == WRONG_TYPE) {
    *schema_type = (ss_plugin_schema_type)77;
    return "{}";
  }
  if (wrong != RIGHT) {
    *schema_type = SS_PLUGIN_SCHEMA_JSON;
  }
  return wrong_text(wrong, "");
}

const char* plugin_get_fields(void) {
  return text_of(
      CALL_GET_FIELDS,
      "[{\"type\":\"uint64\",\"name\":\"faulty.number\",\"desc\":\"The number\"},"
      "{\"type\":\"string\",\"name\":\"faulty.text\",\"desc\":\"The payload\"},"
      "{\"type\":\"string\",\"name\":\"faulty.list\",\"isList\":true,"
      "\"desc\":\"Three texts\"},"
      "{\"type\":\"ipaddr\",\"name\":\"faulty.address\",\"desc\":\"An address\"},"
      "{\"type\":\"string\",\"name\":\"faulty.echo\",\"arg\":{\"isKey\":true},"
      "\"desc\":\"The argument\"}]");
}

const char* plugin_get_extract_event_sources(void) {
  return text_of(CALL_GET_SOURCES, "[\"faulty\"]");
}

uint16_t* plugin_get_extract_event_types(uint32_t* numtypes, ss_plugin_t* s) {
  static uint16_t types[] = {FALCO_PLUGIN_EVENT_TYPE};
  (void)s;
  return types_of(CALL_GET_TYPES, types, numtypes);
}

/* --------------------------------------------------------------------- lifecycle */

ss_plugin_t* plugin_init(const ss_plugin_init_input* input, ss_plugin_rc* rc) {
  struct state* s = calloc(1, sizeof *s);
  const char* config = input->config != NULL ? input->config : "";
  if (s == NULL) {
    *rc = SS_PLUGIN_FAILURE;
    return NULL;
  }
  *rc = SS_PLUGIN_SUCCESS;
  if (*config != '{' &&
      !faults_read(FROM_CONFIG, config, s->error, sizeof s->error)) {
    *rc = SS_PLUGIN_FAILURE;
    return s;
  }
  const enum wrong wrong = fault_check(CALL_INIT, 1);
  *rc = code_of(s, wrong, SS_PLUGIN_SUCCESS);
  if (wrong == WRONG_NULL) {
    *rc = SS_PLUGIN_FAILURE;
    free(s);
    return NULL;
  }
  return wrong == WRONG_POINTER ? UNMAPPED : s;
}

void plugin_destroy(ss_plugin_t* plugin) {
  fault_check(CALL_DESTROY, 1);
  free(plugin);
}

const char* plugin_get_last_error(ss_plugin_t* plugin) {
  struct state* s = plugin;
  return text_of(CALL_LAST_ERROR, s != NULL ? s->error : "no state");
}

ss_plugin_rc plugin_set_config(ss_plugin_t* plugin,
                               const ss_plugin_set_config_input* i) {
  (void)i;
  return code_of(plugin, fault_check(CALL_SET_CONFIG, 1), SS_PLUGIN_SUCCESS);
}

ss_plugin_metric* plugin_get_metrics(ss_plugin_t* plugin, uint32_t* num_metrics) {
  struct state* s = plugin;
  const enum wrong wrong = fault_check(CALL_METRICS, 1);
  s->metric = (ss_plugin_metric){.name = wrong_text(wrong, "extracted"),
                                 .type = SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC,
                                 .value = {.u64 = s->number},
                                 .value_type = SS_PLUGIN_METRIC_VALUE_TYPE_U64};
  *num_metrics = wrong == WRONG_COUNT ? UINT32_MAX : 1;
  if (wrong == WRONG_TYPE) {
    s->metric.value_type = (ss_plugin_metric_value_type)77;
  }
  return &s->metric;
}

const char* plugin_list_open_params(ss_plugin_t* plugin, ss_plugin_rc* rc) {
  const enum wrong wrong = fault_check(CALL_LIST_PARAMS, 1);
  *rc = code_of(plugin, wrong, SS_PLUGIN_SUCCESS);
  return wrong_text(wrong,
                    "[{\"value\":\"events=1000\",\"desc\":\"sound events\"},"
                    "{\"value\":\"segfault@extract:100\",\"desc\":\"a crash\"},"
                    "{\"value\":\"hang@next_batch:100\",\"desc\":\"a hang\"}]");
}

/* ---------------------------------------------------------------------- sourcing */

ss_instance_t* plugin_open(ss_plugin_t* plugin, const char* params, ss_plugin_rc* rc) {
  struct state* s = plugin;
  *rc = SS_PLUGIN_FAILURE;
  if (!faults_read(FROM_PARAMS, params, s->error, sizeof s->error)) {
    return NULL;
  }
  const enum wrong wrong = fault_check(CALL_OPEN, 1);
  if (wrong == WRONG_NULL || wrong == WRONG_FAIL) {
    snprintf(s->error, sizeof s->error, "failing, as it was asked for");
    return NULL;
  }
  struct instance* h = calloc(1, sizeof *h);
  if (h == NULL) {
    return NULL;
  }
  h->shape = faults_shape();
  h->next = 1;
  h->blobs = calloc(h->shape.batch, FALCO_PLUGIN_EVENT_OVERHEAD + PAYLOAD_SIZE);
  h->events = calloc(h->shape.batch, sizeof *h->events);
  *rc = code_of(s, wrong, SS_PLUGIN_SUCCESS);
  return h;
}

void plugin_close(ss_plugin_t* plugin, ss_instance_t* instance) {
  struct instance* h = instance;
  (void)plugin;
  fault_check(CALL_CLOSE, 1);
  if (h != NULL) {
    free(h->blobs);
    free(h->events);
    free(h);
  }
}

/* Makes the event at `where` wrong in the way asked for. */
static void spoil(enum wrong wrong, char* where) {
  const uint32_t value = (uint32_t)fault_number(wrong == WRONG_ID ? 5 : 0x7ffffff0u);
  const uint16_t type = (uint16_t)fault_number(1);
  if (wrong == WRONG_ID) {
    memcpy(where + 34, &value, 4);
  } else if (wrong == WRONG_LENGTH) {
    memcpy(where + 30, &value, 4);
  } else if (wrong == WRONG_HUGE) {
    memcpy(where + 16, &value, 4);
  } else if (wrong == WRONG_TYPE) {
    memcpy(where + 20, &type, 2);
  }
}

ss_plugin_rc plugin_next_batch(ss_plugin_t* plugin, ss_instance_t* instance,
                               uint32_t* nevts, ss_plugin_event*** evts) {
  struct state* s = plugin;
  struct instance* h = instance;
  const size_t each = FALCO_PLUGIN_EVENT_OVERHEAD + PAYLOAD_SIZE;
  ss_plugin_rc rc = SS_PLUGIN_SUCCESS;
  uint32_t count = 0;
  if (h->next > h->shape.events) {
    *nevts = 0;
    *evts = NULL;
    return SS_PLUGIN_EOF;
  }
  *evts = h->events;
  while (count < h->shape.batch && h->next <= h->shape.events) {
    char* where = h->blobs + count * each;
    const enum wrong wrong = fault_check(CALL_NEXT_BATCH, h->next);
    if (wrong == WRONG_SILENT) {
      return SS_PLUGIN_SUCCESS;
    }
    rc = code_of(s, wrong, SS_PLUGIN_SUCCESS);
    if (rc != SS_PLUGIN_SUCCESS) {
      h->next++;
      break; /* the events before this one go with the code */
    }
    char text[PAYLOAD_SIZE];
    const int len = snprintf(text, sizeof text, "event %" PRIu64, h->next);
    memcpy(falco_plugin_event_begin(where, (FIRST_SECOND + h->next) * 1000000000u,
                                    (uint32_t)len),
           text, (size_t)len);
    spoil(wrong, where);
    h->events[count++] = (ss_plugin_event*)(void*)where;
    h->next++;
    if (wrong == WRONG_NULL) {
      h->events[count - 1] = NULL;
    } else if (wrong == WRONG_POINTER) {
      h->events[count - 1] = UNMAPPED;
    } else if (wrong == WRONG_EMPTY) {
      count = 0;
      break;
    } else if (wrong == WRONG_COUNT) {
      count = UINT32_MAX;
      break;
    }
  }
  *nevts = count;
  return rc;
}

const char* plugin_get_progress(ss_plugin_t* plugin, ss_instance_t* instance,
                                uint32_t* progress_pct) {
  struct instance* h = instance;
  (void)plugin;
  const enum wrong wrong = fault_check(CALL_PROGRESS, 1);
  const double done = (double)(h->next - 1);
  *progress_pct = wrong == WRONG_COUNT ? UINT32_MAX
                  : h->shape.events == 0
                      ? 10000
                      : (uint32_t)(done / (double)h->shape.events * 10000.0);
  snprintf(h->progress, sizeof h->progress, "%" PRIu64 " events", h->next - 1);
  return wrong_text(wrong, h->progress);
}

const char* plugin_event_to_string(ss_plugin_t* plugin,
                                   const ss_plugin_event_input* evt) {
  struct state* s = plugin;
  char text[PAYLOAD_SIZE];
  const uint64_t number = number_of(evt->evt, text);
  snprintf(s->text, sizeof s->text, "<%s>", text);
  return wrong_text(fault_check(CALL_TO_STRING, number), s->text);
}

/* -------------------------------------------------------------------- extraction */

/* The right answer to one request. */
static void answer(struct state* s, ss_plugin_extract_field* f) {
  f->res_len = 1;
  f->res.str = s->texts;
  switch (f->field_id) {
    case 0:
      f->res.u64 = &s->number;
      break;
    case 1:
      break;
    case 2:
      f->res_len = 3;
      break;
    case 3:
      memcpy(s->address_bytes, "\x0a\x00\x00\x01", 4);
      s->address = (ss_plugin_byte_buffer){4, s->address_bytes};
      f->res.buf = &s->address;
      break;
    default:
      f->res_len = f->arg_present && f->arg_key != NULL ? 1 : 0;
      s->texts[0] = f->arg_key;
  }
}

/* Makes a right answer wrong. */
static void spoil_answer(struct state* s, enum wrong wrong, ss_plugin_extract_field* f) {
  if (wrong == WRONG_POINTER) {
    f->res.str = UNMAPPED;
  } else if (wrong == WRONG_COUNT) {
    f->res_len = fault_number(UINT64_MAX / 16);
  } else if (wrong == WRONG_LENGTH && f->field_id == 3) {
    s->address.len = (uint32_t)fault_number(7);
  } else if (wrong == WRONG_EMPTY) {
    f->res_len = 0;
  } else if (wrong == WRONG_NULL && f->field_id == 3) {
    s->address.ptr = NULL;
  } else if (f->field_id == 1 || f->field_id == 2) {
    s->texts[0] = wrong_text(wrong, s->texts[0]);
  }
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t* plugin,
                                   const ss_plugin_event_input* evt,
                                   const ss_plugin_field_extract_input* in) {
  struct state* s = plugin;
  const uint64_t number = number_of(evt->evt, s->number_text);
  const enum wrong wrong = fault_check(CALL_EXTRACT, number);
  if (wrong == WRONG_SILENT) {
    return SS_PLUGIN_SUCCESS;
  }
  s->number = number;
  for (uint32_t i = 0; i < in->num_fields; i++) {
    s->texts[0] = s->number_text;
    s->texts[1] = "two";
    s->texts[2] = "three";
    answer(s, &in->fields[i]);
    spoil_answer(s, wrong, &in->fields[i]);
  }
  return code_of(s, wrong, SS_PLUGIN_SUCCESS);
}
