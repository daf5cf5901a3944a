/* The functions of the plugin API. Everything else is in the files weblog.h names. */
#define _GNU_SOURCE
#include "weblog.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct state {
  struct config config;
  struct counters counters;
  struct arena arena;
  ss_plugin_owner_t* owner;
  ss_plugin_log_fn_t log;
  ss_plugin_extract_value_offsets offsets; /* room handed out for value offsets */
  uint32_t offsets_room;
  struct part* places;
  char* text; /* list_open_params and event_to_string */
  size_t text_room;
  ss_plugin_metric metrics[4];
  char err[ERROR_SIZE];
};

/* ------------------------------------------------------------------- information */

const char* plugin_get_required_api_version(void) {
  return PLUGIN_API_VERSION_STR;
}

const char* plugin_get_name(void) {
  return "weblog";
}

const char* plugin_get_version(void) {
  return "1.0.0";
}

const char* plugin_get_description(void) {
  return "Reads access logs of web servers in combined format";
}

const char* plugin_get_contact(void) {
  return "the authors of the Falco Plugin Workbench";
}

uint32_t plugin_get_id(void) {
  return 999; /* the id for trials: not registered, never ship it */
}

const char* plugin_get_event_source(void) {
  return "weblog";
}

const char* plugin_get_init_schema(ss_plugin_schema_type* schema_type) {
  *schema_type = SS_PLUGIN_SCHEMA_JSON;
  return config_schema;
}

/* One row per field, in the order of `enum field`. */
#define FIELD(type, name, display, more, desc)                             \
  "{\"type\":\"" type "\",\"name\":\"weblog." name "\",\"display\":\"" display \
  "\",\"desc\":\"" desc "\"" more "}"
#define LIST ",\"isList\":true"
#define KEY ",\"arg\":{\"isKey\":true}"
#define INDEX ",\"arg\":{\"isRequired\":true,\"isIndex\":true}"

const char* plugin_get_fields(void) {
  return "["
  FIELD("ipaddr", "client", "Client", , "Address the request came from") ","
  FIELD("ipnet", "net", "Client network", , "The same address, to compare with networks") ","
  FIELD("string", "user", "User", , "Name given to HTTP authentication") ","
  FIELD("abstime", "time", "Time", , "When the server wrote the line") ","
  FIELD("string", "method", "Method", , "GET, POST, ...") ","
  FIELD("string", "uri", "Target", , "What was asked for, as sent, with its query") ","
  FIELD("string", "path", "Path", , "The target up to the question mark, percent escapes undone") ","
  FIELD("string", "segment", "Path segment", INDEX, "Part of the path by its number, from 0") ","
  FIELD("string", "query", "Query", KEY, "The query as sent; with a key, the decoded value of that parameter") ","
  FIELD("string", "params", "Parameters", LIST, "Names of the query parameters") ","
  FIELD("string", "proto", "Protocol", , "HTTP/1.0, HTTP/1.1, HTTP/2.0, ...") ","
  FIELD("uint64", "status", "Status", , "Status code of the answer") ","
  FIELD("uint64", "bytes", "Bytes", , "Size of the body that was sent") ","
  FIELD("string", "referer", "Referer", , "The page that led here, as the client claims") ","
  FIELD("string", "agent", "User agent", , "The program that asked, as it claims") ","
  FIELD("bool", "is_error", "Is an error", , "The status is at least error_status (400 unless configured)") ","
  FIELD("reltime", "duration", "Duration", , "Time taken, if the log has it as a last column in seconds") ","
  FIELD("bool", "malformed", "Malformed", , "The line is not in the format, or the request is no HTTP") ","
  FIELD("string", "raw", "Line", , "The whole line as it stands in the log") "]";
}

/* --------------------------------------------------------------------- lifecycle */

static void note(void* who, ss_plugin_log_severity sev, const char* text) {
  struct state* s = who;
  if (s->log != NULL) {
    s->log(s->owner, NULL, text, sev);
  }
}

ss_plugin_t* plugin_init(const ss_plugin_init_input* input, ss_plugin_rc* rc) {
  *rc = SS_PLUGIN_FAILURE;
  struct state* s = calloc(1, sizeof *s);
  if (s == NULL) {
    return NULL;
  }
  s->owner = input->owner;
  s->log = input->log_fn;
  if (config_parse(input->config != NULL ? input->config : "", &s->config, s->err)) {
    *rc = SS_PLUGIN_SUCCESS;
  }
  return s; /* also after a failure: our last error is asked for, then destroy called */
}

void plugin_destroy(ss_plugin_t* plugin) {
  struct state* s = plugin;
  if (s == NULL) {
    return;
  }
  arena_free(&s->arena);
  free(s->offsets.start);
  free(s->offsets.length);
  free(s->places);
  free(s->text);
  free(s);
}

const char* plugin_get_last_error(ss_plugin_t* plugin) {
  struct state* s = plugin;
  return s != NULL ? s->err : "";
}

