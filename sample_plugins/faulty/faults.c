#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NO_NUMBER INT64_MIN

struct fault {
  char name[24];
  int64_t number; /* NO_NUMBER: none given */
  enum call call;
  bool any_info; /* "@info": the first of the get_ calls, whichever it is */
  uint64_t event;
  enum origin origin;
};

static struct fault faults[MAX_FAULTS];
static uint32_t fault_count;
static const struct shape default_shape = {1000, 32};
static struct shape shapes[3]; /* by origin: one more than what was said, or 0 */
static int64_t last_number = NO_NUMBER;

static const char* const call_names[CALL_COUNT] = {
    "dlopen",
    "get_required_api_version",
    "get_name",
    "get_version",
    "get_description",
    "get_contact",
    "get_event_source",
    "get_id",
    "get_fields",
    "get_extract_event_sources",
    "get_extract_event_types",
    "get_init_schema",
    "init",
    "get_last_error",
    "list_open_params",
    "open",
    "next_batch",
    "get_progress",
    "extract",
    "event_to_string",
    "get_metrics",
    "close",
    "destroy",
    "set_config",
    "get_parse_event_sources",
    "get_parse_event_types",
    "parse_event",
    "get_async_events",
    "get_async_event_sources",
    "set_async_event_handler",
    "send",
    "dump_state",
    "capture_open",
    "capture_close",
};

static const struct {
  const char* name;
  enum wrong wrong;
} wrongs[] = {
    {"null", WRONG_NULL},       {"empty", WRONG_EMPTY},   {"badjson", WRONG_JSON},
    {"huge", WRONG_HUGE},       {"bytes", WRONG_BYTES},   {"html", WRONG_HTML},
    {"pointer", WRONG_POINTER}, {"count", WRONG_COUNT},   {"id", WRONG_ID},
    {"length", WRONG_LENGTH},   {"type", WRONG_TYPE},     {"code", WRONG_CODE},
    {"fail", WRONG_FAIL},       {"silent", WRONG_SILENT},
};

/* ----------------------------------------------------- faults that need no answer */

static void pause_ms(uint64_t ms) {
  struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

static void do_segfault(int64_t number) {
  volatile int* nowhere = (volatile int*)(uintptr_t)(number > 0 ? number : 8);
  *nowhere = 1;
}

static void do_abort(int64_t number) {
  (void)number;
  abort();
}

static void do_divide(int64_t number) {
#if defined(__x86_64__) || defined(__i386__)
  volatile int seven = 7; /* a constant would let the compiler avoid the division */
  volatile int zero = 0;
  volatile int result = seven / zero;
  (void)result;
  (void)number;
#else
  (void)number;
  raise(SIGFPE); /* other processors do not trap */
#endif
}

static void do_illegal(int64_t number) {
  (void)number;
  __builtin_trap();
}

static int deeper(volatile char* above, uint64_t depth) {
  volatile char here[4096];
  here[0] = (char)(above[0] + 1);
  here[sizeof here - 1] = here[0];
  return depth == UINT64_MAX ? here[0] : deeper(here, depth + 1) + here[1];
}

static void do_overflow(int64_t number) {
  volatile char top[1] = {0};
  (void)number;
  shapes[0].batch += (uint64_t)deeper(top, 0) == 0;
}

static void do_exit(int64_t number) {
  exit(number >= 0 ? (int)number : 3);
}

static void do_quick_exit(int64_t number) {
  _exit(number >= 0 ? (int)number : 4);
}

static void do_raise(int64_t number) {
  raise(number > 0 ? (int)number : SIGKILL);
}

static void do_hang(int64_t number) {
  (void)number;
  for (;;) {
    pause_ms(1000000);
  }
}

static void do_busy(int64_t number) {
  volatile uint64_t turns = 0;
  (void)number;
  for (;;) {
    turns++;
  }
}

/* A busy loop that no signal but SIGKILL reaches. */
static void do_deaf(int64_t number) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  do_busy(number);
}

