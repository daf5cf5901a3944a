/* Reads a log file and packs its lines into batches of events. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "weblog.h"

#define INPUT_SIZE (4u * MAX_LINE)
#define BATCH_SIZE (8u * MAX_LINE)
#define MAX_BATCH_LINES 10000u

struct source {
  char path[PATH_MAX];
  int fd;
  struct stat opened; /* what we have open: to notice that the path moved on */
  uint64_t size;
  uint64_t consumed;
  bool regular;
  bool ended;
  bool skipping; /* inside the rest of a line that was cut */
  uint64_t last_time;
  note_fn note;
  void* who;
  char progress[96];
  size_t start; /* unread part of `input` */
  size_t end;
  char input[INPUT_SIZE];
  size_t used; /* of `batch` */
  char batch[BATCH_SIZE];
  ss_plugin_event* events[MAX_BATCH_LINES];
};

static void say(struct source* s, ss_plugin_log_severity sev, const char* what) {
  char text[PATH_MAX + 128];
  snprintf(text, sizeof text, "%s: %s", s->path, what);
  s->note(s->who, sev, text);
}

static bool open_file(struct source* s, char err[ERROR_SIZE]) {
  s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
  if (s->fd < 0 || fstat(s->fd, &s->opened) != 0) {
    snprintf(err, ERROR_SIZE, "cannot open the log %.900s: %s", s->path,
             strerror(errno));
    return false;
  }
  if (S_ISDIR(s->opened.st_mode)) {
    snprintf(err, ERROR_SIZE, "%.900s is a folder: name a log file in it", s->path);
    return false;
  }
  s->regular = S_ISREG(s->opened.st_mode);
  s->size = s->regular ? (uint64_t)s->opened.st_size : 0;
  s->consumed = 0;
  return true;
}

struct source* source_open(const char* path, const struct config* c, note_fn note,
                           void* who, char err[ERROR_SIZE]) {
  struct source* s = malloc(sizeof *s);
  if (s == NULL) {
    snprintf(err, ERROR_SIZE, "out of memory while opening a log");
    return NULL;
  }
  memset(s, 0, offsetof(struct source, input));
  s->fd = -1;
  s->used = 0;
  s->last_time = NO_TIME;
  s->note = note;
  s->who = who;
  const int written = snprintf(s->path, sizeof s->path, "%s", path);
  if (written < 0 || (size_t)written >= sizeof s->path) {
    snprintf(err, ERROR_SIZE, "the path of the log is longer than %d bytes", PATH_MAX);
    source_close(s);
    return NULL;
  }
  if (!open_file(s, err)) {
    source_close(s);
    return NULL;
  }
  say(s, SS_PLUGIN_LOG_SEV_INFO, c->follow ? "following" : "reading to the end");
  return s;
}

void source_close(struct source* s) {
  if (s != NULL && s->fd >= 0) {
    close(s->fd);
  }
  free(s);
}

/* Reads more bytes. Returns how many, 0 at the end of the file, -1 on an error. */
static ssize_t fill(struct source* s) {
  if (s->start > 0) {
    memmove(s->input, s->input + s->start, s->end - s->start);
    s->end -= s->start;
    s->start = 0;
  }
  ssize_t got;
  do {
    got = read(s->fd, s->input + s->end, INPUT_SIZE - s->end);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    s->end += (size_t)got;
  }
  return got;
}

/* Packs one line as an event; what is too long for a line was cut before. */
static void add_event(struct source* s, const char* text, uint32_t len,
                      uint32_t* count) {
  uint64_t when = line_time(text, len);
  if (when == NO_TIME) {
    when = s->last_time; /* a broken line happened about when the one before did */
  }
  s->last_time = when;
  char* where = s->batch + s->used;
  char* payload = falco_plugin_event_begin(where, when, len);
  memcpy(payload, text, len);
  s->events[(*count)++] = (ss_plugin_event*)(void*)where;
  s->used += FALCO_PLUGIN_EVENT_OVERHEAD + len;
}

