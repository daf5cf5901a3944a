#include "since_1.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

EXPORT void plugin_destroy(struct plugin* p) {
  free(p);
}

EXPORT const char* plugin_get_last_error(struct plugin* p) {
  return p != NULL ? p->numbers.error : "no state";
}

EXPORT const char* plugin_list_open_params(struct plugin* p, int32_t* rc) {
  (void)p;
  *rc = RC_SUCCESS;
  return "[{\"value\":\"10\",\"desc\":\"ten numbers\"},"
         "{\"value\":\"100000\",\"desc\":\"a hundred thousand numbers\"}]";
}

const void* answer(struct plugin* p, uint64_t number, uint32_t field, bool arg_present,
                   uint64_t arg_index, uint64_t* len) {
  *len = 1;
  switch (field) {
    case FIELD_VALUE:
      p->value[0] = number;
      return &p->value[0];
    case FIELD_TEXT:
      snprintf(p->text, sizeof p->text, "%" PRIu64, number);
      p->texts[0] = p->text;
      return p->texts;
    case FIELD_DIGIT:
      *len = arg_present && numbers_digit(number, arg_index, &p->value[1]);
      return &p->value[1];
    case FIELD_DIGITS:
      *len = 0;
      while (numbers_digit(number, *len, &p->digits[*len])) {
        ++*len;
      }
      return p->digits;
    default:
      p->odd = number % 2;
      return &p->odd;
  }
}

bool number_of(struct plugin* p, const void* payload, uint32_t len, uint64_t* out) {
  if (numbers_read(payload, len, out)) {
    return true;
  }
  snprintf(p->numbers.error, sizeof p->numbers.error, "the payload is no number");
  return false;
}
