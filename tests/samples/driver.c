/*
 * The least host there is, for plugins of API 3.x: it runs samples under the
 * sanitizers, without Python in the process.
 *
 *   driver LIB                      prints what get_fields returns
 *   driver LIB CONFIG PARAMS F...   streams; one line per event: number, time, values,
 *                                   event string, with tabs between
 *   driver LIB CONFIG @FILE F...    extracts from payloads in a file (u32 size, bytes)
 *
 * F is "id:type:list:name" or "id:type:list:name:argument". A value is percent-encoded
 * text, "-" if absent, "!" and the last error if the call failed; values of a list are
 * joined by commas, and "@start+length" follows where the plugin tells offsets.
 */
#include <dlfcn.h>
#include <falco_plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 64
#define SYMBOL(name) __typeof__(&plugin_##name) name
#define LOOK_UP(name) api.name = (__typeof__(&plugin_##name))dlsym(lib, "plugin_" #name)

static struct {
  SYMBOL(get_fields);
  SYMBOL(init);
  SYMBOL(destroy);
  SYMBOL(get_last_error);
  SYMBOL(open);
  SYMBOL(close);
  SYMBOL(next_batch);
  SYMBOL(extract_fields);
  SYMBOL(event_to_string);
  SYMBOL(list_open_params);
  SYMBOL(get_progress);
  SYMBOL(get_metrics);
} api;

static ss_plugin_extract_field fields[MAX_FIELDS];
static uint32_t field_count;

static void log_line(ss_plugin_owner_t* owner, const char* component, const char* msg,
                     ss_plugin_log_severity severity) {
  (void)owner;
  (void)component;
  fprintf(stderr, "log %d %s\n", (int)severity, msg);
}

static const char* no_error(ss_plugin_owner_t* owner) {
  (void)owner;
  return "no error";
}

static void put_bytes(const void* bytes, size_t size) {
  const unsigned char* p = bytes;
  for (size_t i = 0; i < size; i++) {
    if (p[i] > 32 && p[i] < 127 && strchr("%,!-@", p[i]) == NULL) {
      putchar(p[i]);
    } else {
      printf("%%%02x", p[i]);
    }
  }
}

static void put_value(const ss_plugin_extract_field* f, uint64_t i) {
  switch (f->ftype) {
    case FTYPE_STRING:
      put_bytes(f->res.str[i], strlen(f->res.str[i]));
      break;
    case FTYPE_BOOL:
      printf("%u", f->res.boolean[i]);
      break;
    case FTYPE_IPADDR:
    case FTYPE_IPNET:
      put_bytes(f->res.buf[i].ptr, f->res.buf[i].len);
      break;
    default:
      printf("%llu", (unsigned long long)f->res.u64[i]);
  }
}

