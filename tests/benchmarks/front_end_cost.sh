#!/usr/bin/env bash
# What `trainer check` costs on large models: processor time, peak memory, and how both grow with the file.
#
#   tests/benchmarks/front_end_cost.sh [TRAINER] [ROUNDS]
#
# TRAINER is the binary (bazel-bin/framework/app/trainer); the best of ROUNDS (5) runs counts. Prints a table:
#   calls    files of 1,000, 10,000 and 100,000 layer calls written out, one flow of ten calls a statement
#   chain    the same calls as a single flow
#   loop     as many layers out of nested loops
#   residual 1,000 residual blocks in loops, six layers each
# `ratio` is against the row of a tenth the size: 10 is linear.
set -euo pipefail

trainer=${1:-bazel-bin/framework/app/trainer}
rounds=${2:-5}
[ -x "$trainer" ] || { echo "front_end_cost.sh: no binary $trainer: build //framework/app:trainer" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

begin='format 1\n\nmodel cost(x: [16]) -> y {\n'

calls() {
  awk -v n="$1" -v begin="$begin" 'BEGIN {
    printf begin; value = "x"
    for (i = 0; i < n / 10; ++i) {
      name = (i == n / 10 - 1) ? "y" : "v" i
      printf "  %s = %s", name, value
      for (j = 0; j < 5; ++j) printf " -> Dense(16, bias = false) -> ReLU"
      printf "\n"; value = name
    }
    print "}"
  }'
}

chain() {
  awk -v n="$1" -v begin="$begin" 'BEGIN {
    printf begin "  x"
    for (i = 0; i < n / 2; ++i) printf " -> Dense(16, bias = false)\n    -> ReLU"
    print " as y\n}"
  }'
}

loop() {
  printf "$begin"
  printf '  y = x -> for i in 1..10 { for j in 1..%d { Dense(16, bias = i %% 2 == 0) -> ReLU } }\n}\n' $(($1 / 20))
}

residual() {
  cat <<MODEL
format 1

block layer(x, units) -> y {
  y = x -> Dense(units, bias = false) -> BatchNorm
}

block residual(x, units) -> y {
  main = x -> layer(units) -> ReLU -> layer(units)
  skip = x -> if x.features != units { layer(units) }
  y    = Add(main, skip) -> ReLU
}

model cost(x: [16]) -> y {
  y = x -> for units in [16, 32, 64, 128] { repeat $(($1 / 4)) { residual(units) } }
}
MODEL
}

# measure FILE: the least processor time in seconds, and the peak memory in MB.
measure() {
  local TIMEFORMAT='%3U %3S'
  for _ in $(seq "$rounds"); do
    { time "$trainer" check "$1" >/dev/null 2>&1; } 2>&1
  done | awk '{ seconds = $1 + $2; if (NR == 1 || seconds < best) best = seconds } END { printf "%.3f ", best }'
  /usr/bin/time -f '%M' "$trainer" check "$1" 2>&1 >/dev/null | tail -n 1 | awk '{ printf "%.0f", $1 / 1024 }'
}

printf '%-10s %8s %8s %8s %8s %7s %7s\n' file size KB seconds MB 'ratio s' 'MB'
for shape in calls chain loop residual; do
  sizes='1000 10000 100000'
  [ "$shape" = residual ] && sizes='100 1000 10000'
  before=
  for size in $sizes; do
    "$shape" "$size" > "$folder/$shape.model"
    "$trainer" check "$folder/$shape.model" > "$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
    read -r seconds megabytes < <(measure "$folder/$shape.model"; echo)
    read -r ratio growth < <(awk -v now="$seconds $megabytes" -v before="$before" 'BEGIN {
      split(now, a, " "); n = split(before, b, " ")
      if (n == 2 && b[1] > 0) printf "%.1f %.1f\n", a[1] / b[1], a[2] / b[2]; else print "- -" }')
    printf '%-10s %8d %8d %8s %8s %7s %7s\n' "$shape" "$size" \
      $(($(stat -c %s "$folder/$shape.model") / 1024)) "$seconds" "$megabytes" "$ratio" "$growth"
    before="$seconds $megabytes"
  done
done
