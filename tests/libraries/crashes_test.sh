#!/bin/bash
# Libraries that crash outright, in every function and in every way: the trainer says in one message what ran and whose it
# was, where the last checkpoint is and how the run goes on, and ends with 5. Runs stay resumable, and a study counts the
# run that crashed as one that failed.
# Needs a C++ compiler, as whoever writes a plugin has.
set -u

PATH=$(cd "$(dirname "$1")" && pwd):$(cd "$(dirname "$3")" && pwd):$PATH # messages name the program as it was called
trainer=$(basename "$1")
sources=$(cd "$(dirname "$2")" && pwd)
include=$(pwd)
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
cd "$top" || exit 1
umask 022
export HOME=$top LC_ALL=C.UTF-8
unset STRATA_PLUGIN_PATH XDG_DATA_HOME BUILD_WORKING_DIRECTORY
failures=0
cases=0

bad() {
  failures=$((failures + 1))
  printf 'FAILED %s\n' "$*"
}

mkdir plugins
g++ -std=c++20 -fPIC -shared -O1 -Wall -Wextra -Wno-terminate -Wno-infinite-recursion -I"$include" \
  "$sources/crashing.cc" -o plugins/crashing.so ||
  bad 'crashing.cc does not compile'
# crash PLACE [WAY]: what the library does from now on; nothing bad without a place.
crash() {
  export CRASH_IN=${1:-} CRASH_HOW=${2:-null_pointer}
}

# says CODE EXPECTED COMMAND…: the exit code and the whole of standard error.
says() {
  local code=$1 expected=$2 got errors
  shift 2
  cases=$((cases + 1))
  errors=$("$@" 2>&1 >/dev/null)
  got=$?
  if [ "$got" != "$code" ] || [ "$errors" != "$expected" ]; then
    bad "$*: exit code $got, wanted $code"
    diff <(printf '%s\n' "$expected") <(printf '%s\n' "$errors")
  fi
}

who="the plugin crashing 2.1 ($top/plugins/crashing.so)"
look="\`trainer plugin check $top/plugins/crashing.so\` looks for the fault"
again() { # RUN
  printf 'nothing was saved yet; `trainer train --resume %s` begins the run again; ' "$1"
}

