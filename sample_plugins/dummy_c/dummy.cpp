// dummy_c: events that are just numbers, each a little larger than the one before.
//
// The C++ half of the reference pair of the plugin developers guide; ../dummy_go is the
// other. Both announce the same fields and make the same events.
#include <falcosecurity_json.h>
#include <falcosecurity_plugin.h>

#include <random>
#include <string>

using falcosecurity::json;

class dummy_plugin : public falcosecurity::source_plugin {
 public:
  void get_info(falcosecurity::plugin_info& info) override;
  std::string get_init_schema(ss_plugin_schema_type* schema_type) override;
  ss_plugin_rc init(const char* config) override;
  void destroy() override {}
  falcosecurity::plugin_instance* create_instance(
      falcosecurity::source_plugin& plugin) override;
  std::string list_open_params(ss_plugin_rc* rc) override;
  std::string event_to_string(const uint8_t* data, uint32_t datalen) override;
  bool extract_str(const ss_plugin_event& evt, const std::string& field,
                   const std::string& arg, std::string& extract_val) override;
  bool extract_u64(const ss_plugin_event& evt, const std::string& field,
                   const std::string& arg, uint64_t& extract_val) override;

  uint64_t jitter() const { return m_jitter; }

 private:
  uint64_t m_jitter = 10;  // most that is added to the step of one
};

class dummy_instance : public falcosecurity::plugin_instance {
 public:
  explicit dummy_instance(dummy_plugin& plugin) : m_plugin(plugin) {}

  ss_plugin_rc open(const char* params) override;
  void close() override {}
  ss_plugin_rc next(falcosecurity::plugin_event& evt) override;
  std::string get_progress(uint32_t& progress_pct) override;

 private:
  uint64_t member(const json& params, const std::string& text, const char* name);

  dummy_plugin& m_plugin;
  uint64_t m_sample = 1;
  uint64_t m_max_events = 20;
  uint64_t m_counter = 0;
  std::mt19937_64 m_random{std::random_device{}()};
};

// ---------------------------------------------------------------------- the plugin

void dummy_plugin::get_info(falcosecurity::plugin_info& info) {
  info.id = 4;
  info.name = "dummy_c";
  info.description = "Numbers that grow by a random step: a first plugin in C++";
  info.contact = "the authors of the Falco Plugin Workbench";
  info.version = "0.4.0";
  info.event_source = "dummy_c";
  info.fields = {
      {FTYPE_UINT64, "dummy.divisible", true,
       "1 if the number can be divided by the argument, 0 if not"},
      {FTYPE_UINT64, "dummy.value", false, "The number"},
      {FTYPE_STRING, "dummy.strvalue", false, "The number as text"},
  };
}

std::string dummy_plugin::get_init_schema(ss_plugin_schema_type* schema_type) {
  *schema_type = SS_PLUGIN_SCHEMA_JSON;
  return R"({
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
      "jitter": {
        "type": "integer",
        "minimum": 0,
        "default": 10,
        "title": "Jitter",
        "description": "Most that is added to the step between two numbers"
      }
    }
  })";
}

ss_plugin_rc dummy_plugin::init(const char* config) {
  const std::string text = config;
  if (!text.empty()) {
    const json options = json::parse(text);  // throws: the SDK reports it
    if (const json* jitter = options.find("jitter")) {
      m_jitter = jitter->as_u64();
    }
  }
  return SS_PLUGIN_SUCCESS;
}

std::string dummy_plugin::list_open_params(ss_plugin_rc* rc) {
  *rc = SS_PLUGIN_SUCCESS;
  return R"([{"value": "{\"start\": 1, \"maxEvents\": 20}", "desc": "twenty numbers"},
             {"value": "{\"start\": 1, \"maxEvents\": 100000}",
              "desc": "a hundred thousand numbers"}])";
}

falcosecurity::plugin_instance* dummy_plugin::create_instance(
    falcosecurity::source_plugin& plugin) {
  return new dummy_instance(static_cast<dummy_plugin&>(plugin));
}

std::string dummy_plugin::event_to_string(const uint8_t* data, uint32_t datalen) {
  return "{\"sample\": " + std::string(reinterpret_cast<const char*>(data), datalen) +
         "}";
}

// The payload of an event; the plugin may meet events it did not make.
static std::string payload(const falcosecurity::event_view& evt) {
  return std::string(reinterpret_cast<const char*>(evt.data), evt.datalen);
}

// A whole number in decimal digits; false for anything else.
static bool read_number(const std::string& text, uint64_t& out) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos ||
      text.size() > 19) {
    return false;
  }
  out = std::stoull(text);
  return true;
}

bool dummy_plugin::extract_str(const ss_plugin_event& evt, const std::string& field,
                               const std::string&, std::string& extract_val) {
  extract_val = payload(evt);
  return field == "dummy.strvalue";
}

bool dummy_plugin::extract_u64(const ss_plugin_event& evt, const std::string& field,
                               const std::string& arg, uint64_t& extract_val) {
  uint64_t sample = 0;
  if (!read_number(payload(evt), sample)) {
    set_last_error("the payload is no number");
    return false;
  }
  if (field == "dummy.value") {
    extract_val = sample;
    return true;
  }
  uint64_t divisor = 0;
  if (!read_number(arg, divisor) || divisor == 0) {
    set_last_error("nothing can be divided by '" + arg + "'");
    return false;  // absent: a division by zero is no reason to end the process
  }
  extract_val = sample % divisor == 0 ? 1 : 0;
  return true;
}

// -------------------------------------------------------------------- the instance

uint64_t dummy_instance::member(const json& params, const std::string& text,
                                const char* name) {
  const json* found = params.find(name);
  if (found == nullptr) {
    throw std::runtime_error("open params " + text + " have no \"" + name + "\"");
  }
  return found->as_u64();
}

ss_plugin_rc dummy_instance::open(const char* params) {
  const std::string text = params;
  if (!text.empty() && text != "{}") {
    const json parsed = json::parse(text);
    m_sample = member(parsed, text, "start");
    m_max_events = member(parsed, text, "maxEvents");
  }
  return SS_PLUGIN_SUCCESS;
}

ss_plugin_rc dummy_instance::next(falcosecurity::plugin_event& evt) {
  if (m_counter >= m_max_events) {
    return SS_PLUGIN_EOF;
  }
  m_counter++;
  std::uniform_int_distribution<uint64_t> more(0, m_plugin.jitter());
  m_sample += 1 + more(m_random);
  const std::string text = std::to_string(m_sample);
  evt.data.assign(text.begin(), text.end());
  return SS_PLUGIN_SUCCESS;  // no time set: the framework takes the current one
}

std::string dummy_instance::get_progress(uint32_t& progress_pct) {
  progress_pct = m_max_events == 0
                     ? 10000
                     : static_cast<uint32_t>(10000.0 * static_cast<double>(m_counter) /
                                             static_cast<double>(m_max_events));
  return std::to_string(m_counter) + " of " + std::to_string(m_max_events);
}

GEN_SOURCE_PLUGIN_API_HOOKS(dummy_plugin, dummy_instance)
