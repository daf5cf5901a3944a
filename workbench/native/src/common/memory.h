/* Memory, counted: what is alive after everything was closed is a leak. */
#ifndef WB_MEMORY_H
#define WB_MEMORY_H
#include <stddef.h>

/* Zeroed. Short memory ends the process: the crash report names the call in flight. */
void *wb_alloc(size_t bytes);
/* What is added is not zeroed. */
void *wb_realloc(void *ptr, size_t bytes);
void wb_free(void *ptr);
char *wb_copy_text(const char *text);

#endif
