// json_extract: values out of any payload that is JSON, for events of other plugins.
//
// Three libraries come from this file. With JSONX_SOURCES the plugin names the event
// sources it understands; without, it says nothing and is offered the events of all of
// them, whatever their bytes are. With JEVT it takes the names that Falco's guides use:
// plugin json, fields jevt.* and json.*.
#include <falcosecurity_json.h>
#include <falcosecurity_plugin.h>

#include <string>

using falcosecurity::json;

class json_extract : public falcosecurity::extractor_plugin {
 public:
  void get_info(falcosecurity::plugin_info& info) override {
    info.description = "Extracts values from payloads that are JSON";
    info.contact = "the authors of the Falco Plugin Workbench";
    info.version = "1.0.0";
    const char* const value = "What a JSON pointer leads to, such as [/user/name]";
    const char* const whole = "The whole document in one line";
#ifdef JEVT
    const char* const time = "The event's time in nanoseconds, as text";
    info.name = "json";
    info.fields = {
        {FTYPE_STRING, "json.value", true, value},
        {FTYPE_STRING, "json.obj", false, whole},
        {FTYPE_STRING, "json.rawtime", false, time},
        {FTYPE_STRING, "jevt.value", true, value},
        {FTYPE_STRING, "jevt.obj", false, whole},
        {FTYPE_STRING, "jevt.rawtime", false, time},
    };
    return;
#endif
    info.fields = {
        {FTYPE_STRING, "jsonx.value", true, value},
        {FTYPE_STRING, "jsonx.obj", false, whole},
    };
#ifdef JSONX_SOURCES
    info.name = "json_extract";
    info.extract_event_sources = JSONX_SOURCES;
#else
    info.name = "json_extract_all";
#endif
  }

  ss_plugin_rc init(const char*) override { return SS_PLUGIN_SUCCESS; }
  void destroy() override {}

  bool extract_str(const ss_plugin_event& evt, const std::string& field,
                   const std::string& arg, std::string& extract_val) override {
    const std::string what = field.substr(field.find('.') + 1);
    if (what == "rawtime") {
      extract_val = std::to_string(evt.ts);
      return true;
    }
    const char* payload = reinterpret_cast<const char*>(evt.data);
    json document;
    try {
      document = json::parse(payload, evt.datalen);
    } catch (const std::runtime_error&) {
      return false;  // other plugins' payloads need not be JSON
    }
    if (what == "obj") {
      extract_val = document.dump();
      return true;
    }
    const json* found = document.at_pointer(arg);
    if (found == nullptr) {
      return false;
    }
    extract_val = found->is(json::string) ? found->text() : found->dump();
    return true;
  }

  bool extract_u64(const ss_plugin_event&, const std::string&, const std::string&,
                   uint64_t&) override {
    return false;
  }
};

GEN_EXTRACTOR_PLUGIN_API_HOOKS(json_extract)
