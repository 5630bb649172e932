// SQLite behind RAII, and the tables.
#include "framework/app/study/database.h"

#include <sqlite3.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace strata::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 2;        // of the tables, as PRAGMA user_version
constexpr int kPatience = 10'000;  // ms to wait for another study that writes to the same file

// Version 1 had no settings.
constexpr const char* kFromVersion1 =
    "ALTER TABLE study ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'";

constexpr const char* kTables = R"(
CREATE TABLE study (
  id INTEGER PRIMARY KEY,
  model TEXT NOT NULL,
  name TEXT NOT NULL,
  resolved TEXT NOT NULL,
  overrides TEXT NOT NULL,
  paths TEXT NOT NULL,
  reports TEXT NOT NULL,
  settings TEXT NOT NULL DEFAULT '{}',
  UNIQUE (model, name)
);
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  study INTEGER NOT NULL REFERENCES study (id),
  number INTEGER NOT NULL,
  "values" TEXT NOT NULL,
  seed INTEGER NOT NULL,
  status TEXT NOT NULL,
  message TEXT NOT NULL,
  folder TEXT NOT NULL,
  seconds REAL NOT NULL,
  memory REAL NOT NULL,
  epochs INTEGER NOT NULL,
  best_epoch INTEGER NOT NULL,
  weights_sha256 TEXT NOT NULL,
  last TEXT NOT NULL,
  best TEXT NOT NULL,
  UNIQUE (study, number),
  UNIQUE (study, "values", seed)
);
CREATE TABLE epoch (
  run INTEGER NOT NULL REFERENCES run (id),
  epoch INTEGER NOT NULL,
  figures TEXT NOT NULL,
  PRIMARY KEY (run, epoch)
) WITHOUT ROWID;
)";

std::string text_of(const std::vector<std::string>& list) {
  return Json(list).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> list_of(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  std::vector<std::string> list;
  if (!json.is_array()) return list;
  for (const Json& item : json) {
    if (item.is_string()) list.push_back(item.get<std::string>());
  }
  return list;
}

std::string text_of(const NamedFigures& figures) {
  Json json = Json::object();
  for (const auto& [name, value] : figures)
    json[name] = std::isfinite(value) ? Json(value) : Json(nullptr);
  return json.dump();
}

NamedFigures figures_of(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  NamedFigures figures;
  if (!json.is_object()) return figures;
  for (const auto& [name, value] : json.items())
    figures.emplace_back(name, value.is_number() ? value.get<double>() : std::nan(""));
  return figures;
}

std::string settings_text(const StudyRecord& study) {
  Json json = Json::object();
  if (study.target) json["target"] = *study.target;
  if (study.halving) {
    json["halving"] = {{"figure", study.halving->figure},
                       {"higher_is_better", study.halving->higher_is_better},
                       {"factor", study.halving->factor},
                       {"epochs", study.halving->epochs}};
  }
  return json.dump();
}

void read_settings(const std::string& text, StudyRecord& study) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return;
  if (json.contains("target")) study.target = json["target"].get<double>();
  if (!json.contains("halving")) return;
  const Json& halving = json["halving"];
  study.halving = {halving.value("figure", ""), halving.value("higher_is_better", false),
                   halving.value("factor", std::int64_t{3}),
                   halving.value("epochs", std::int64_t{1})};
}

}  // namespace

struct StudyDatabase::Handle {
  sqlite3* db = nullptr;
  std::string path;

  ~Handle() { sqlite3_close(db); }

  [[noreturn]] void fail() const {
    Error error = make_error(ExitCode::kData, "cannot use the file of studies `{}`: {}", path,
                             db ? sqlite3_errmsg(db) : "not enough memory");
    const int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
      error.hint = "move it away, or name another folder with --runs";
    throw Failure{std::move(error)};
  }
  void check(int code) const {
    if (code != SQLITE_OK) fail();
  }
  void execute(const char* sql) const { check(sqlite3_exec(db, sql, nullptr, nullptr, nullptr)); }
};

