#!/bin/bash
# Kills a training run with SIGKILL at random moments and resumes it, again and again; every run that
# gets to its end must end with the bits of one that nobody disturbed, and no resume may fail.
#
#   tests/train/kill_loop.sh bazel-bin/framework/app/trainer models/spirals.model 200
set -u
trainer=$(realpath "$1")
model=$(realpath "$2")
kills=${3:-20}
settings="train.epochs=60 train.checkpoint_steps=7"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

hash_of() { sed -n 's/.*"status":"done".*"weights_sha256":"\([0-9a-f]*\)".*/\1/p' "$1/metrics.jsonl" | tail -1; }
fail() {
  echo "$1"
  cat output
  exit 1
}

"$trainer" train "$model" $settings --quiet --run whole >output 2>&1 || fail "the undisturbed run failed"
whole=$(hash_of whole)
[ -n "$whole" ] || fail "the undisturbed run has no hash"

killed=0
finished=0
run=0
while [ "$killed" -lt "$kills" ]; do
  run=$((run + 1))
  while :; do
    if [ -e "run$run/model.model" ]; then
      "$trainer" train --resume "run$run" --threads $((RANDOM % 4 + 1)) --quiet >output 2>&1 &
    else
      "$trainer" train "$model" $settings --quiet --run "run$run" >output 2>&1 &
    fi
    process=$!
    sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
    if [ "$killed" -lt "$kills" ] && kill -KILL "$process" 2>/dev/null; then
      wait "$process" 2>/dev/null
      code=$?
      # It may have come to its end before the signal did.
      if [ "$code" -eq 137 ]; then
        killed=$((killed + 1))
        continue
      fi
    else
      wait "$process"
      code=$?
    fi
    [ "$code" -eq 0 ] || fail "run $run ended with exit code $code after $killed kills"
    break
  done
  [ "$(hash_of "run$run")" = "$whole" ] || fail "run $run ended with other bits after $killed kills"
  finished=$((finished + 1))
  rm -rf "run$run"
done
echo "$killed kills, $finished runs to their end, all with the bits $whole"
