/*
 * rounds LIB N: one library, N rounds of init, open, a batch, close, destroy, with two
 * states alive at a time. Prints the resident pages after a tenth of the rounds and at
 * the end, and the number of open descriptors at both times.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <falco_plugin.h>
#include <stdio.h>
#include <stdlib.h>

static long resident(void) {
  long total = 0, pages = 0;
  FILE* f = fopen("/proc/self/statm", "r");
  if (f == NULL || fscanf(f, "%ld %ld", &total, &pages) != 2) {
    abort();
  }
  fclose(f);
  return pages;
}

static int descriptors(void) {
  int n = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (folder != NULL && readdir(folder) != NULL) {
    n++;
  }
  closedir(folder);
  return n;
}

int main(int argc, char** argv) {
  void* lib = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  if (lib == NULL) {
    fprintf(stderr, "%s\n", argc == 3 ? dlerror() : "usage: rounds LIB N");
    return 2;
  }
  __typeof__(&plugin_init) init = (__typeof__(init))dlsym(lib, "plugin_init");
  __typeof__(&plugin_destroy) destroy = (__typeof__(destroy))dlsym(lib, "plugin_destroy");
  __typeof__(&plugin_open) open = (__typeof__(open))dlsym(lib, "plugin_open");
  __typeof__(&plugin_close) close = (__typeof__(close))dlsym(lib, "plugin_close");
  __typeof__(&plugin_next_batch) next =
      (__typeof__(next))dlsym(lib, "plugin_next_batch");
  const int rounds = atoi(argv[2]);
  const ss_plugin_init_input input = {"{\"jitter\": 0}", NULL, NULL, NULL, NULL};
  ss_plugin_t* before = NULL;
  for (int i = 0; i < rounds; i++) {
    ss_plugin_rc rc = SS_PLUGIN_FAILURE;
    ss_plugin_t* s = init(&input, &rc);
    if (rc != SS_PLUGIN_SUCCESS || s == before) {
      return 3;
    }
    rc = SS_PLUGIN_FAILURE;
    ss_instance_t* h = open(s, "{\"start\": 0, \"maxEvents\": 10}", &rc);
    uint32_t n = 0;
    ss_plugin_event** events = NULL;
    if (rc != SS_PLUGIN_SUCCESS ||
        ((rc = next(s, h, &n, &events)) != SS_PLUGIN_SUCCESS && rc != SS_PLUGIN_EOF) ||
        n != 10) {
      return 4;
    }
    close(s, h);
    if (before != NULL) {
      destroy(before);
    }
    before = s;
    if (i == rounds / 10 || i == rounds - 1) {
      printf("%ld %d\n", resident(), descriptors());
    }
  }
  destroy(before);
  return 0;
}