static void do_slow(int64_t number) {
  pause_ms(number >= 0 ? (uint64_t)number : 100);
}

static void do_flood(int64_t number) {
  (void)number;
  for (;;) {
    char* more = malloc(1u << 24);
    if (more == NULL) {
      pause_ms(10);
      continue;
    }
    memset(more, 0xa5, 1u << 24);
  }
}

static void do_heap(int64_t number) {
  (void)number;
  char* twice = malloc(64);
  char* volatile same = twice;
  free(twice);
  free(same); /* the C library notices and aborts */
}

static void do_stdout(int64_t number) {
  const int64_t lines = number >= 0 ? number : 1;
  for (int64_t i = 0; i < lines; i++) {
    printf("faulty writes to stdout, line %lld\n", (long long)i);
    fprintf(stderr, "faulty writes to stderr, line %lld\n", (long long)i);
  }
  fflush(stdout);
}

static void do_close_fds(int64_t number) {
  for (int fd = number >= 0 ? (int)number : 3; fd < 1024; fd++) {
    close(fd);
  }
}

static void do_chdir(int64_t number) {
  (void)number;
  if (chdir("/") != 0) {
    perror("chdir");
  }
}

/* Takes the crash signals back from the host and makes the polite ones deaf. */
static void do_signals(int64_t number) {
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  static const int polite[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1, SIGUSR2};
  (void)number;
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
    signal(crashes[i], SIG_DFL);
  }
  for (size_t i = 0; i < sizeof polite / sizeof *polite; i++) {
    signal(polite[i], SIG_IGN);
  }
}

static void do_environment(int64_t number) {
  (void)number;
  clearenv();
}

/* A child that outlives the call and keeps every descriptor open for a while. */
static void do_fork(int64_t number) {
  if (fork() == 0) {
    pause_ms(number >= 0 ? (uint64_t)number : 2000);
    _exit(0);
  }
}

static const struct action {
  const char* name;
  void (*act)(int64_t number);
} actions[] = {
    {"segfault", do_segfault}, {"abort", do_abort},
    {"divide", do_divide},     {"illegal", do_illegal},
    {"overflow", do_overflow}, {"exit", do_exit},
    {"_exit", do_quick_exit},  {"raise", do_raise},
    {"hang", do_hang},         {"busy", do_busy},
    {"deaf", do_deaf},         {"slow", do_slow},
    {"flood", do_flood},       {"heap", do_heap},
    {"stdout", do_stdout},     {"closefds", do_close_fds},
    {"chdir", do_chdir},       {"signals", do_signals},
    {"environment", do_environment}, {"fork", do_fork},
};

static const struct action* find_action(const char* name) {
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
    if (strcmp(actions[i].name, name) == 0) {
      return &actions[i];
    }
  }
  return NULL;
}

/* "later-segfault": the same in a thread of its own, 50 ms after the call. */
static void* act_later(void* action) {
  pause_ms(50);
  ((const struct action*)action)->act(NO_NUMBER);
  return NULL;
}

static bool act(const struct fault* f) {
  const bool later = strncmp(f->name, "later-", 6) == 0;
  const struct action* found = find_action(later ? f->name + 6 : f->name);
  pthread_t thread;
  if (found == NULL) {
    return false;
  }
  if (!later) {
    found->act(f->number);
  } else if (pthread_create(&thread, NULL, act_later, (void*)(uintptr_t)found) == 0) {
    pthread_detach(thread);
  }
  return true;
}

/* ------------------------------------------------------------------ specifications */

static bool is_info(enum call call) {
  return call >= CALL_VERSION && call <= CALL_GET_SCHEMA;
}

static bool known_fault(const char* name) {
  for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
    if (strcmp(wrongs[i].name, name) == 0) {
      return true;
    }
  }
  return find_action(strncmp(name, "later-", 6) == 0 ? name + 6 : name) != NULL;
}