/* Counts from the next batch and the next value on; the open log stays open. */
ss_plugin_rc plugin_set_config(ss_plugin_t* plugin,
                               const ss_plugin_set_config_input* i) {
  struct state* s = plugin;
  struct config fresh;
  if (!config_parse(i->config != NULL ? i->config : "", &fresh, s->err)) {
    return SS_PLUGIN_FAILURE;
  }
  s->config = fresh;
  return SS_PLUGIN_SUCCESS;
}

ss_plugin_metric* plugin_get_metrics(ss_plugin_t* plugin, uint32_t* num_metrics) {
  struct state* s = plugin;
  const struct {
    const char* name;
    uint64_t value;
  } rows[] = {{"lines", s->counters.lines},
              {"cut_lines", s->counters.cut},
              {"bytes", s->counters.bytes},
              {"reopened", s->counters.reopened}};
  *num_metrics = sizeof rows / sizeof *rows;
  for (uint32_t i = 0; i < *num_metrics; i++) {
    s->metrics[i] = (ss_plugin_metric){.name = rows[i].name,
                                       .type = SS_PLUGIN_METRIC_TYPE_MONOTONIC,
                                       .value = {.u64 = rows[i].value},
                                       .value_type = SS_PLUGIN_METRIC_VALUE_TYPE_U64};
  }
  return s->metrics;
}

/* ------------------------------------------------------------------- open params */

/* Makes room for `size` bytes in the state's text buffer; NULL: out of memory. */
static char* text_room(struct state* s, size_t size) {
  if (s->text_room < size) {
    char* more = realloc(s->text, size);
    if (more == NULL) {
      return NULL;
    }
    s->text = more;
    s->text_room = size;
  }
  return s->text;
}

/* The folder the suggested logs come from: configured, or `data` beside this library. */
static bool log_folder(const struct state* s, char out[PATH_MAX]) {
  Dl_info self;
  char beside[PATH_MAX];
  if (s->config.log_dir[0] != '\0') {
    return realpath(s->config.log_dir, out) != NULL;
  }
  if (dladdr((const void*)config_schema, &self) == 0 || self.dli_fname == NULL ||
      realpath(self.dli_fname, out) == NULL) {
    return false;
  }
  char* slash = strrchr(out, '/');
  *slash = '\0';
  const int n = snprintf(beside, sizeof beside, "%s/data", out);
  return n > 0 && (size_t)n < sizeof beside && realpath(beside, out) != NULL;
}

static int is_log(const struct dirent* entry) {
  const size_t n = strlen(entry->d_name);
  return n > 4 && strcmp(entry->d_name + n - 4, ".log") == 0;
}

/* Appends `text` with the escapes of JSON. `out` has room for six times as much. */
static size_t put_json(char* out, const char* text) {
  size_t n = 0;
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20) {
      n += (size_t)sprintf(out + n, "\\u%04x", (unsigned)(unsigned char)*text);
    } else {
      out[n++] = *text;
    }
  }
  return n;
}

const char* plugin_list_open_params(ss_plugin_t* plugin, ss_plugin_rc* rc) {
  struct state* s = plugin;
  char folder[PATH_MAX];
  struct dirent** found = NULL;
  int count = 0;
  *rc = SS_PLUGIN_FAILURE;
  if (log_folder(s, folder)) {
    count = scandir(folder, &found, is_log, alphasort);
  }
  const size_t each = 6 * (strlen(folder) + 256) + 128;
  char* out = text_room(s, (size_t)(count > 0 ? count : 0) * each + 8);
  if (out != NULL) {
    size_t n = (size_t)sprintf(out, "[");
    for (int i = 0; i < count; i++) {
      n += (size_t)sprintf(out + n, "%s{\"value\":\"", i > 0 ? "," : "");
      n += put_json(out + n, folder);
      n += (size_t)sprintf(out + n, "/");
      n += put_json(out + n, found[i]->d_name);
      n += (size_t)sprintf(out + n, "\",\"desc\":\"The log ");
      n += put_json(out + n, found[i]->d_name);
      n += (size_t)sprintf(out + n, "\"}");
    }
    sprintf(out + n, "]");
    *rc = SS_PLUGIN_SUCCESS;
  }
  for (int i = 0; i < count; i++) {
    free(found[i]);
  }
  free(found);
  return out;
}

/* ---------------------------------------------------------------------- sourcing */

ss_instance_t* plugin_open(ss_plugin_t* plugin, const char* params, ss_plugin_rc* rc) {
  struct state* s = plugin;
  char folder[PATH_MAX];
  char shipped[PATH_MAX + 16];
  *rc = SS_PLUGIN_FAILURE;
  if (params == NULL || *params == '\0') { /* without params: the shipped log */
    if (!log_folder(s, folder)) {
      snprintf(s->err, ERROR_SIZE,
               "no log named and none beside the plugin: give a path as open params");
      return NULL;
    }
    snprintf(shipped, sizeof shipped, "%s/access.log", folder);
    params = shipped;
  }
  struct source* source = source_open(params, &s->config, note, s, s->err);
  if (source != NULL) {
    *rc = SS_PLUGIN_SUCCESS;
  }
  return source;
}

