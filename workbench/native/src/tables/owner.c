/* Plugins as users of tables: their errors, the tables they see, the entries they hold. */
#include <stdarg.h>
#include <stdio.h>

#include "inner.h"

/* ---- errors: per thread, so that one thread never reads what another writes ---- */

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

/* ---- views ---- */

wbt_view *wbt_view_new(wbt_owner *owner, const char *name, int32_t key_type,
                       wbt_schema *schema, bool temporary)
{
	wbt_view *v;
	if (temporary && owner->spent_count > WBT_SPENT_VIEWS) {
		v = owner->spent;
		owner->spent = v->next;
		owner->spent_count--;
		memset(v, 0, sizeof *v);
	} else
		v = wb_alloc(sizeof *v);
	v->owner = owner;
	v->schema = schema;
	v->temporary = temporary;
	v->thread = wbt_thread();
	v->name_copy = wb_copy_text(name);
	v->face = (abi_table_input){
		.name = v->name_copy, .key_type = key_type, .table = &v->face,
		.writer = wbt_writer_vtable, .fields = wbt_fields_vtable,
		.reader_ext = &wbt_reader_vtable, .writer_ext = &wbt_writer_vtable,
		.fields_ext = &wbt_fields_vtable};
	memcpy(&v->face.reader, &wbt_reader_vtable, sizeof v->face.reader);
	v->next = owner->views;
	owner->views = v;
	owner->litter += temporary;
	wbt_live_add(&v->face, WBT_VIEW, v);
	return v;
}

/* Let go of what a view holds and of its handle. */
static void view_end(wbt_view *v)
{
	wbt_owner *owner = v->owner;
	wbt_live_remove(&v->face);
	if (v->pin)
		wbt_record_drop(owner->registry, v->pin);
	if (v->own_foreign)
		wb_free(v->foreign);
	owner->litter -= v->temporary;
	wb_free(v->listed);
	v->face.name = "";
	wb_free(v->name_copy);
}

static void views_free(wbt_view *v)
{
	while (v) {
		wbt_view *next = v->next;
		wb_free(v);
		v = next;
	}
}

static void view_spend(wbt_view *v)
{
	wbt_owner *owner = v->owner;
	view_end(v);
	v->next = NULL;
	if (!owner->spent)
		owner->last_spent = &owner->spent;
	*owner->last_spent = v;
	owner->last_spent = &v->next;
	owner->spent_count++;
}

/* ---- loans ---- */

wbt_loan *wbt_lend(wbt_view *view, wbt_record *record, abi_entry *entry,
                   wbt_loan_kind kind)
{
	wbt_owner *owner = view->owner;
	wbt_loan *l = wb_alloc(sizeof *l);
	l->owner = owner;
	l->kind = kind;
	l->thread = wbt_thread();
	l->schema = view->schema;
	l->store = view->store;
	l->record = record;
	if (record)
		record->refs++;
	l->entry = entry;
	if (view->foreign)
		l->foreign = *view->foreign;
	l->after = owner->loans;
	if (l->after)
		l->after->before = l;
	owner->loans = l;
	owner->litter++;
	wbt_live_add(l, WBT_LOAN, l);
	return l;
}

bool wbt_loan_end(wbt_loan *l, wbt_return *back)
{
	wbt_owner *owner = l->owner;
	bool give_back = false;

	wbt_live_remove(l);
	*(l->before ? &l->before->after : &owner->loans) = l->after;
	if (l->after)
		l->after->before = l->before;
	if (l->record)
		wbt_record_drop(owner->registry, l->record);
	else if (l->foreign.owner && l->kind != WBT_ITERATED) {
		*back = (wbt_return){l->foreign, l->entry, l->kind};
		give_back = true;
	}
	owner->litter--;
	wb_free(l);
	return give_back;
}

void wbt_give_back(const wbt_return *back)
{
	const wbt_foreign *how = &back->how;
	if (back->kind == WBT_CREATED)
		how->writer.destroy_table_entry(how->table, back->entry);
	else if (how->extended)
		how->reader.release_table_entry(how->table, back->entry);
}

/* ---- coming, going, and the end of a call ---- */

