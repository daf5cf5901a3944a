/* own_table and table_ref of the C++ SDK, against the workbench's own registry. */
#include <cstdio>
#include <cstdlib>

#include "falcosecurity_plugin.h"

extern "C" {
typedef struct wbt_registry wbt_registry;
typedef struct wbt_owner wbt_owner;
wbt_registry* wbt_registry_new(void);
void wbt_registry_free(wbt_registry*);
wbt_owner* wbt_join(wbt_registry*, void*, const char*, uint32_t, const char* (*)(void*));
const void* wbt_init_input(wbt_owner*);
void* wbt_reader(void);
void* wbt_writer(void);
const char* wbt_last_error(void*);
void wbt_call_ended(wbt_owner*);
void wbt_retire(wbt_owner*);

int64_t wb_live_objects(void);
}

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      std::printf("line %d: %s (%s)\n", __LINE__, #condition,                     \
                  wbt_last_error(nullptr) ? wbt_last_error(nullptr) : "no error"); \
      std::exit(1);                                                               \
    }                                                                             \
  } while (0)

template <typename Work>
std::string thrown(Work work) {
  try {
    work();
  } catch (const falcosecurity::table_error& error) {
    return error.what();
  }
  return "";
}

struct entry {
  uint64_t count = 0;
  std::string name;
  bool flag = false;
  int16_t small = 0;
};

class author : public falcosecurity::stateful_plugin {
 public:
  author() : table("things") {
    table.field("count", &entry::count)
        .field("name", &entry::name)
        .field("flag", &entry::flag, true)
        .field("small", &entry::small);
  }
  void get_info(falcosecurity::plugin_info& info) override { info.name = "author"; }
  ss_plugin_rc init(const char*) override { return SS_PLUGIN_SUCCESS; }
  void destroy() override {}
  bool extract_str(const falcosecurity::event_view&, const std::string&,
                   const std::string&, std::string&) override {
    return false;
  }
  bool extract_u64(const falcosecurity::event_view&, const std::string&,
                   const std::string&, uint64_t&) override {
    return false;
  }
  void parse_event(const falcosecurity::event_view&,
                   const falcosecurity::table_access&) override {}
  falcosecurity::own_table<std::string, entry> table;
};

static const char* words_of(void* handle) {
  return static_cast<author*>(handle)->get_last_error().c_str();
}

static ss_plugin_init_input input_of(wbt_owner* owner, void* handle) {
  ss_plugin_init_input in;
  std::memset(&in, 0, sizeof in);
  in.config = "";
  in.owner = handle;
  in.get_owner_last_error = wbt_last_error;
  in.tables = static_cast<const ss_plugin_init_tables_input*>(wbt_init_input(owner));
  return in;
}

static unsigned seen;
static ss_plugin_bool visit(ss_plugin_table_iterator_state_t* s,
                            ss_plugin_table_entry_t*) {
  if (s != nullptr) {
    static_cast<author*>(s)->table.all().clear(); /* while it is walked */
  }
  return ++seen < 100;
}

