/* Show an event to the plugins that keep state, in load order, before any extraction. */
#include "selection.h"

void wb_parse_event(wb_host *host, wb_event *event, const char *source,
                    wb_selection *selection, uint32_t source_id)
{
	for (wb_plugin *p = host->first; p; p = p->next) {
		if (!p->parses || !p->init_ok || !wb_scope_type(&p->parse, event->type) ||
		    !wb_scope_sees(&p->parse, source))
			continue;
		abi_reader_vtable_ext *reader = wb_tables_reader(p);
		abi_writer_vtable *writer = wb_tables_writer(p);
		abi_parse_input in = {.owner = p,
		                      .get_owner_last_error = wb_owner_last_error,
		                      .table_writer = *writer,
		                      .table_reader_ext = reader,
		                      .table_writer_ext = writer};
		memcpy(&in.table_reader, reader, sizeof in.table_reader);
		uint8_t *blob = wb_selection_blob(selection, event, source_id);
		abi_event_input ev = {(abi_event_c *)blob, event->serial, source};
		wb_hot *hot = wb_hot_of(p, WB_HOT_PARSE);
		uint64_t start = (hot->count++ & 63) ? 0 : wb_mono_ns();
		host->page->event_number = event->num;
		wb_mark(host, WB_CALL_parse_event, p->index);
		/* The framework does not look at the code either; it is counted. */
		bool failed =
			((wb_parse_fn)p->sym[WB_CALL_parse_event])(p->state, &ev, &in) != ABI_SUCCESS;
		if (start) {
			hot->timed++;
			hot->timed_ns += wb_mono_ns() - start;
		}
		wb_unmark(host);
		if (failed) {
			hot->failures++;
			wb_note_failed(p, WB_FAILED_PARSE, event->num);
		}
		wb_tables_call_ended(p);
	}
}
