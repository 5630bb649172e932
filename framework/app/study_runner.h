// Trains the runs of a study, several at once, and says what becomes of them.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "framework/app/console.h"
#include "framework/app/study/children.h"
#include "framework/app/study/database.h"
#include "framework/app/study/run.h"
#include "framework/graph/program.h"
#include "framework/plugin/registry.h"

namespace strata::app {

// What all runs of a call have in common.
struct StudyCall {
  std::string file, text;            // the model file, as it was when the call began
  const Program* program = nullptr;  // of the file with the command line's overrides
  const Registry* registry = nullptr;
  const std::atomic<bool>* stop = nullptr;
  int cores = 1;
  int jobs = 0;                // at once; 0: as many as there are cores
  std::int64_t max_runs = -1;  // that begin; -1: all
  bool retry = false;          // runs that failed begin again

  int jobs_for(std::size_t runs) const;
  // A run of the study, without a folder.
  RunOfFile task(const StudyRecord& study, const RunRecord& run) const;
};

// A study of the file, with what the commands need of it.
struct AskedStudy {
  const Study* study = nullptr;
  StudyRecord record;
  std::vector<RunRecord> planned;
  std::string folder;  // of its runs
};

// Held by the process that runs a study and by its children: two processes never run one study,
// and one that goes on waits until the children of a killed one are gone.
class StudyLock {
 public:
  explicit StudyLock(const AskedStudy& asked);  // makes the folder; throws Failure
  ~StudyLock();
  StudyLock(const StudyLock&) = delete;
  StudyLock& operator=(const StudyLock&) = delete;

 private:
  int file_ = -1;
};

// The rows of a study that begins, or goes on with what the database has; sets record.id. Throws
// Failure where it is not what was begun.
std::vector<RunRecord> begin_or_resume(const StudyCall& call, const AskedStudy& asked, bool resume,
                                       StudyDatabase& database, StudyRecord& record);

class StudyRunner {
 public:
  StudyRunner(const StudyCall& call, Console& console, StudyDatabase& database,
              const StudyRecord& record, std::vector<RunRecord>& runs)
      : call_(call), console_(console), database_(database), record_(record), runs_(runs) {}

  // Trains what is to do, in order; with successive halving rung by rung. Returns where there is
  // nothing left, `max_runs` have begun, or `stop` is set.
  void go();

 private:
  struct Task {
    RunRecord* run;
    std::int64_t goal;  // the epoch to pause after; 0: none
  };
  std::vector<Task> to_do();
  void stop_the_rest();
  void train(const std::vector<Task>& queue);
  ChildTask child_of(const Task& task);
  void note_end(RunRecord& run, const ChildEnd& end);
  std::string run_line(const RunRecord& run) const;
  void draw_live(std::int64_t left, double seconds_a_run);
  void erase_live();

  const StudyCall& call_;
  Console& console_;
  StudyDatabase& database_;
  const StudyRecord& record_;
  std::vector<RunRecord>& runs_;
  std::int64_t begun_ = 0;                      // by this call
  std::int64_t ended_ = 0;                      // of the queue
  std::map<std::int64_t, std::string> epochs_;  // of running ones, "3/10"
  std::string drawn_;                           // the live line that stands on the screen
};

}  // namespace strata::app