static bool read_call(const char* name, struct fault* f) {
  f->any_info = strcmp(name, "info") == 0;
  if (f->any_info) {
    return true;
  }
  for (int i = 0; i < CALL_COUNT; i++) {
    if (strcmp(call_names[i], name) == 0) {
      f->call = (enum call)i;
      return true;
    }
  }
  return false;
}

/* Cuts "fault=number@call:event" up into `word`, the fault and the call, or NULL. */
static char* cut_word(char* word, struct fault* f) {
  char* call = strchr(word, '@');
  char* event = call != NULL ? strchr(call, ':') : NULL;
  char* number = strchr(word, '=');
  if (call != NULL) {
    *call++ = '\0';
  }
  if (event != NULL) {
    *event++ = '\0';
    f->event = strtoull(event, NULL, 10);
  }
  if (number != NULL) {
    *number++ = '\0';
    f->number = strtoll(number, NULL, 10);
  }
  return call;
}

/* Reads one "fault=number@call:event" or "events=n" or "batch=n"; cuts up `word`. */
static bool read_word(enum origin origin, char* word, char* err, uint32_t size) {
  struct fault f = {.number = NO_NUMBER, .event = 1, .origin = origin};
  char* call = cut_word(word, &f);
  if (call == NULL && f.number >= 0 && strcmp(word, "events") == 0) {
    shapes[origin].events = (uint64_t)f.number + 1;
    return true;
  }
  if (call == NULL && f.number > 0 && strcmp(word, "batch") == 0) {
    shapes[origin].batch = (uint64_t)f.number + 1;
    return true;
  }
  if (strlen(word) >= sizeof f.name || !known_fault(word)) {
    snprintf(err, size, "there is no fault '%.40s'", word);
    return false;
  }
  if (call == NULL || !read_call(call, &f)) {
    snprintf(err, size, "fault '%s' needs a call, as in %s@extract:100, not '%.40s'",
             word, word, call != NULL ? call : "");
    return false;
  }
  if (fault_count == MAX_FAULTS) {
    snprintf(err, size, "more than %d faults at once", MAX_FAULTS);
    return false;
  }
  strcpy(f.name, word);
  faults[fault_count++] = f;
  return true;
}

bool faults_read(enum origin origin, const char* text, char* err, uint32_t size) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < fault_count; i++) {
    if (faults[i].origin < origin) {
      faults[kept++] = faults[i];
    }
  }
  fault_count = kept;
  for (int i = origin; i <= FROM_PARAMS; i++) {
    shapes[i] = (struct shape){0, 0};
  }
  char* copy = strdup(text != NULL ? text : "");
  bool sound = copy != NULL;
  char* rest = NULL;
  for (char* word = sound ? strtok_r(copy, ",", &rest) : NULL; word != NULL && sound;
       word = strtok_r(NULL, ",", &rest)) {
    sound = read_word(origin, word, err, size);
  }
  free(copy);
  return sound;
}

struct shape faults_shape(void) {
  struct shape shape = default_shape;
  for (int i = FROM_LIBRARY; i <= FROM_PARAMS; i++) {
    shape.events = shapes[i].events > 0 ? shapes[i].events - 1 : shape.events;
    shape.batch = shapes[i].batch > 0 ? shapes[i].batch - 1 : shape.batch;
  }
  return shape;
}

uint64_t fault_number(uint64_t otherwise) {
  return last_number != NO_NUMBER ? (uint64_t)last_number : otherwise;
}

enum wrong fault_check(enum call call, uint64_t event) {
  enum wrong result = RIGHT;
  for (uint32_t i = 0; i < fault_count; i++) {
    const struct fault f = faults[i];
    const bool here = f.any_info ? is_info(call) : f.call == call;
    if (!here || f.event != event || act(&f)) {
      continue;
    }
    for (size_t k = 0; k < sizeof wrongs / sizeof *wrongs; k++) {
      if (strcmp(wrongs[k].name, f.name) == 0) {
        result = wrongs[k].wrong;
        last_number = f.number;
      }
    }
  }
  return result;
}
