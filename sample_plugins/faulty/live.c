/*
 * The live side of the faulty plugin, in libfaulty_live.so only: it parses events, sends
 * async events from a thread of its own, and listens to captures.
 */
#include <falco_plugin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "answers.h"
#include "faults.h"

#define ASYNC_NAME "faulty_async"

const char* plugin_get_parse_event_sources(void) {
  return text_of(CALL_GET_PARSE_SOURCES, "[\"faulty\"]");
}

uint16_t* plugin_get_parse_event_types(uint32_t* numtypes, ss_plugin_t* s) {
  static uint16_t types[] = {FALCO_PLUGIN_EVENT_TYPE};
  (void)s;
  return types_of(CALL_GET_PARSE_TYPES, types, numtypes);
}

ss_plugin_rc plugin_parse_event(ss_plugin_t* s, const ss_plugin_event_input* evt,
                                const ss_plugin_event_parse_input* in) {
  (void)in;
  char text[PAYLOAD_SIZE];
  return code_of(s, fault_check(CALL_PARSE, number_of(evt->evt, text)),
                 SS_PLUGIN_SUCCESS);
}

/* ------------------------------------------------------------------- async events */

static pthread_t sender;
static atomic_bool sending;
static ss_plugin_async_event_handler_t handler_in_use;
static ss_plugin_owner_t* owner_in_use;

const char* plugin_get_async_events(void) {
  return text_of(CALL_GET_ASYNC_EVENTS, "[\"" ASYNC_NAME "\"]");
}

const char* plugin_get_async_event_sources(void) {
  return text_of(CALL_GET_ASYNC_SOURCES, "[\"faulty\"]");
}

/* Writes an async event with `size` bytes of data; returns its length. */
static uint32_t write_async(char* where, const char* name, uint32_t size) {
  const uint32_t name_size = (uint32_t)strlen(name) + 1;
  const uint64_t now_and_none[2] = {UINT64_MAX, UINT64_MAX};
  const uint32_t total = 42 + name_size + size;
  const uint16_t type = FALCO_ASYNC_EVENT_TYPE;
  const uint32_t rest[5] = {3, 4, name_size, size, 0};
  memcpy(where, now_and_none, 16);
  memcpy(where + 16, &total, 4);
  memcpy(where + 20, &type, 2);
  memcpy(where + 22, rest, 20);
  memcpy(where + 42, name, name_size);
  memset(where + 42 + name_size, 'x', size);
  return total;
}

static void* send_now_and_then(void* unused) {
  char event[256];
  char err[1024];
  (void)unused;
  for (uint64_t number = 1; sending; number++) {
    const struct timespec pause = {0, 1000000};
    write_async(event, ASYNC_NAME, 8);
    const enum wrong wrong = fault_check(CALL_SEND, number);
    if (wrong == WRONG_ID) {
      write_async(event, "nobody_announced_this", 8);
    } else if (wrong == WRONG_LENGTH) {
      const uint32_t far = 0x7ffffff0u;
      memcpy(event + 34, &far, 4);
    } else if (wrong == WRONG_TYPE) {
      const uint16_t other = FALCO_PLUGIN_EVENT_TYPE;
      memcpy(event + 20, &other, 2);
    }
    const void* given = wrong == WRONG_NULL ? NULL : event;
    handler_in_use(owner_in_use, (const ss_plugin_event*)given,
                   wrong == WRONG_EMPTY ? NULL : err);
    nanosleep(&pause, NULL);
  }
  return NULL;
}

ss_plugin_rc plugin_set_async_event_handler(
    ss_plugin_t* s, ss_plugin_owner_t* owner,
    const ss_plugin_async_event_handler_t handler) {
  const ss_plugin_rc rc =
      code_of(s, fault_check(CALL_SET_ASYNC, 1), SS_PLUGIN_SUCCESS);
  if (sending) {
    sending = false;
    pthread_join(sender, NULL);
  }
  if (handler != NULL && rc == SS_PLUGIN_SUCCESS) {
    handler_in_use = handler;
    owner_in_use = owner;
    sending = true;
    sending = pthread_create(&sender, NULL, send_now_and_then, NULL) == 0;
  }
  return rc;
}

ss_plugin_rc plugin_dump_state(ss_plugin_t* s, ss_plugin_owner_t* owner,
                               const ss_plugin_async_event_handler_t handler) {
  (void)owner;
  (void)handler;
  return code_of(s, fault_check(CALL_DUMP_STATE, 1), SS_PLUGIN_SUCCESS);
}

/* ------------------------------------------------------------------ capture listening */

ss_plugin_rc plugin_capture_open(ss_plugin_t* s,
                                 const ss_plugin_capture_listen_input* i) {
  (void)i;
  return code_of(s, fault_check(CALL_CAPTURE_OPEN, 1), SS_PLUGIN_SUCCESS);
}

ss_plugin_rc plugin_capture_close(ss_plugin_t* s,
                                  const ss_plugin_capture_listen_input* i) {
  (void)i;
  return code_of(s, fault_check(CALL_CAPTURE_CLOSE, 1), SS_PLUGIN_SUCCESS);
}
