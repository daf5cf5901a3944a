/* What the calls of the faulty plugin share: its state, and wrong answers. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <falco_plugin.h>

#include "faults.h"

#define PAYLOAD_SIZE 48
#define UNMAPPED ((void*)(uintptr_t)0xdead0000u)

struct state {
  char error[256];
  char text[PAYLOAD_SIZE + 16];
  char number_text[PAYLOAD_SIZE];
  const char* texts[3];
  uint64_t number;
  ss_plugin_byte_buffer address;
  unsigned char address_bytes[4];
  ss_plugin_metric metric;
};

/* The text that `wrong` asks for in place of the right one. */
const char* wrong_text(enum wrong wrong, const char* right);
/* The text of an information call, right or wrong. */
const char* text_of(enum call call, const char* right);
/* The event types that a call announces; `right` has one. */
uint16_t* types_of(enum call call, uint16_t* right, uint32_t* count);
/* The return code that `wrong` asks for; `right` for faults that are not about it. */
ss_plugin_rc code_of(struct state* s, enum wrong wrong, ss_plugin_rc right);
/* The number in the payload of an event, whose text goes to `text`; 0: none of ours. */
uint64_t number_of(const ss_plugin_event* evt, char text[PAYLOAD_SIZE]);

#endif