static void run_event(ss_plugin_t* s, const ss_plugin_event* event, uint64_t number) {
  const ss_plugin_event_input input = {event, number, "driver"};
  uint64_t ts;
  memcpy(&ts, event, sizeof ts);
  printf("%llu\t%llu", (unsigned long long)number, (unsigned long long)ts);
  for (uint32_t i = 0; i < field_count; i++) {
    ss_plugin_extract_value_offsets offsets = {NULL, NULL};
    ss_plugin_field_extract_input in;
    memset(&in, 0, sizeof in);
    in.get_owner_last_error = no_error;
    in.num_fields = 1;
    in.fields = &fields[i];
    in.value_offsets = &offsets;
    fields[i].res_len = 0;
    putchar('\t');
    if (api.extract_fields(s, &input, &in) != SS_PLUGIN_SUCCESS) {
      printf("!%s", api.get_last_error(s));
      continue;
    }
    if (fields[i].res_len == 0) {
      putchar('-');
    }
    for (uint64_t k = 0; k < fields[i].res_len; k++) {
      if (k > 0) {
        putchar(',');
      }
      put_value(&fields[i], k);
      if (offsets.start != NULL && offsets.length != NULL) {
        printf("@%u+%u", offsets.start[k], offsets.length[k]);
      }
    }
  }
  if (api.event_to_string != NULL) {
    const char* text = api.event_to_string(s, &input);
    putchar('\t');
    put_bytes(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
  }
  putchar('\n');
}

static void run_file(ss_plugin_t* s, const char* path) {
  FILE* file = fopen(path, "rb");
  uint32_t size;
  for (uint64_t number = 1; file != NULL && fread(&size, 4, 1, file) == 1; number++) {
    char* blob = malloc(FALCO_PLUGIN_EVENT_OVERHEAD + (size_t)size);
    char* payload = falco_plugin_event_begin(blob, number, size);
    if (fread(payload, 1, size, file) == size) {
      run_event(s, (ss_plugin_event*)(void*)blob, number);
    }
    free(blob);
  }
  if (file != NULL) {
    fclose(file);
  }
}

static int run_source(ss_plugin_t* s, const char* params) {
  ss_plugin_rc rc = SS_PLUGIN_FAILURE;
  const char* listed = api.list_open_params != NULL ? api.list_open_params(s, &rc) : NULL;
  fprintf(stderr, "params %s\n", listed != NULL ? listed : "");
  rc = SS_PLUGIN_FAILURE;
  ss_instance_t* h = api.open(s, params, &rc);
  if (rc != SS_PLUGIN_SUCCESS) {
    fprintf(stderr, "open: %s\n", api.get_last_error(s));
    return 4;
  }
  uint64_t number = 0;
  uint32_t pct = 0;
  do {
    uint32_t n = 0;
    ss_plugin_event** events = NULL;
    rc = api.next_batch(s, h, &n, &events);
    for (uint32_t i = 0; i < n; i++) {
      run_event(s, events[i], ++number);
    }
  } while (rc == SS_PLUGIN_SUCCESS || rc == SS_PLUGIN_TIMEOUT);
  if (rc != SS_PLUGIN_EOF) {
    fprintf(stderr, "end: %s\n", api.get_last_error(s));
  }
  if (api.get_progress != NULL) {
    const char* text = api.get_progress(s, h, &pct);
    fprintf(stderr, "progress %u %s\n", pct, text);
  }
  uint32_t metrics = 0;
  const ss_plugin_metric* m = api.get_metrics ? api.get_metrics(s, &metrics) : NULL;
  for (uint32_t i = 0; i < metrics; i++) {
    fprintf(stderr, "metric %s %llu\n", m[i].name, (unsigned long long)m[i].value.u64);
  }
  api.close(s, h);
  return rc == SS_PLUGIN_EOF ? 0 : 5;
}

static void read_field(char* text) {
  ss_plugin_extract_field* f = &fields[field_count++];
  f->field_id = (uint32_t)strtoul(strtok(text, ":"), NULL, 10);
  f->ftype = (uint32_t)strtoul(strtok(NULL, ":"), NULL, 10);
  f->flist = (uint32_t)strtoul(strtok(NULL, ":"), NULL, 10);
  f->field = strtok(NULL, ":");
  f->arg_key = strtok(NULL, "");
  f->arg_present = f->arg_key != NULL;
  f->arg_index = f->arg_key != NULL ? strtoull(f->arg_key, NULL, 10) : UINT64_MAX;
}

int main(int argc, char** argv) {
  void* lib = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (lib == NULL) {
    fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "usage: driver LIB ...");
    return 2;
  }
  LOOK_UP(get_fields);
  LOOK_UP(init);
  LOOK_UP(destroy);
  LOOK_UP(get_last_error);
  LOOK_UP(open);
  LOOK_UP(close);
  LOOK_UP(next_batch);
  LOOK_UP(extract_fields);
  LOOK_UP(event_to_string);
  LOOK_UP(list_open_params);
  LOOK_UP(get_progress);
  LOOK_UP(get_metrics);
  if (argc < 4) {
    puts(api.get_fields());
    return 0;
  }
  for (int i = 4; i < argc && field_count < MAX_FIELDS; i++) {
    read_field(argv[i]);
  }
  const ss_plugin_init_input input = {argv[2], NULL, no_error, NULL, log_line};
  ss_plugin_rc rc = SS_PLUGIN_FAILURE;
  ss_plugin_t* s = api.init(&input, &rc);
  int status = 0;
  if (rc != SS_PLUGIN_SUCCESS) {
    fprintf(stderr, "init: %s\n", s != NULL ? api.get_last_error(s) : "no state");
    status = 3;
  } else if (argv[3][0] == '@') {
    run_file(s, argv[3] + 1);
  } else {
    status = run_source(s, argv[3]);
  }
  if (s != NULL) {
    api.destroy(s);
  }
  return status;
}
