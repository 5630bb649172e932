#include "framework/app/progress.h"

#include <algorithm>
#include <cmath>

#include "framework/app/format.h"
#include "framework/base/utf8.h"
#include "framework/report/predictions.h"

namespace strata::app {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kPlainSeconds =
    10;  // between lines inside a long epoch, where there is no terminal

std::string bar_text(double fraction, int width, bool unicode) {
  const int full = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * width + 1e-9);
  std::string out;
  for (int i = 0; i < width; ++i) out += i < full ? (unicode ? "━" : "=") : (unicode ? "─" : "-");
  return unicode ? out : "[" + out + "]";
}

// The first `width` cells of a line of ASCII and bar characters.
std::string cut(std::string text, int width) {
  while (!text.empty() && cells(text) > width) {
    do text.pop_back();
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80);
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
  }
  return text;
}

std::string epoch_count(std::int64_t epoch, std::int64_t epochs) {
  const std::string last = std::to_string(epochs);
  return fmt::format("epoch {:>{}}/{}", epoch, last.size(), last);
}

}  // namespace

std::string live_line(const LiveLine& line, int width, bool unicode) {
  const std::string head = fmt::format("{} {:3.0f} %", epoch_count(line.epoch, line.epochs),
                                       std::floor(100 * std::clamp(line.fraction, 0.0, 1.0)));
  const std::string figures = line.figures.empty() ? "" : "  " + line.figures;
  const std::string speed =
      line.samples_per_second > 0
          ? "  " + grouped(std::llround(line.samples_per_second)) + " samples/s"
          : "";
  const std::string left = line.seconds_left >= 0 ? "  " + clock(line.seconds_left) + " left" : "";
  const auto fits = [&](const std::string& text) { return cells(text) <= width; };

  const int frame = unicode ? 1 : 3;  // the space before it, and brackets
  for (const std::string& tail : {figures + speed + left, figures + left}) {
    const int room = width - cells(head + tail) - frame;
    if (room >= 10) return head + " " + bar_text(line.fraction, std::min(room, 30), unicode) + tail;
  }
  for (const std::string& text : {head + figures + left, head + figures}) {
    if (fits(text)) return text;
  }
  return cut(head + figures, width);
}

std::string figures_text(const NamedFigures& figures, std::string_view prefix) {
  std::string out;
  for (const auto& [name, value] : figures) {
    if (name.rfind(prefix, 0) != 0 || report::is_confusion_cell(name)) continue;
    out += (out.empty() ? "" : "  ") + figure_label(std::string_view(name).substr(prefix.size())) +
           " " + figure(name, value);
  }
  return out;
}

std::string epoch_line(const EpochReport& report, std::int64_t epochs) {
  std::string out =
      epoch_count(report.epoch, epochs) + "  " + figures_text(report.figures, "train.");
  for (const auto& [name, value] : report.figures) {
    if (name.rfind("train.", 0) != 0 && !report::is_confusion_cell(name))
      out += "  " + figure_label(name) + " " + figure(name, value);
  }
  out += "  " + duration(report.seconds);
  if (report.samples_per_second > 0)
    out += "  " + grouped(std::llround(report.samples_per_second)) + " samples/s";
  return report.best ? out + "  best" : out;
}

void ProgressDisplay::on_start(const RunFacts& facts) {
  facts_ = facts;
  start_ = last_ = Clock::now();
  line_ = {};
  line_.epochs = facts.epochs;
  if (quiet_) return;
  std::string text = fmt::format(
      "{} on {}, {} validation samples on {}: batches of {}{}, {} {}\n", facts.model,
      counted(facts.train_samples, "sample"), grouped(facts.val_samples),
      counted(facts.threads, "thread"), grouped(facts.batch_size),
      facts.accumulate > 1 ? fmt::format(", {} to a step", grouped(facts.accumulate)) : "",
      counted(facts.total_steps, "step"),
      facts.epochs == 1 ? "in one epoch" : fmt::format("in {} epochs", facts.epochs));
  if (!facts.resumed_from.empty()) text += fmt::format("goes on from {}\n", facts.resumed_from);
  for (const std::string& change : facts.changes) text += fmt::format("  with {}\n", change);
  console_.out(text);
}

bool ProgressDisplay::due(double seconds) {
  const auto now = Clock::now();
  if (std::chrono::duration<double>(now - last_).count() < seconds) return false;
  last_ = now;
  return true;
}

double ProgressDisplay::seconds_left(const StepReport& report) const {
  const auto left = static_cast<double>(facts_.total_steps - report.step);
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  // Elapsed time has validation in it, and so has what is left; before there is enough of it, the
  // speed must do.
  if (elapsed > 1) return elapsed / static_cast<double>(report.step - first_step_) * left;
  if (report.samples_per_second <= 0) return -1;
  return left * static_cast<double>(facts_.batch_size * facts_.accumulate) /
         report.samples_per_second;
}

void ProgressDisplay::on_step(const StepReport& report) {
  if (first_step_ == 0) {
    first_step_ = report.step;
    start_ = Clock::now();
  }
  if (quiet_ || !due(console_.live() ? kRedrawSeconds : kPlainSeconds)) return;
  line_.epoch = report.epoch;
  line_.fraction = facts_.steps_per_epoch > 0 ? static_cast<double>(report.epoch_step) /
                                                    static_cast<double>(facts_.steps_per_epoch)
                                              : 0;
  line_.figures = figures_text(report.figures, "");
  line_.samples_per_second = report.samples_per_second;
  line_.seconds_left = seconds_left(report);
  if (console_.live()) {
    draw(live_line(line_, console_.width() - 1, console_.unicode()));
  } else {
    const std::int64_t steps = facts_.steps_per_epoch;
    console_.out(fmt::format("{}  step {}/{}  {}  {} samples/s  {} left\n",
                             epoch_count(report.epoch, facts_.epochs), report.epoch_step, steps,
                             line_.figures, grouped(std::llround(report.samples_per_second)),
                             clock(line_.seconds_left)));
  }
}

void ProgressDisplay::on_warning(const std::string& message) {
  erase();
  console_.err(fmt::format("warning: {}\n", message));
}

void ProgressDisplay::on_note(const std::string& message) {
  erase();
  if (!quiet_) console_.out(message + "\n");
}

void ProgressDisplay::on_validation(std::int64_t done, std::int64_t batches) {
  if (quiet_ || !console_.live() || !due(kRedrawSeconds)) return;
  draw(cut(fmt::format("{}  validation {:3} %", epoch_count(line_.epoch, line_.epochs),
                       batches > 0 ? 100 * done / batches : 100),
           console_.width() - 1));
}

Status ProgressDisplay::on_epoch(const EpochReport& report) {
  erase();
  line_.epoch = report.epoch + 1;
  last_ = Clock::now();
  if (!quiet_) console_.out(epoch_line(report, facts_.epochs) + "\n");
  return {};
}

void ProgressDisplay::on_end(const EndReport&) { erase(); }

void ProgressDisplay::draw(const std::string& text) {
  console_.out("\r" + text + "\x1b[K");
  drawn_ = true;
}

void ProgressDisplay::erase() {
  if (drawn_) console_.out("\r\x1b[K");
  drawn_ = false;
}

}  // namespace strata::app
