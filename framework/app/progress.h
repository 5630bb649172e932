// A training run on the screen: a live line on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <string>

#include "framework/app/console.h"
#include "framework/train/training.h"

namespace strata::app {

// What the live line shows; a function of numbers alone, for tests.
struct LiveLine {
  std::int64_t epoch = 1, epochs = 1;
  double fraction = 0;  // of the epoch, 0 to 1
  std::string figures;  // "loss 0.0812  accuracy 97.52 %"
  double samples_per_second = 0;
  double seconds_left = -1;  // of the run; negative: not known yet
};
// At most `width` cells: with too little room the speed goes first, then the bar, then the time
// left.
std::string live_line(const LiveLine& line, int width, bool unicode);

// "epoch  3/10  loss 0.0812  accuracy 97.52 %  val loss 0.0755  0.71 s  84,507 samples/s  best"
std::string epoch_line(const EpochReport& report, std::int64_t epochs);

// "loss 0.0812  accuracy 97.52 %" of figures whose names begin with `prefix`, which is left out.
std::string figures_text(const NamedFigures& figures, std::string_view prefix);

class ProgressDisplay final : public Observer {
 public:
  ProgressDisplay(Console& console, bool quiet) : console_(console), quiet_(quiet) {}

  void on_start(const RunFacts& facts) override;
  void on_step(const StepReport& report) override;
  void on_warning(const std::string& message) override;
  void on_note(const std::string& message) override;
  void on_validation(std::int64_t done, std::int64_t batches) override;
  Status on_epoch(const EpochReport& report) override;
  void on_end(const EndReport& report) override;

 private:
  using Clock = std::chrono::steady_clock;

  double seconds_left(const StepReport& report) const;
  void draw(const std::string& text);
  void erase();
  bool due(double seconds);

  Console& console_;
  const bool quiet_;
  RunFacts facts_;
  bool drawn_ = false;           // a live line stands on the screen
  std::int64_t first_step_ = 0;  // of the first report, which came at start_
  Clock::time_point start_, last_;
  LiveLine line_;
};

}  // namespace strata::app