namespace {

// A statement with its parameters, row by row.
class Query {
 public:
  template <class Handle>
  Query(const Handle& handle, const char* sql) {
    handle.check(sqlite3_prepare_v2(handle.db, sql, -1, &statement_, nullptr));
  }
  ~Query() { sqlite3_finalize(statement_); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& bind(const std::string& text) {
    sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
    return *this;
  }
  Query& bind(std::int64_t number) {
    sqlite3_bind_int64(statement_, ++bound_, number);
    return *this;
  }
  Query& bind(double number) {
    sqlite3_bind_double(statement_, ++bound_, number);
    return *this;
  }

  // Whether there is a row (more).
  template <class Handle>
  bool row(const Handle& handle) {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) handle.fail();
    read_ = 0;
    return code == SQLITE_ROW;
  }
  std::string text() {
    const int column = read_++;
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return data ? std::string(data,
                              static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
                : std::string();
  }
  std::int64_t integer() { return sqlite3_column_int64(statement_, read_++); }
  double real() { return sqlite3_column_double(statement_, read_++); }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0, read_ = 0;
};

// All or nothing.
template <class Handle, class Body>
void transaction(const Handle& handle, const Body& body) {
  handle.execute("BEGIN IMMEDIATE");
  try {
    body();
    handle.execute("COMMIT");
  } catch (...) {
    sqlite3_exec(handle.db, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

}  // namespace

std::string halving_text(const std::optional<StudySettings::Halving>& halving) {
  if (!halving) return "no halving";
  return fmt::format("halving by {}, factor {}, from epoch {}", halving->figure, halving->factor,
                     halving->epochs);
}

StudyDatabase::StudyDatabase(const std::string& path) : handle_(std::make_unique<Handle>()) {
  handle_->path = path;
  handle_->check(sqlite3_open_v2(path.c_str(), &handle_->db,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr));
  handle_->check(sqlite3_busy_timeout(handle_->db, kPatience));
  handle_->execute("PRAGMA foreign_keys = ON");
  transaction(*handle_, [&] {
    std::int64_t found = 0;
    {
      Query version(*handle_, "PRAGMA user_version");
      if (version.row(*handle_)) found = version.integer();
    }
    if (found > kVersion) {
      throw Failure{Error{ExitCode::kData,
                          fmt::format("`{}` was written by a newer version of Strata", path),
                          "use that version, or name another folder with --runs"}};
    }
    if (found == kVersion) return;
    handle_->execute(found == 1 ? kFromVersion1 : kTables);
    handle_->execute(fmt::format("PRAGMA user_version = {}", kVersion).c_str());
  });
}

StudyDatabase::~StudyDatabase() = default;

std::optional<StudyRecord> StudyDatabase::find(const std::string& model, const std::string& name) {
  Query query(*handle_,
              "SELECT id, resolved, overrides, paths, reports, settings FROM study "
              "WHERE model = ? AND name = ?");
  query.bind(model).bind(name);
  if (!query.row(*handle_)) return std::nullopt;
  StudyRecord study;
  study.model = model;
  study.name = name;
  study.id = query.integer();
  study.resolved = query.text();
  study.overrides = list_of(query.text());
  study.paths = list_of(query.text());
  study.reports = list_of(query.text());
  read_settings(query.text(), study);
  return study;
}

void StudyDatabase::add(StudyRecord& study, std::vector<RunRecord>& runs) {
  transaction(*handle_, [&] {
    Query query(*handle_,
                "INSERT INTO study (model, name, resolved, overrides, paths, reports, settings) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)");
    query.bind(study.model)
        .bind(study.name)
        .bind(study.resolved)
        .bind(text_of(study.overrides))
        .bind(text_of(study.paths))
        .bind(text_of(study.reports))
        .bind(settings_text(study));
    query.row(*handle_);
    study.id = sqlite3_last_insert_rowid(handle_->db);
    add_runs_inside(study, runs);
  });
}

void StudyDatabase::add_runs(const StudyRecord& study, std::vector<RunRecord>& runs) {
  transaction(*handle_, [&] { add_runs_inside(study, runs); });
}

void StudyDatabase::add_runs_inside(const StudyRecord& study, std::vector<RunRecord>& runs) {
  for (RunRecord& run : runs) {
    Query query(*handle_,
                "INSERT INTO run (study, number, \"values\", seed, status, message, folder, "
                "seconds, memory, epochs, best_epoch, weights_sha256, last, best) "
                "VALUES (?, ?, ?, ?, ?, '', ?, 0, 0, 0, 0, '', '{}', '{}')");
    query.bind(study.id)
        .bind(run.number)
        .bind(text_of(run.values))
        .bind(run.seed)
        .bind(run.status)
        .bind(run.folder);
    query.row(*handle_);
    run.id = sqlite3_last_insert_rowid(handle_->db);
  }
}

std::vector<RunRecord> StudyDatabase::runs(std::int64_t study) {
  Query query(*handle_,
              "SELECT id, number, \"values\", seed, status, message, folder, seconds, memory, "
              "epochs, best_epoch, weights_sha256, last, best FROM run WHERE study = ? "
              "ORDER BY number");
  query.bind(study);
  std::vector<RunRecord> runs;
  while (query.row(*handle_)) {
    RunRecord& run = runs.emplace_back();
    run.id = query.integer();
    run.number = query.integer();
    run.values = list_of(query.text());
    run.seed = query.integer();
    run.status = query.text();
    run.message = query.text();
    run.folder = query.text();
    run.seconds = query.real();
    run.memory = query.real();
    run.epochs = query.integer();
    run.best_epoch = query.integer();
    run.weights_sha256 = query.text();
    run.last = figures_of(query.text());
    run.best = figures_of(query.text());
  }
  return runs;
}

const std::string& StudyDatabase::path() const { return handle_->path; }

void StudyDatabase::set_status(const RunRecord& run) {
  Query query(*handle_, "UPDATE run SET status = ? WHERE id = ?");
  query.bind(run.status).bind(run.id);
  query.row(*handle_);
}

double StudyDatabase::figure_at(std::int64_t run, std::int64_t epochs, const std::string& figure) {
  Query query(*handle_,
              "SELECT figures FROM epoch WHERE run = ? AND epoch <= ? ORDER BY epoch DESC LIMIT 1");
  query.bind(run).bind(epochs);
  if (!query.row(*handle_)) return std::nan("");
  const Json json = Json::parse(query.text(), nullptr, false);
  const auto found = json.is_object() ? json.find(figure) : json.end();
  return found != json.end() && found->is_number() ? found->get<double>() : std::nan("");
}

void StudyDatabase::update(const RunRecord& run, const std::vector<std::string>& epochs) {
  transaction(*handle_, [&] {
    Query query(*handle_,
                "UPDATE run SET status = ?, message = ?, seconds = ?, memory = ?, epochs = ?, "
                "best_epoch = ?, weights_sha256 = ?, last = ?, best = ? WHERE id = ?");
    query.bind(run.status)
        .bind(run.message)
        .bind(run.seconds)
        .bind(run.memory)
        .bind(run.epochs)
        .bind(run.best_epoch)
        .bind(run.weights_sha256)
        .bind(text_of(run.last))
        .bind(text_of(run.best))
        .bind(run.id);
    query.row(*handle_);
    for (const std::string& line : epochs) {
      Json event = Json::parse(line, nullptr, false);
      if (!event.is_object() || event.value("event", "") != "epoch") continue;
      const auto number = event.value("epoch", std::int64_t{0});
      event.erase("event");
      event.erase("epoch");
      Query one(*handle_, "INSERT OR REPLACE INTO epoch (run, epoch, figures) VALUES (?, ?, ?)");
      one.bind(run.id).bind(number).bind(event.dump());
      one.row(*handle_);
    }
  });
}

}  // namespace strata::app
