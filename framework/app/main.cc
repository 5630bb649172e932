// The binary `trainer`.
#include "framework/app/last_words.h"
#include "framework/app/trainer.h"

int main(int argc, char** argv) {
  strata::app::install_last_words();
  const int code = strata::app::run_trainer(argc, argv);
  strata::app::expect_exit();
  return code;
}
