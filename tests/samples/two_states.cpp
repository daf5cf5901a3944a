// Two states and two instances of one plugin at once, driven through the C functions.
#include "guide_plugin.cpp"

static ss_plugin_t *start(const char *config)
{
	ss_plugin_init_input input = {};
	ss_plugin_rc rc = SS_PLUGIN_FAILURE;
	input.config = config;
	ss_plugin_t *s = plugin_init(&input, &rc);
	return rc == SS_PLUGIN_SUCCESS ? s : nullptr;
}

static std::string ask(ss_plugin_t *s, falco_wire_event *event, const char *field)
{
	ss_plugin_event_input input = {event, 1, "guide"};
	ss_plugin_extract_field request = {};
	ss_plugin_field_extract_input in = {};
	request.field = field;
	request.ftype = FTYPE_STRING;
	in.num_fields = 1;
	in.fields = &request;
	if(plugin_extract_fields(s, &input, &in) != SS_PLUGIN_SUCCESS || request.res_len != 1)
	{
		return "?";
	}
	return request.res.str[0];
}

int main()
{
	char blob[64];
	memcpy(falco_plugin_event_begin(blob, 1, 1), "7", 1);
	falco_wire_event *event = (falco_wire_event *) blob;
	ss_plugin_t *one = start("one"), *two = start("two");
	printf("id %u\n", plugin_get_id());
	std::string kept = ask(one, event, "guide.config");
	printf("%s %s\n", kept.c_str(), ask(one, event, "guide.config").c_str());
	printf("%s %s\n", ask(two, event, "guide.config").c_str(), ask(two, event, "guide.config").c_str());

	ss_plugin_rc rc = SS_PLUGIN_FAILURE;
	ss_instance_t *first = plugin_open(one, "", &rc), *second = plugin_open(two, nullptr, &rc);
	uint32_t n = 0, m = 0;
	falco_wire_event **events = nullptr, **others = nullptr;
	plugin_next_batch(one, first, &n, &events);
	plugin_next_batch(two, second, &m, &others);
	for(uint32_t i = 0; i < 3 && i < n && i < m; i++)
	{
		uint32_t size = 0;
		printf(i > 0 ? " " : "");
		printf("%s", ask(one, events[i], "guide.text").c_str());
		printf(" %.1s", falco_plugin_payload(others[i], &size));
	}
	printf("\n");
	plugin_close(one, first);
	plugin_close(two, second);
	plugin_destroy(one);
	plugin_destroy(two);
	return 0;
}