void plugin_close(ss_plugin_t* plugin, ss_instance_t* instance) {
  (void)plugin;
  source_close(instance);
}

ss_plugin_rc plugin_next_batch(ss_plugin_t* plugin, ss_instance_t* instance,
                               uint32_t* nevts, ss_plugin_event*** evts) {
  struct state* s = plugin;
  *nevts = 0;
  *evts = NULL;
  return source_next(instance, &s->config, &s->counters, nevts, evts, s->err);
}

const char* plugin_get_progress(ss_plugin_t* plugin, ss_instance_t* instance,
                                uint32_t* progress_pct) {
  (void)plugin;
  return source_progress(instance, progress_pct);
}

const char* plugin_event_to_string(ss_plugin_t* plugin,
                                   const ss_plugin_event_input* evt) {
  struct state* s = plugin;
  uint32_t len = 0;
  struct line line;
  const char* payload = falco_plugin_payload(evt->evt, &len);
  char* out = text_room(s, (size_t)len + 64);
  if (payload == NULL || out == NULL) {
    return NULL;
  }
  line_parse(payload, len, &line);
  if (line.malformed) {
    snprintf(out, (size_t)len + 64, "%.*s", (int)len, payload);
  } else {
    snprintf(out, (size_t)len + 64, "%.*s %.*s %.*s -> %.*s", (int)line.client.len,
             line.client.ptr, (int)line.method.len, line.method.ptr, (int)line.uri.len,
             line.uri.ptr, (int)line.status.len, line.status.ptr);
  }
  return out;
}

/* -------------------------------------------------------------------- extraction */

/* Room for `n` places and offsets; false: out of memory. */
static bool offsets_reserve(struct state* s, uint32_t n) {
  if (n <= s->offsets_room) {
    return true;
  }
  uint32_t* start = realloc(s->offsets.start, n * sizeof *start);
  s->offsets.start = start != NULL ? start : s->offsets.start;
  uint32_t* length = realloc(s->offsets.length, n * sizeof *length);
  s->offsets.length = length != NULL ? length : s->offsets.length;
  struct part* places = realloc(s->places, n * sizeof *places);
  s->places = places != NULL ? places : s->places;
  if (start == NULL || length == NULL || places == NULL) {
    return false;
  }
  s->offsets_room = n;
  return true;
}

/* Writes where `count` values stand, as offsets from the start of the event. */
static void offsets_fill(struct state* s, uint32_t first, uint64_t count,
                         const char* event) {
  for (uint32_t i = 0; i < count; i++) {
    const struct part p = s->places[i];
    s->offsets.start[first + i] = p.ptr != NULL ? (uint32_t)(p.ptr - event) : 0;
    s->offsets.length[first + i] = p.ptr != NULL ? p.len : 0;
  }
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t* plugin,
                                   const ss_plugin_event_input* evt,
                                   const ss_plugin_field_extract_input* in) {
  struct state* s = plugin;
  uint32_t len = 0;
  struct line line;
  const char* event = (const char*)evt->evt;
  const char* payload = falco_plugin_payload(evt->evt, &len);
  if (payload == NULL) {
    snprintf(s->err, ERROR_SIZE, "event %llu is not an event of this plugin",
             (unsigned long long)evt->evtnum);
    return SS_PLUGIN_FAILURE;
  }
  arena_reset(&s->arena);
  line_parse(payload, len, &line);
  const struct subject subject = {
      &line, {payload, len}, s->config.error_status, &s->arena};
  /* One place per field asked for; a list asked for alone gets one per value. */
  const uint32_t values = len / 2 + 2;
  const uint32_t room = in->num_fields > values ? in->num_fields : values;
  if (!offsets_reserve(s, room)) {
    snprintf(s->err, ERROR_SIZE, "out of memory while extracting");
    return SS_PLUGIN_FAILURE;
  }
  for (uint32_t i = 0; i < in->num_fields; i++) {
    ss_plugin_extract_field* f = &in->fields[i];
    s->places[0] = (struct part){NULL, 0};
    if (!value_extract(&subject, f, s->places, values, s->err)) {
      return SS_PLUGIN_FAILURE;
    }
    if (in->value_offsets != NULL) {
      s->places[0] = f->res_len > 0 ? s->places[0] : (struct part){NULL, 0};
      const bool alone = in->num_fields == 1 && f->res_len > 1;
      offsets_fill(s, i, alone ? f->res_len : 1, event);
    }
  }
  if (in->value_offsets != NULL) {
    *in->value_offsets = s->offsets;
  }
  return SS_PLUGIN_SUCCESS;
}