wbt_owner *wbt_join(wbt_registry *registry, abi_owner *handle, const char *name,
                    uint32_t minor, const char *(*last_error)(abi_owner *handle))
{
	wbt_owner *o = wb_alloc(sizeof *o);
	o->registry = registry;
	o->handle = handle;
	o->name = wb_copy_text(name ? name : "");
	o->minor = minor;
	o->last_error = last_error;
	o->init = (abi_init_tables_input){
		.list_tables = wbt_list_tables, .get_table = wbt_get_table,
		.add_table = wbt_add_table, .fields = wbt_fields_vtable,
		.fields_ext = &wbt_fields_vtable, .reader_ext = &wbt_reader_vtable,
		.writer_ext = &wbt_writer_vtable};
	wbt_lock();
	o->next = registry->owners;
	registry->owners = o;
	wbt_live_add(handle, WBT_OWNER, o);
	wbt_unlock();
	return o;
}

const abi_init_tables_input *wbt_init_input(wbt_owner *owner) { return &owner->init; }
abi_reader_vtable_ext *wbt_reader(void) { return &wbt_reader_vtable; }
abi_writer_vtable *wbt_writer(void) { return &wbt_writer_vtable; }

/* Drop what one thread (or, with all, everybody) left of an owner. */
static void drop_litter(wbt_owner *owner, const void *thread, bool all)
{
	if (!atomic_load_explicit(&owner->litter, memory_order_relaxed))
		return;
	wbt_lock();
	for (;;) {
		wbt_loan *l = owner->loans;
		while (l && !all && l->thread != thread)
			l = l->after;
		if (!l)
			break;
		wbt_return back;
		if (wbt_loan_end(l, &back)) {
			wbt_unlock();
			wbt_give_back(&back);
			wbt_lock();
		}
	}
	for (wbt_view **at = &owner->views; *at;) {
		wbt_view *v = *at;
		if (v->temporary && (all || v->thread == thread)) {
			*at = v->next;
			view_spend(v);
		} else
			at = &v->next;
	}
	for (wbt_text **at = &owner->copies; *at;) {
		wbt_text *t = *at;
		if (all || t->thread == thread) {
			*at = t->next;
			owner->litter--;
			wb_free(t);
		} else
			at = &t->next;
	}
	wbt_unlock();
}

void wbt_call_ended(wbt_owner *owner)
{
	drop_litter(owner, NULL, false);
	wbt_registry *r = owner->registry;
	if (atomic_load_explicit(&r->buried, memory_order_relaxed)) {
		wbt_lock();
		wbt_texts_free(&r->graveyard);
		atomic_store_explicit(&r->buried, 0, memory_order_relaxed);
		wbt_unlock();
	}
}

void wbt_routine_ended(wbt_owner *owner) { drop_litter(owner, wbt_thread(), false); }

void wbt_retire(wbt_owner *owner)
{
	wbt_lock();
	for (wbt_table *t = owner->registry->tables; t; t = t->next)
		if (t->foreign && t->foreign->owner == owner)
			t->foreign->owner = NULL;
	/* Sub-tables of its tables in others' hands, and their entries, are gone too. */
	for (wbt_owner *o = owner->registry->owners; o; o = o->next) {
		for (wbt_view *v = o->views; v; v = v->next)
			if (v->own_foreign && v->foreign->owner == owner)
				v->foreign->owner = NULL;
		for (wbt_loan *l = o->loans; l; l = l->after)
			if (l->foreign.owner == owner)
				l->foreign.owner = NULL;
	}
	wbt_unlock();
}

void wbt_leave(wbt_owner *owner)
{
	wbt_registry *r = owner->registry;
	wbt_retire(owner);
	drop_litter(owner, NULL, true);
	wbt_lock();
	wbt_live_remove(owner->handle);
	for (wbt_view *v = owner->views; v; v = v->next)
		view_end(v);
	views_free(owner->views);
	views_free(owner->spent);
	wbt_owner **at = &r->owners;
	while (*at != owner)
		at = &(*at)->next;
	*at = owner->next;
	wbt_unlock();
	wb_free(owner->listed);
	wb_free(owner->name);
	wb_free(owner);
}