/*
 * Takes the next line out of the input. `last`: what is left at the end of the file is
 * a line too. False: there is none.
 */
static bool take_line(struct source* s, bool last, struct counters* n,
                      const char** text, uint32_t* len) {
  while (s->start < s->end) {
    const char* from = s->input + s->start;
    const size_t left = s->end - s->start;
    const char* newline = memchr(from, '\n', left);
    size_t size = newline != NULL ? (size_t)(newline - from) : left;
    if (newline == NULL && !last && left < MAX_LINE) {
      return false;
    }
    const bool was_skipping = s->skipping;
    s->skipping = newline == NULL;
    s->start += size + (newline != NULL);
    s->consumed += size + (newline != NULL);
    n->bytes += size + (newline != NULL);
    if (was_skipping) {
      continue; /* the rest of a line whose beginning was delivered */
    }
    if (size > MAX_LINE) {
      size = MAX_LINE;
      n->cut++;
    }
    if (size > 0 && from[size - 1] == '\r') {
      size--;
    }
    if (size > 0) {
      *text = from;
      *len = (uint32_t)size;
      return true;
    }
  }
  return false;
}

static void wait_ms(uint64_t ms) {
  struct timespec pause = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
  nanosleep(&pause, NULL);
}

/* A followed file that shrank, or whose name belongs to another file, is reopened. */
static bool follow_moved(struct source* s, struct counters* n, char err[ERROR_SIZE]) {
  struct stat now;
  if (!s->regular || stat(s->path, &now) != 0) {
    return true; /* between two files of a rotation: keep the old one */
  }
  const bool same = now.st_dev == s->opened.st_dev && now.st_ino == s->opened.st_ino;
  if (same && (uint64_t)now.st_size >= s->consumed) {
    s->size = (uint64_t)now.st_size;
    return true;
  }
  say(s, SS_PLUGIN_LOG_SEV_NOTICE, same ? "was truncated" : "was replaced");
  n->reopened++;
  close(s->fd);
  s->start = s->end = 0;
  s->skipping = false;
  return open_file(s, err);
}

ss_plugin_rc source_next(struct source* s, const struct config* c, struct counters* n,
                         uint32_t* nevts, ss_plugin_event*** evts,
                         char err[ERROR_SIZE]) {
  uint32_t count = 0;
  const char* text;
  uint32_t len;
  s->used = 0;
  while (count < c->batch_lines &&
         s->used + FALCO_PLUGIN_EVENT_OVERHEAD + MAX_LINE <= BATCH_SIZE) {
    if (take_line(s, s->ended, n, &text, &len)) {
      add_event(s, text, len, &count);
      n->lines++;
      continue;
    }
    if (s->ended) {
      break;
    }
    const ssize_t got = fill(s);
    if (got < 0) {
      snprintf(err, ERROR_SIZE, "cannot read %.900s: %s", s->path, strerror(errno));
      return SS_PLUGIN_FAILURE;
    }
    if (got == 0 && c->follow) {
      break;
    }
    s->ended = got == 0;
  }
  if (count > 0) {
    *nevts = count;
    *evts = s->events;
    return SS_PLUGIN_SUCCESS;
  }
  if (s->ended) {
    return SS_PLUGIN_EOF;
  }
  wait_ms(c->poll_ms);
  return follow_moved(s, n, err) ? SS_PLUGIN_TIMEOUT : SS_PLUGIN_FAILURE;
}

const char* source_progress(struct source* s, uint32_t* pct) {
  const uint64_t total = s->size > s->consumed ? s->size : s->consumed;
  if (!s->regular || total == 0) {
    *pct = s->ended ? 10000 : 0;
    snprintf(s->progress, sizeof s->progress, "%llu bytes read",
             (unsigned long long)s->consumed);
  } else {
    *pct = (uint32_t)((double)s->consumed / (double)total * 10000.0);
    snprintf(s->progress, sizeof s->progress, "%.2f%% of %.1f MB",
             (double)*pct / 100.0, (double)total / 1e6);
  }
  return s->progress;
}