model() { # LAYER DATA OPTIMIZER
  cat <<TEXT
format 1
require "crashing" >= 2.0
model m(point: [2]) -> logits {
  point -> Dense(8) -> $1 -> Dense(3) as logits
}
data points = $2
train {
  loss       = CrossEntropy(logits, label)
  optimizer  = $3
  batch_size = 20
  epochs     = 3
}
TEXT
}
plain='Synthetic(kind = "spirals", samples = 100, val_samples = 20, classes = 3)'
model Crashing "$plain" Adam >layer.model
model ReLU CrashingPoints Adam >data.model
model ReLU "$plain" CrashingDescent >optimizer.model
run=0
train() { # CODE TEXT HELP MODEL [OPTIONS]: a run that breaks off, in a folder of its own
  local code=$1 text=$2 help=$3
  shift 3
  run=$((run + 1))
  says "$code" "error: $text
  help: ${help//RUN/run$run}" "$trainer" train "$@" --plugin-dir plugins --threads 2 --run "run$run" --quiet
}

# ---- where: with a null pointer
crash loading
says 5 "error: $who crashed as it was loaded: segmentation fault
  help: $look" "$trainer" check layer.model --plugin-dir plugins
crash create
says 5 "error: $who crashed in \`create\` of the layer \`Crashing\`: segmentation fault
  help: $look" "$trainer" check layer.model --plugin-dir plugins
crash infer
says 5 "error: $who crashed in \`infer\` of the layer \`Crashing\`: segmentation fault
  help: $look" "$trainer" check layer.model --plugin-dir plugins
crash forward
train 5 "$who crashed in \`forward\` of the layer \`crashing1\` (Crashing): segmentation fault" "$(again RUN)$look" layer.model
crash backward
train 5 "$who crashed in \`backward\` of the layer \`crashing1\` (Crashing): segmentation fault" "$(again RUN)$look" layer.model
crash task
train 5 "$who crashed in \`forward\` of the layer \`crashing1\` (Crashing): segmentation fault" "$(again RUN)$look" layer.model
crash update
train 5 "$who crashed in \`update\` of the optimizer \`CrashingDescent\`: segmentation fault" "$(again RUN)$look" optimizer.model
crash open
train 5 "$who crashed in \`open\` of the data set \`CrashingPoints\`: segmentation fault" "$look" data.model
crash read
train 5 "$who crashed in \`read\` of the data set \`CrashingPoints\`: segmentation fault" "$look" data.model
crash destroy
says 5 "error: $who crashed in \`destroy\` of the layer \`Crashing\`: segmentation fault
  help: $look" "$trainer" check layer.model --plugin-dir plugins

# ---- how: in forward, and on a worker thread
here="$who crashed in \`forward\` of the layer \`crashing1\` (Crashing)"
for place in forward task; do
  crash $place endless_recursion
  train 5 "$here: the stack is used up, as by endless recursion" "$(again RUN)$look" layer.model
  crash $place zero_division
  train 5 "$here: integer division by zero" "$(again RUN)$look" layer.model
  crash $place abort
  train 5 "$here: abort() was called" "$(again RUN)$look" layer.model
done
crash forward bad_instruction
train 5 "$here: an instruction that this processor does not have" \
  "$(again RUN)build it for this machine, without the -march of another; $look" layer.model
crash forward exit
train 5 "$here: exit() was called" "$(again RUN)$look" layer.model
crash loading exit
says 5 "error: $who crashed as it was loaded: exit() was called
  help: $look" "$trainer" check layer.model --plugin-dir plugins
crash forward uncaught
train 5 "$here: an exception that nobody caught: nobody is there" "$(again RUN)$look" layer.model
crash destroy uncaught
says 5 "error: $who crashed in \`destroy\` of the layer \`Crashing\`: an exception that nobody caught: nobody is there
  help: $look" "$trainer" check layer.model --plugin-dir plugins
crash forward own_thread
train 5 "$who crashed on a thread of its own: segmentation fault" "$(again RUN)$look" layer.model

# ---- a crash after an epoch: the checkpoint is named, and a mended library goes on from it with the same bits
crash
"$trainer" train layer.model --plugin-dir plugins --run whole --quiet >/dev/null 2>&1 || bad 'a sound library does not train'
crash forward
sed 's/Crashing/Crashing(after = 9)/' layer.model >later.model
train 5 "$here: segmentation fault" \
  "the last good checkpoint is RUN/checkpoints/step-00000005.safetensors; \`trainer train --resume RUN\` goes on from it; $look" \
  later.model
crash
says 0 '' "$trainer" train --resume "run$run" --plugin-dir plugins --quiet
hash_of() { grep -o '"weights_sha256":"[0-9a-f]*"' "$1/metrics.jsonl" | tail -n 1; }
[ -n "$(hash_of whole)" ] && [ "$(hash_of whole)" = "$(hash_of "run$run")" ] || bad 'a run that went on after a crash has other bits'
# One that had saved nothing begins again.
crash forward
run=$((run + 1))
"$trainer" train layer.model --plugin-dir plugins --run "run$run" --quiet >/dev/null 2>&1
crash
says 0 '' "$trainer" train --resume "run$run" --plugin-dir plugins --quiet
[ "$(hash_of whole)" = "$(hash_of "run$run")" ] || bad 'a run that began again after a crash has other bits'

# ---- a study goes on: the run that crashed has failed, the other is done
crash forward
{
  sed 's/-> Crashing/-> Crashing(fatal)/; s/^model m/param fatal: bool = true\nmodel m/' layer.model
  printf 'study crash {\n  grid fatal = [true, false]\n  report train.loss\n}\n'
} >study.model
cases=$((cases + 1))
"$trainer" study study.model --plugin-dir plugins --jobs 2 >study.txt 2>&1
code=$?
grep -qF "$here: segmentation fault" study.txt || { bad 'the study does not say what crashed'; cat study.txt; }
grep -q '1 of 2\|1 failed\|1 run failed' study.txt || { bad "the study does not count it (code $code)"; cat study.txt; }

# ---- what is built in and crashes is a bug of ours, and ends with 1
ours='this is a bug in Strata; please report it with the command and the model file'
built_in() { # PLACE TEXT MODEL [HELP]
  local help=${4:-}
  crash "$1"
  run=$((run + 1))
  sed '/^require/d' "$3" >built_in.model
  says 1 "error: internal error: segmentation fault in $2
  help: ${help//RUN/run$run}$ours" crashing_trainer train built_in.model --threads 2 --run "run$run" --quiet
}
begins_again='nothing was saved yet; `crashing_trainer train --resume RUN` begins the run again; '
built_in infer '`infer` of the layer `Crashing`' layer.model
built_in forward '`forward` of the layer `crashing1` (Crashing)' layer.model "$begins_again"
built_in task '`forward` of the layer `crashing1` (Crashing)' layer.model "$begins_again"
built_in update '`update` of the optimizer `CrashingDescent`' optimizer.model "$begins_again"
built_in read '`read` of the data set `CrashingPoints`' data.model

# ---- a signal from outside stays one
cases=$((cases + 1))
crash
"$trainer" train layer.model --plugin-dir plugins --run signalled --quiet train.epochs=100000 >signalled.txt 2>&1 &
process=$!
for _ in $(seq 600); do
  [ -s signalled/metrics.jsonl ] && break
  sleep 0.1
done
kill -SEGV $process
wait $process
[ $? = 139 ] || bad 'a signal from outside is taken for a crash'

# ---- a library whose file is cut short while it runs
cases=$((cases + 1))
mkdir cut
cp plugins/crashing.so cut/
"$trainer" train layer.model --plugin-dir cut --run cut_run --quiet train.epochs=100000 train.checkpoint_steps=5 >cut.txt 2>&1 &
process=$!
for _ in $(seq 600); do
  ls cut_run/checkpoints/step-*.safetensors >cut_list.txt 2>/dev/null && break
  sleep 0.1
done
: >cut/crashing.so
wait $process
[ $? = 5 ] || bad 'a library that is cut short does not end with 5'
grep -qF "the plugin crashing 2.1 ($top/cut/crashing.so) crashed" cut.txt || { bad 'it is not said'; cat cut.txt; }
grep -qF 'the last good checkpoint is cut_run/checkpoints/step-' cut.txt || { bad 'nor how to go on'; cat cut.txt; }

# In a study it is the run's failure, in the study's words.
cases=$((cases + 1))
cp plugins/crashing.so whole.so
cp whole.so cut/crashing.so.new && mv cut/crashing.so.new cut/crashing.so
{
  cat layer.model
  printf 'study cut {\n  grid train.optimizer.lr = [0.1]\n  report train.loss\n}\n'
} | sed 's/epochs     = 3/epochs     = 100000/' >cut_study.model
"$trainer" study cut_study.model --plugin-dir cut --runs cut_runs >cut_study.txt 2>cut_errors.txt &
process=$!
for _ in $(seq 600); do
  [ -n "$(find cut_runs -name metrics.jsonl -size +0 2>/dev/null)" ] && break
  sleep 0.1
done
: >cut/crashing.so
wait $process
grep -qF "the plugin crashing 2.1 ($top/cut/crashing.so) crashed" cut_study.txt ||
  { bad 'the study does not say that its library was cut short'; cat cut_study.txt cut_errors.txt; }

echo "$cases cases, $failures failures"
[ "$failures" = 0 ]
