/* What plugins hold: the tables they see, the entries lent to them, and how both end. */
#include "inner.h"

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
	const abi_init_tables_input *offered = &owner->registry->offered;
	v->face = (abi_table_input){
		.name = v->name_copy, .key_type = key_type, .table = &v->face,
		.writer = *offered->writer_ext, .fields = offered->fields,
		.reader_ext = offered->reader_ext, .writer_ext = offered->writer_ext,
		.fields_ext = offered->fields_ext};
	memcpy(&v->face.reader, offered->reader_ext, sizeof v->face.reader);
	v->next = owner->views;
	owner->views = v;
	owner->litter += temporary;
	wbt_live_add(&v->face, WBT_VIEW, v);
	return v;
}

void wbt_view_end(wbt_view *v)
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

static void view_spend(wbt_view *v)
{
	wbt_owner *owner = v->owner;
	wbt_view_end(v);
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

/* ---- the end of a call ---- */

void wbt_drop_litter(wbt_owner *owner, const void *thread, bool all)
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
	wbt_drop_litter(owner, NULL, false);
	wbt_registry *r = owner->registry;
	if (atomic_load_explicit(&r->buried, memory_order_relaxed)) {
		wbt_lock();
		wbt_texts_free(&r->graveyard);
		atomic_store_explicit(&r->buried, 0, memory_order_relaxed);
		wbt_unlock();
	}
}

void wbt_routine_ended(wbt_owner *owner) { wbt_drop_litter(owner, wbt_thread(), false); }
