// A plugin written to the plugin developers guide: every class, method, member and
// macro it names, used in the way it uses them. Nothing here knows our header's own
// additions; the id is not set.
#include <stdio.h>
#include <stdlib.h>

#include <string>

#include <falcosecurity_plugin.h>

static std::string text_of(const ss_plugin_event &evt)
{
	return std::string((char *) evt.data, evt.datalen);
}

class guide_plugin : public falcosecurity::source_plugin {
public:
	guide_plugin();
	virtual ~guide_plugin();

	void get_info(falcosecurity::plugin_info &info) override;
	ss_plugin_rc init(const char *config) override;
	void destroy() override;
	falcosecurity::plugin_instance *create_instance(falcosecurity::source_plugin &plugin) override;
	std::string event_to_string(const uint8_t *data, uint32_t datalen) override;
	bool extract_str(const ss_plugin_event &evt, const std::string &field, const std::string &arg, std::string &extract_val) override;
	bool extract_u64(const ss_plugin_event &evt, const std::string &field, const std::string &arg, uint64_t &extract_val) override;
	std::string list_open_params(ss_plugin_rc *rc) override;
	std::string get_init_schema(ss_plugin_schema_type *schema_type) override;

	std::string m_config;
};

class guide_instance : public falcosecurity::plugin_instance {
public:
	guide_instance(guide_plugin &plugin);
	virtual ~guide_instance();

	ss_plugin_rc open(const char *params) override;
	void close() override;
	ss_plugin_rc next(falcosecurity::plugin_event &evt) override;
	std::string get_progress(uint32_t &progress_pct) override;

private:
	guide_plugin &m_plugin;
	std::string m_params;
	uint64_t m_count;
};

guide_plugin::guide_plugin() {}
guide_plugin::~guide_plugin() {}

void guide_plugin::get_info(falcosecurity::plugin_info &info)
{
	info.name = "guide";
	info.description = "Written \"to the guide\"";
	info.contact = "nobody\\somewhere";
	info.version = "0.1.0";
	info.event_source = "guide";
	info.fields = {
		{FTYPE_UINT64, "guide.number", true, "The number plus the argument"},
		{FTYPE_STRING, "guide.text", false, "The payload"},
		{FTYPE_STRING, "guide.config", false, "The config of this state"}
	};
}

ss_plugin_rc guide_plugin::init(const char *config)
{
	m_config = config != NULL ? config : "";
	if(m_config == "fail")
	{
		set_last_error("asked to fail");
		return SS_PLUGIN_FAILURE;
	}
	if(m_config == "throw")
	{
		throw std::string("not a std::exception");
	}
	if(m_config == "throw std")
	{
		throw std::runtime_error("thrown in init");
	}
	return SS_PLUGIN_SUCCESS;
}

void guide_plugin::destroy()
{
	fprintf(stderr, "destroy %s\n", m_config.c_str());
}

falcosecurity::plugin_instance *guide_plugin::create_instance(falcosecurity::source_plugin &plugin)
{
	return new guide_instance((guide_plugin &) plugin);
}

std::string guide_plugin::event_to_string(const uint8_t *data, uint32_t datalen)
{
	std::string rep = "<";
	rep.append((char *) data, datalen);
	if(rep == "<3")
	{
		throw std::runtime_error("thrown in event_to_string");
	}
	return rep + ">";
}

bool guide_plugin::extract_str(const ss_plugin_event &evt, const std::string &field, const std::string &arg, std::string &extract_val)
{
	(void) arg;
	if(field == "guide.text")
	{
		extract_val.assign((char *) evt.data, evt.datalen);
		return true;
	}
	extract_val = m_config;
	return m_config != "";
}

bool guide_plugin::extract_u64(const ss_plugin_event &evt, const std::string &field, const std::string &arg, uint64_t &extract_val)
{
	if(field != "guide.number")
	{
		return false;
	}
	extract_val = std::stoi(text_of(evt)) + std::stoi(arg);
	return true;
}

std::string guide_plugin::list_open_params(ss_plugin_rc *rc)
{
	*rc = SS_PLUGIN_SUCCESS;
	return "[{\"value\": \"3\"}]";
}

std::string guide_plugin::get_init_schema(ss_plugin_schema_type *schema_type)
{
	*schema_type = SS_PLUGIN_SCHEMA_NONE;
	return "";
}

guide_instance::guide_instance(guide_plugin &plugin): m_plugin(plugin), m_count(0) {}
guide_instance::~guide_instance() {}

ss_plugin_rc guide_instance::open(const char *params)
{
	m_params = params;
	if(m_params == "fail")
	{
		m_plugin.set_last_error("asked to fail in open");
		return SS_PLUGIN_FAILURE;
	}
	if(m_params == "throw")
	{
		throw std::runtime_error("thrown in open");
	}
	return SS_PLUGIN_SUCCESS;
}

void guide_instance::close()
{
	fprintf(stderr, "close %s\n", m_params.c_str());
}

ss_plugin_rc guide_instance::next(falcosecurity::plugin_event &evt)
{
	m_count++;
	if(m_params == "timeout" && m_count == 3)
	{
		return SS_PLUGIN_TIMEOUT;
	}
	if(m_count > 5)
	{
		if(m_params == "end badly")
		{
			m_plugin.set_last_error("the source broke");
			return SS_PLUGIN_FAILURE;
		}
		if(m_params == "throw at the end")
		{
			throw std::runtime_error("thrown in next");
		}
		return SS_PLUGIN_EOF;
	}
	std::string payload = std::to_string(m_count);
	evt.data.assign(payload.begin(), payload.end());
	evt.ts = (uint64_t) -1;
	return SS_PLUGIN_SUCCESS;
}

std::string guide_instance::get_progress(uint32_t &progress_pct)
{
	progress_pct = 10000;
	return "done";
}

GEN_SOURCE_PLUGIN_API_HOOKS(guide_plugin, guide_instance)
