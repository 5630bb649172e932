// The binary `trainer`.
#include "framework/app/trainer.h"

int main(int argc, char** argv) { return strata::app::run_trainer(argc, argv); }
