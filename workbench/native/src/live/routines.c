/*
 * Routines: functions of a plugin that a small pool of threads calls again and again,
 * each one never twice at once, until it returns 0, is unsubscribed, or the capture ends.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "../tables/tables.h"
#include "live.h"

/* A routine that returns at once is not asked again at once. */
#define SHORT_RUN_NS 100000u
#define PAUSE_NS 1000000u
/* How long unsubscribing waits for a run to end. */
#define UNSUBSCRIBE_WAIT_NS 1000000000u

typedef uint32_t (*routine_fn)(void *state, void *arg);

typedef struct routine {
	wb_pool *pool;
	wb_plugin *plugin;
	routine_fn fn;
	void *arg;
	bool running, gone;
	pthread_t runner;
	uint64_t not_before;
	struct routine *next;
} routine;

typedef struct member {
	wb_plugin *plugin;
	struct member *next;
} member;

struct wb_pool {
	pthread_t threads[WB_POOL_THREADS];
	int started;
	bool quit;
	routine *first, **last;
	member *members;
	wb_pool *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static wb_pool *pools; /* that take subscriptions */

static void make_condition(void)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void wait_until(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
	pthread_cond_timedwait(&changed, &lock, &t);
}

static void drop(routine *r)
{
	routine **at = &r->pool->first;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	if (r->pool->last == &r->next)
		r->pool->last = at;
	wb_free(r);
}

/* The next routine to run; *due: when to look again if there is none. */
static routine *pick(wb_pool *pool, uint64_t now, uint64_t *due)
{
	*due = now + 1000000000u;
	for (routine *r = pool->first; r; r = r->next) {
		if (r->running || r->gone)
			continue;
		if (r->not_before <= now)
			return r;
		if (r->not_before < *due)
			*due = r->not_before;
	}
	return NULL;
}

/* Behind all others, so that every routine gets its turn. */
static void to_the_end(wb_pool *pool, routine *r)
{
	routine **at = &pool->first;
	while (*at != r)
		at = &(*at)->next;
	if (!r->next)
		return;
	*at = r->next;
	r->next = NULL;
	*pool->last = r;
	pool->last = &r->next;
}

static void *work(void *arg)
{
	wb_pool *pool = arg;
	wbt_routine_thread(1);
	pthread_mutex_lock(&lock);
	while (!pool->quit) {
		uint64_t due, start = wb_mono_ns();
		routine *r = pick(pool, start, &due);
		if (!r) {
			wait_until(due);
			continue;
		}
		r->running = true;
		r->runner = pthread_self();
		to_the_end(pool, r);
		pthread_mutex_unlock(&lock);
		uint32_t again = r->fn(r->plugin->state, r->arg);
		if (r->plugin->tables)
			wbt_routine_ended(r->plugin->tables);
		uint64_t end = wb_mono_ns();
		pthread_mutex_lock(&lock);
		r->running = false;
		r->not_before = end - start < SHORT_RUN_NS ? end + PAUSE_NS : 0;
		if (!again || r->gone)
			drop(r);
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
	wbt_routine_thread(0);
	return NULL;
}

wb_pool *wb_pool_new(void)
{
	pthread_once(&once, make_condition);
	wb_pool *pool = wb_alloc(sizeof *pool);
	pool->last = &pool->first;
	pthread_mutex_lock(&lock);
	pool->next = pools;
	pools = pool;
	pthread_mutex_unlock(&lock);
	return pool;
}

void wb_pool_admit(wb_pool *pool, wb_plugin *p)
{
	member *m = wb_alloc(sizeof *m);
	m->plugin = p;
	pthread_mutex_lock(&lock);
	m->next = pool->members;
	pool->members = m;
	pthread_mutex_unlock(&lock);
}

static wb_pool *pool_of(const void *owner)
{
	for (wb_pool *pool = pools; pool; pool = pool->next)
		for (member *m = pool->members; m; m = m->next)
			if (m->plugin == owner)
				return pool;
	return NULL;
}

/* Threads start with the first routine, with all signals left to the main thread. */
static bool start_threads(wb_pool *pool)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (pool->started < WB_POOL_THREADS &&
	       !pthread_create(&pool->threads[pool->started], NULL, work, pool))
		pool->started++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return pool->started > 0;
}

static abi_routine *subscribe(abi_owner *owner, routine_fn fn, void *arg)
{
	pthread_mutex_lock(&lock);
	wb_pool *pool = pool_of(owner);
	const char *wrong = NULL;
	routine *r = NULL;
	if (!pool || pool->quit)
		wrong = "subscribe: routines run only between capture_open and capture_close";
	else if (!fn)
		wrong = "subscribe: the routine is null";
	else if (!start_threads(pool))
		wrong = "subscribe: no thread could be started";
	else {
		r = wb_alloc(sizeof *r);
		*r = (routine){.pool = pool, .plugin = owner, .fn = fn, .arg = arg};
		*pool->last = r;
		pool->last = &r->next;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
	if (wrong)
		wbt_fail(owner, "%s", wrong);
	return r;
}

/* The address may be another routine's by now: looked up, never followed first. */
static routine *find(wb_pool *pool, const void *handle, const void *owner)
{
	for (routine *r = pool->first; r; r = r->next)
		if (r == handle && r->plugin == owner && !r->gone)
			return r;
	return NULL;
}

static int32_t unsubscribe(abi_owner *owner, abi_routine *handle)
{
	pthread_mutex_lock(&lock);
	wb_pool *pool = pool_of(owner);
	routine *r = pool ? find(pool, handle, owner) : NULL;
	bool found = r != NULL;
	if (r && !r->running)
		drop(r);
	else if (r) {
		r->gone = true;
		uint64_t limit = wb_mono_ns() + UNSUBSCRIBE_WAIT_NS;
		bool own = pthread_equal(r->runner, pthread_self());
		while (!own && wb_mono_ns() < limit) {
			bool there = false;
			for (routine *s = pool->first; s; s = s->next)
				there = there || s == r;
			if (!there)
				break;
			wait_until(limit);
		}
	}
	pthread_mutex_unlock(&lock);
	if (!found)
		wbt_fail(owner, "unsubscribe: the routine handle is not valid");
	return found ? ABI_SUCCESS : ABI_FAILURE;
}

abi_routine_vtable wb_routine_vtable = {subscribe, unsubscribe};

void wb_pool_free(wb_pool *pool, wb_host *host)
{
	pthread_mutex_lock(&lock);
	pool->quit = true;
	for (routine *r = pool->first; r; r = r->next)
		r->gone = true;
	pthread_cond_broadcast(&changed);
	/* A run that does not end shows as the capture_close of its plugin. */
	for (routine *r = pool->first; r; r = r->next)
		if (r->running) {
			host->page->enter_ns = wb_mono_ns();
			wb_mark(host, WB_CALL_capture_close, r->plugin->index);
			break;
		}
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < pool->started; i++)
		pthread_join(pool->threads[i], NULL);
	wb_unmark(host);
	pthread_mutex_lock(&lock);
	wb_pool **at = &pools;
	while (*at != pool)
		at = &(*at)->next;
	*at = pool->next;
	pthread_mutex_unlock(&lock);
	while (pool->first)
		drop(pool->first);
	for (member *m = pool->members, *next; m; m = next) {
		next = m->next;
		wb_free(m);
	}
	wb_free(pool);
}
