// @NAME@: a Falco plugin that counts, and says what it counted.
//
// An event's payload is a number in decimal text. Replace `stream::next` with your own
// source and the `extract_` functions with your own fields.
#include <falcosecurity_json.h>
#include <falcosecurity_plugin.h>

#include <string>

using falcosecurity::json;

class counter : public falcosecurity::source_plugin {
 public:
  void get_info(falcosecurity::plugin_info& info) override;
  std::string get_init_schema(ss_plugin_schema_type* type) override;
  ss_plugin_rc init(const char* config) override;
  void destroy() override {}
  falcosecurity::plugin_instance* create_instance(
      falcosecurity::source_plugin& plugin) override;
  std::string list_open_params(ss_plugin_rc* rc) override;
  std::string event_to_string(const uint8_t* data, uint32_t datalen) override;
  bool extract_str(const ss_plugin_event& evt, const std::string& field,
                   const std::string& arg, std::string& value) override;
  bool extract_u64(const ss_plugin_event& evt, const std::string& field,
                   const std::string& arg, uint64_t& value) override;

  uint64_t step() const { return m_step; }

 private:
  uint64_t m_step = 1;
};

// One open stream.
class stream : public falcosecurity::plugin_instance {
 public:
  explicit stream(counter& plugin) : m_plugin(plugin) {}

  ss_plugin_rc open(const char* params) override;
  void close() override {}
  ss_plugin_rc next(falcosecurity::plugin_event& evt) override;
  std::string get_progress(uint32_t& progress_pct) override;

 private:
  counter& m_plugin;
  uint64_t m_done = 0;
  uint64_t m_end = 1000;
};

// A whole number in decimal digits; false for anything else.
static bool read_number(const std::string& text, uint64_t& out) {
  if (text.empty() || text.size() > 19 ||
      text.find_first_not_of("0123456789") != std::string::npos) {
    return false;
  }
  out = std::stoull(text);
  return true;
}

static std::string payload(const falcosecurity::event_view& evt) {
  return std::string(reinterpret_cast<const char*>(evt.data), evt.datalen);
}

void counter::get_info(falcosecurity::plugin_info& info) {
  info.id = 999;  // for trials; ask for one of your own
  info.name = "@NAME@";
  info.description = "Counts, and says what it counted";
  info.contact = "@CONTACT@";
  info.version = "0.1.0";
  info.event_source = "@NAME@";
  info.fields = {
      {FTYPE_UINT64, "@FIELD@.value", false, "The number counted to"},
      {FTYPE_STRING, "@FIELD@.text", false, "The number as text"},
      {FTYPE_UINT64, "@FIELD@.even", false, "1 for even numbers, else 0"},
      {FTYPE_UINT64, "@FIELD@.divisible", true,
       "1 if the number is divisible by the argument, else 0"},
  };
}

std::string counter::get_init_schema(ss_plugin_schema_type* type) {
  *type = SS_PLUGIN_SCHEMA_JSON;
  return R"({"type": "object", "additionalProperties": false, "properties": {
    "step": {"type": "integer", "minimum": 1, "default": 1,
             "description": "How much each event adds to the count"}}})";
}

ss_plugin_rc counter::init(const char* config) {
  const std::string text = config;
  if (!text.empty()) {
    const json options = json::parse(text);  // throws: the SDK reports it
    if (const json* step = options.find("step")) {
      m_step = step->as_u64();
    }
  }
  return SS_PLUGIN_SUCCESS;
}

falcosecurity::plugin_instance* counter::create_instance(
    falcosecurity::source_plugin& plugin) {
  return new stream(static_cast<counter&>(plugin));
}

std::string counter::list_open_params(ss_plugin_rc* rc) {
  *rc = SS_PLUGIN_SUCCESS;
  return R"([{"value": "1000", "desc": "count a thousand events"}])";
}

std::string counter::event_to_string(const uint8_t* data, uint32_t datalen) {
  return "counted to " + std::string(reinterpret_cast<const char*>(data), datalen);
}

bool counter::extract_str(const ss_plugin_event& evt, const std::string&,
                          const std::string&, std::string& value) {
  value = payload(evt);
  return true;
}

bool counter::extract_u64(const ss_plugin_event& evt, const std::string& field,
                          const std::string& arg, uint64_t& value) {
  uint64_t number = 0;
  uint64_t by = 2;
  if (!read_number(payload(evt), number)) {
    set_last_error("the payload is no number");
    return false;  // absent
  }
  if (field == "@FIELD@.value") {
    value = number;
    return true;
  }
  if (field == "@FIELD@.divisible" && (!read_number(arg, by) || by == 0)) {
    set_last_error("nothing is divisible by '" + arg + "'");
    return false;
  }
  value = number % by == 0 ? 1 : 0;
  return true;
}

ss_plugin_rc stream::open(const char* params) {
  const std::string text = params;
  if (!text.empty() && !read_number(text, m_end)) {
    m_plugin.set_last_error("open params: '" + text + "' is no number of events");
    return SS_PLUGIN_FAILURE;
  }
  return SS_PLUGIN_SUCCESS;
}

ss_plugin_rc stream::next(falcosecurity::plugin_event& evt) {
  if (m_done == m_end) {
    return SS_PLUGIN_EOF;
  }
  const std::string text = std::to_string(m_done++ * m_plugin.step());
  evt.data.assign(text.begin(), text.end());
  return SS_PLUGIN_SUCCESS;  // no time set: the framework takes the current one
}

std::string stream::get_progress(uint32_t& progress_pct) {
  progress_pct = m_end == 0 ? 10000
                            : static_cast<uint32_t>(10000.0 * static_cast<double>(m_done) /
                                                    static_cast<double>(m_end));
  return std::to_string(m_done) + " of " + std::to_string(m_end) + " events";
}

GEN_SOURCE_PLUGIN_API_HOOKS(counter, stream)
