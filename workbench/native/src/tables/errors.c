/* Errors of table calls: per thread, so that no thread reads what another writes. */
#include <stdarg.h>
#include <stdio.h>

#include "inner.h"

static _Thread_local char error_text[1024];
static _Thread_local const void *error_owner; /* NULL: whoever asks */
static _Thread_local bool error_set;
static _Thread_local bool routine_thread;

bool wbt_in_routine(void) { return routine_thread; }
void wbt_routine_thread(int on) { routine_thread = on != 0; }

/* Which thread a handle belongs to; all ordinary threads are one. */
const void *wbt_thread(void) { return routine_thread ? error_text : NULL; }

static void set_error(const void *handle, const char *format, va_list args)
{
	vsnprintf(error_text, sizeof error_text, format, args);
	if (!error_text[0])
		snprintf(error_text, sizeof error_text, "failed without a reason");
	error_owner = handle;
	error_set = true;
}

void wbt_error_clear(wbt_owner *owner) { error_set = false; }

void wbt_error_set(wbt_owner *owner, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set_error(owner ? owner->handle : NULL, format, args);
	va_end(args);
}

void wbt_fail(abi_owner *handle, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set_error(handle, format, args);
	va_end(args);
}

const char *wbt_last_error(abi_owner *handle)
{
	if (!error_set || (error_owner && error_owner != handle))
		return NULL;
	return error_text;
}
