// One of several plugins whose classes have the same names, as copies of one project
// have, and which are compiled with default visibility. What each is comes from the
// command line: NAME, VERSION, NUMBER, and STATEFUL for one that parses events.
#include <falcosecurity_json.h>
#include <falcosecurity_plugin.h>

#ifdef REMEMBERS
// What authors themselves let functions remember: only the build flags keep that apart.
template <typename T>
T& remembered(T first) {
  static T value = first;
  return value;
}
#endif

#ifdef STATEFUL
typedef falcosecurity::stateful_plugin base;
#else
typedef falcosecurity::source_plugin base;
#endif

class my_plugin : public base {
 public:
  void get_info(falcosecurity::plugin_info& info) override {
    info.name = NAME;
    info.description = "One of several";
    info.contact = "nobody";
    info.version = VERSION;
    info.fields = {{FTYPE_UINT64, NAME ".number", false, "NUMBER"},
                   {FTYPE_STRING, NAME ".text", false, "VERSION"}};
#ifdef STATEFUL
    info.extract_event_sources = {"weblog"};
#else
    info.event_source = NAME;
#endif
  }
  std::string get_init_schema(ss_plugin_schema_type* schema_type) override {
    *schema_type = SS_PLUGIN_SCHEMA_JSON;
    return "{\"title\": \"" NAME "\"}";
  }
  ss_plugin_rc init(const char*) override { return SS_PLUGIN_SUCCESS; }
  void destroy() override {}
  bool extract_u64(const falcosecurity::event_view&, const std::string&,
                   const std::string&, uint64_t& value) override {
#ifdef REMEMBERS
    static const uint64_t mine = remembered<uint64_t>(NUMBER);
    value = mine;
#else
    value = NUMBER;
#endif
    return true;
  }
  bool extract_str(const falcosecurity::event_view&, const std::string&,
                   const std::string&, std::string& value) override {
    value = falcosecurity::json::parse("\"" VERSION "\"").text();
    return true;
  }
#ifdef STATEFUL
  void parse_event(const falcosecurity::event_view&,
                   const falcosecurity::table_access&) override {}
  std::vector<std::string> async_events() const override { return {NAME "_async"}; }
#else
  falcosecurity::plugin_instance* create_instance(
      falcosecurity::source_plugin& plugin) override;
  std::string event_to_string(const uint8_t*, uint32_t) override { return NAME; }
#endif
};

#ifdef STATEFUL
GEN_STATEFUL_PLUGIN_API_HOOKS(my_plugin)
#else
class my_instance : public falcosecurity::plugin_instance {
 public:
  ss_plugin_rc open(const char*) override { return SS_PLUGIN_SUCCESS; }
  void close() override {}
  ss_plugin_rc next(falcosecurity::plugin_event& evt) override {
    const std::string text(NAME);
    evt.data.assign(text.begin(), text.end());
    evt.ts = 1;
    return m_left-- > 0 ? SS_PLUGIN_SUCCESS : SS_PLUGIN_EOF;
  }

 private:
  int m_left = 3;
};

falcosecurity::plugin_instance* my_plugin::create_instance(
    falcosecurity::source_plugin&) {
  return new my_instance;
}

GEN_SOURCE_PLUGIN_API_HOOKS(my_plugin, my_instance)
#endif
