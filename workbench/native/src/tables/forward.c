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

wbt_view *wbt_enter_key(abi_table *t, const abi_state_data *key, const char *function)
{
	wbt_view *v = wbt_enter(t, function);
	if (!v || key)
		return v;
	wbt_refuse(v, "%s: the key is null", function);
	return NULL;
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

int32_t wbt_trip_done(const wbt_trip *trip, int32_t rc)
{
	wbt_trip_end();
	if (rc != ABI_SUCCESS)
		wbt_trip_failed(trip);
	return rc;
}

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

void wbt_hand_back(wbt_loan *l)
{
	wbt_return back;
	bool give_back = wbt_loan_end(l, &back);
	wbt_unlock();
	if (give_back)
		wbt_give_back(&back);
}

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

/* ---- tables of plugins ---- */

const char *wbt_copy_vtables(const abi_table_input *in, uint32_t minor,
                             wbt_foreign *out)
{
	const abi_reader_vtable *r = &in->reader;
	const abi_writer_vtable *w = &in->writer;
	const abi_fields_vtable *f = &in->fields;

	memset(out, 0, sizeof *out);
	if (!wbt_is_value_type(in->key_type))
		return "key type is not usable";
	if (!r->get_table_name || !r->get_table_size || !r->get_table_entry ||
	    !r->read_entry_field)
		return "broken or inconsistent reader vtables";
	if (!w->clear_table || !w->erase_table_entry || !w->create_table_entry ||
	    !w->destroy_table_entry || !w->add_table_entry || !w->write_entry_field)
		return "broken or inconsistent writer vtables";
	if (!f->list_table_fields || !f->get_table_field || !f->add_table_field)
		return "broken or inconsistent fields vtables";
	out->table = in->table;
	out->writer = *w;
	out->fields = *f;
	memcpy(&out->reader, r, sizeof *r);
	/* Plugins of 3.0 hand over a shorter struct. */
	if (minor < 1)
		return NULL;
	if (!in->reader_ext || !in->writer_ext || !in->fields_ext)
		return "extended vtables must all be defined";
	if (memcmp(in->reader_ext, r, sizeof *r) || !in->reader_ext->release_table_entry ||
	    !in->reader_ext->iterate_entries)
		return "broken or inconsistent reader vtables";
	if (memcmp(in->writer_ext, w, sizeof *w))
		return "broken or inconsistent writer vtables";
	if (memcmp(in->fields_ext, f, sizeof *f))
		return "broken or inconsistent fields vtables";
	out->reader = *in->reader_ext;
	out->extended = true;
	return NULL;
}
