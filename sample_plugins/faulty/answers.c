/* The wrong answers that several calls give, and what they share. */
#include "answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* bad_json(uint64_t kind) {
  static char deep[200001];
  switch (kind) {
    case 0:
      return "[{\"type\": \"string\", ";
    case 1:
      return "{\"not\": \"an array\"}";
    case 2:
      memset(deep, '[', sizeof deep - 1);
      return deep;
    case 3:
      return "[\"\xff\xfe\"]";
    case 4:
      return "[1, null, true, {\"name\": 5, \"type\": [], \"desc\": {}}]";
    case 5:
      return "[{\"type\":\"string\",\"name\":\"a.b\",\"desc\":\"x\"},"
             "{\"type\":\"string\",\"name\":\"a.b\",\"desc\":\"x\"}]";
    default:
      return "not JSON at all";
  }
}

static const char* huge_text(uint64_t mib) {
  static char* text;
  const size_t size = (size_t)mib << 20;
  free(text);
  text = malloc(size + 1);
  if (text != NULL) {
    memset(text, 'A', size);
    text[size] = '\0';
  }
  return text;
}

/* The text that `wrong` asks for in place of the right one. */
const char* wrong_text(enum wrong wrong, const char* right) {
  switch (wrong) {
    case WRONG_NULL:
      return NULL;
    case WRONG_EMPTY:
      return "";
    case WRONG_JSON:
      return bad_json(fault_number(0));
    case WRONG_HUGE:
      return huge_text(fault_number(16));
    case WRONG_BYTES:
      return "\xff\xfe\x80 caf\xe9 \x1b[31m";
    case WRONG_HTML:
      return "<img src=x onerror=\"document.title='owned'\">";
    case WRONG_POINTER:
      return UNMAPPED;
    default:
      return right;
  }
}

const char* text_of(enum call call, const char* right) {
  return wrong_text(fault_check(call, 1), right);
}

/* The return code that `wrong` asks for; `right` for faults that are not about it. */
ss_plugin_rc code_of(struct state* s, enum wrong wrong, ss_plugin_rc right) {
  if (wrong == WRONG_CODE) {
    return (ss_plugin_rc)fault_number(77);
  }
  if (wrong == WRONG_FAIL) {
    snprintf(s->error, sizeof s->error, "failing, as it was asked for");
    return SS_PLUGIN_FAILURE;
  }
  return right;
}

uint16_t* types_of(enum call call, uint16_t* right, uint32_t* count) {
  const enum wrong wrong = fault_check(call, 1);
  *count = wrong == WRONG_COUNT ? UINT32_MAX : 1;
  return wrong == WRONG_NULL ? NULL : wrong == WRONG_POINTER ? UNMAPPED : right;
}

/* The number in the payload of an event; 0 if it is none of ours. */
uint64_t number_of(const ss_plugin_event* evt, char text[PAYLOAD_SIZE]) {
  uint32_t len = 0;
  uint64_t number = 0;
  const char* payload = falco_plugin_payload(evt, &len);
  len = len < PAYLOAD_SIZE - 1 ? len : PAYLOAD_SIZE - 1;
  if (payload != NULL) {
    memcpy(text, payload, len);
  }
  text[payload != NULL ? len : 0] = '\0';
  return sscanf(text, "event %" SCNu64, &number) == 1 ? number : 0;
}
