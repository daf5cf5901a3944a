#ifndef TABLES_TEST_H
#define TABLES_TEST_H
/* Make-believe plugins, and checks that say what went wrong. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common_api.h"
#include "tables/tables.h"

/* tables_foreign_test.c */
void tables_of_plugins(void);

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			printf("%s:%d: %s (error: %s)\n", __func__, __LINE__, #condition, \
			       wbt_last_error(NULL) ? wbt_last_error(NULL) : "-"); \
			exit(1); \
		} \
	} while (0)

typedef struct plugin {
	wbt_owner *owner;
	const abi_init_tables_input *t;
	const char *words;
} plugin;

static inline const char *words_of(abi_owner *handle) { return ((plugin *)handle)->words; }

static inline void join(plugin *p, wbt_registry *r, const char *name, uint32_t minor)
{
	*p = (plugin){0};
	p->owner = wbt_join(r, p, name, minor, words_of);
	p->t = wbt_init_input(p->owner);
}

#define ERROR(p, text) \
	do { \
		const char *e_ = wbt_last_error(p); \
		if (!e_ || !strstr(e_, text)) { \
			printf("%s:%d: error is '%s', expected '%s'\n", __func__, __LINE__, \
			       e_ ? e_ : "none", text); \
			exit(1); \
		} \
	} while (0)

#define KEY(n) (&(abi_state_data){.s64 = (n)})

static inline abi_entry *put(plugin *p, abi_table *t, int64_t key)
{
	return p->t->writer_ext->add_table_entry(t, KEY(key),
		p->t->writer_ext->create_table_entry(t));
}

static inline abi_table *threads(plugin *p)
{
	return p->t->get_table(p, "threads", ABI_STATE_INT64);
}

typedef struct walk {
	plugin *p;
	abi_table *t;
	int seen, stop_at, clear_at;
	abi_entry *last;
} walk;

static inline uint32_t visit(void *state, abi_entry *e)
{
	walk *w = state;
	w->last = e;
	if (++w->seen == w->clear_at)
		wbt_writer()->clear_table(w->t);
	if (w->seen == 2)
		wbt_reader()->release_table_entry(w->t, e);
	return w->seen != w->stop_at;
}

#endif
