/*
 * What every function that plugins call begins with: check the handles, and for tables
 * of plugins cross over to their owner without holding the lock.
 */
#include <stdarg.h>
#include <stdio.h>

#include "inner.h"

static _Thread_local int depth;

wbt_view *wbt_enter(abi_table *t, const char *function)
{
	wbt_lock();
	wbt_view *v = wbt_live_find(t, WBT_VIEW);
	if (!v) {
		wbt_unlock();
		wbt_error_set(NULL, "%s: the table handle is not valid; handles of sub-tables "
		              "end with the plugin call that got them", function);
		return NULL;
	}
	wbt_error_clear(v->owner);
	return v;
}

void wbt_refuse(wbt_view *v, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	wbt_error_set(v->owner, "%s", text);
	wbt_unlock();
}

/* ---- forwarding ---- */

bool wbt_trip_begin(wbt_view *v, wbt_trip *trip, const char *function)
{
	wbt_owner *owner = v->foreign->owner;
	if (!owner) {
		wbt_refuse(v, "%s: the plugin that owned table '%s' is gone", function,
		           v->face.name);
		return false;
	}
	if (depth >= WBT_MAX_DEPTH) {
		wbt_refuse(v, "%s: calls to table '%s' go in circles", function, v->face.name);
		return false;
	}
	trip->how = *v->foreign;
	trip->caller = v->owner;
	trip->caller_handle = v->owner->handle;
	trip->owner_handle = owner->handle;
	trip->last_error = owner->last_error;
	trip->owner_minor = owner->minor;
	trip->function = function;
	snprintf(trip->table, sizeof trip->table, "%s", v->face.name);
	snprintf(trip->owner, sizeof trip->owner, "%s", owner->name);
	wbt_unlock();
	depth++;
	return true;
}

void wbt_trip_end(void) { depth--; }

void wbt_trip_failed(const wbt_trip *trip)
{
	const char *words = trip->last_error ? trip->last_error(trip->owner_handle) : NULL;
	if (words && *words)
		wbt_fail(trip->caller_handle, "%s", words);
	else
		wbt_fail(trip->caller_handle, "%s failed on table '%s', and its plugin '%s' "
		         "does not say why", trip->function, trip->table, trip->owner);
}

/* Lend an entry that the owner of a table handed out. */
abi_entry *wbt_adopt(abi_table *t, const wbt_trip *trip, abi_entry *e,
                     wbt_loan_kind kind)
{
	if (!e) {
		wbt_trip_failed(trip);
		return NULL;
	}
	wbt_view *v = wbt_enter(t, trip->function);
	if (!v) {
		wbt_give_back(&(wbt_return){trip->how, e, kind});
		return NULL;
	}
	wbt_loan *l = wbt_lend(v, NULL, e, kind);
	wbt_unlock();
	return (abi_entry *)l;
}

/* ---- entries ---- */

/* The loan behind an entry handle used with a table; NULL: refused and unlocked. */
wbt_loan *wbt_loan_of(wbt_view *v, const abi_entry *e, const char *function)
{
	wbt_loan *l = wbt_live_find(e, WBT_LOAN);
	if (!l)
		wbt_refuse(v, "%s: the entry handle is not valid: released, destroyed, or "
		           "dropped when the plugin call ended", function);
	else if (l->owner != v->owner)
		wbt_refuse(v, "%s: the entry belongs to another plugin", function);
	else if (v->store ? l->store != v->store
	         : l->foreign.table != v->foreign->table || l->record)
		wbt_refuse(v, "%s: an entry of table '%s' is used with table '%s'", function,
		           l->schema->name, v->face.name);
	else
		return l;
	return NULL;
}

const wbt_field *wbt_field_of(wbt_view *v, const abi_accessor *f,
                              const char *function)
{
	const wbt_field *field = wbt_live_find(f, WBT_FIELD);
	if (!field)
		wbt_refuse(v, "%s: the field accessor is not valid", function);
	else if (field->schema != v->schema)
		wbt_refuse(v, "%s: an accessor of table '%s' is used with table '%s'", function,
		           field->schema->name, v->face.name);
	else
		return field;
	return NULL;
}