int main() {
  wbt_registry* registry = wbt_registry_new();
  author a;
  int other = 0;
  wbt_owner* owner = wbt_join(registry, &a, "author", 12, words_of);
  wbt_owner* reader = wbt_join(registry, &other, "reader", 12, nullptr);
  const ss_plugin_init_input mine = input_of(owner, &a);
  const ss_plugin_init_input theirs = input_of(reader, &other);
  const falcosecurity::table_access access = {
      &other, wbt_last_error,
      static_cast<ss_plugin_table_reader_vtable_ext*>(wbt_reader()),
      static_cast<ss_plugin_table_writer_vtable_ext*>(wbt_writer())};
  a.table.publish(mine, a);
  CHECK(thrown([&] { a.table.publish(mine, a); }) ==
        "cannot publish a table: table added to registry multiple times: things");
  a.table["one"].count = 1;
  a.table["one"].name = "first";

  falcosecurity::table_ref<std::string> things;
  CHECK(thrown([&] { things.find(theirs, "nothing"); }) ==
        "cannot find a table: no table named 'nothing' in the registry");
  falcosecurity::table_ref<int64_t> wrong;
  CHECK(thrown([&] { wrong.find(theirs, "things"); }).find("requested='int64'") > 0);
  things.find(theirs, "things");
  ss_plugin_table_field_t* count = things.field<uint64_t>("count");
  ss_plugin_table_field_t* name = things.field<std::string>("name");
  ss_plugin_table_field_t* flag = things.field<bool>("flag");
  ss_plugin_table_field_t* small = things.field<int16_t>("small");
  CHECK(thrown([&] { things.field<bool>("count"); }) ==
        "cannot get a field: field 'count' of table 'things' has another type");
  CHECK(thrown([&] { things.field<bool>("nope"); }) ==
        "cannot get a field: table 'things' has no field 'nope'");
  ss_plugin_table_field_t* mark = things.add_field<std::string>("mark");
  ss_plugin_table_field_t* rank = things.add_field<int32_t>("rank");
  CHECK(mark == things.add_field<std::string>("mark"));
  {
    falcosecurity::table_entry one = things.get(access, "one");
    CHECK(one && one.get<uint64_t>(count) == 1 && one.get<std::string>(name) == "first");
    CHECK(one.get<std::string>(mark).empty() && one.get<int32_t>(rank) == 0);
    one.set<std::string>(mark, "x");
    one.set<int32_t>(rank, -7);
    one.set<int16_t>(small, -300);
    CHECK(one.get<std::string>(mark) == "x" && one.get<int32_t>(rank) == -7);
    CHECK(a.table.find("one")->small == -300);
    CHECK(thrown([&] { one.set(flag, true); }) ==
          "cannot write a field: field 'flag' is read-only");
    CHECK(things.erase(access, "one") && !things.erase(access, "one"));
    CHECK(a.table.find("one") == nullptr);
    CHECK(one.get<uint64_t>(count) == 1); /* held entries live on */
    CHECK(!things.get(access, "one"));
  }
  {
    falcosecurity::table_entry two = things.add(access, "two");
    two.set<uint64_t>(count, 2);
    falcosecurity::table_entry moved = std::move(two);
    CHECK(!two && a.table.find("two")->count == 2);
  }
  for (int i = 0; i < 10; i++) {
    a.table[std::to_string(i)];
  }
  ss_plugin_table_t* raw =
      theirs.tables->get_table(&other, "things", SS_PLUGIN_ST_STRING);
  CHECK(access.reader->get_table_size(raw) == 11);
  CHECK(access.reader->iterate_entries(raw, visit, nullptr) == 1 && seen == 11);
  CHECK(access.reader->iterate_entries(raw, visit, &a) == 1 && seen == 22);
  CHECK(access.reader->get_table_size(raw) == 0);
  ss_plugin_state_data key;
  key.str = "late";
  ss_plugin_table_entry_t* made = access.writer->create_table_entry(raw);
  CHECK(made != nullptr);
  access.writer->create_table_entry(raw); /* dropped with the call */
  CHECK(access.writer->add_table_entry(raw, &key, made) != nullptr);
  wbt_call_ended(reader);
  uint32_t n = 0;
  const ss_plugin_table_fieldinfo* fields =
      theirs.tables->fields_ext->list_table_fields(raw, &n);
  CHECK(fields != nullptr && n == 6 && fields[2].read_only);
  CHECK(access.writer->clear_table(raw) == SS_PLUGIN_SUCCESS && a.table.all().empty());
  std::string error;
  CHECK(!a.send_async("any", "", 1, &error) && error == "no capture is running");
  wbt_registry_free(registry);
  CHECK(wb_live_objects() == 0);
  std::puts("ok");
  return 0;
}
