#!/usr/bin/env bash
# Looks for inputs that break a law of the front end (front_end_fuzz.cc), with libFuzzer and the address and undefined
# sanitizers. Wants clang and its runtimes: apt-get install clang libclang-rt-14-dev.
#
#   tests/fuzz/run.sh [SECONDS] [libFuzzer's options]   60 seconds by default
#   tests/fuzz/run.sh merge                             then: a small set that covers nearly the same, as tests/fuzz/corpus
#
# What it finds is collected in STRATA_FUZZ (~/.cache/strata/fuzz), across runs. An input that breaks a law is left
# there as crash-…, timeout-… or oom-…; run it alone by giving its path to the binary. Once mended, it belongs into the
# corpus under a name that says what it was.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-60}
shift || true
found=${STRATA_FUZZ:-$HOME/.cache/strata/fuzz}
mkdir -p "$found/corpus"

# A Bazel of its own: another compiler would make the usual one compile everything again.
target=//tests/fuzz:front_end_fuzzer
./bazelw --output_base="$found/bazel" build --config=fuzz --symlink_prefix=/ "$target"
fuzzer=$(./bazelw --output_base="$found/bazel" info --config=fuzz bazel-bin 2>/dev/null)/tests/fuzz/front_end_fuzzer

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
seeds=(tests/fuzz/corpus models framework/dsl/tests/goldens tests/goldens/graph)

if [ "$seconds" = merge ]; then
  kept=$(mktemp -d)
  trap 'rm -rf "$kept"' EXIT
  mkdir "$kept/merged" "$kept/corpus"
  "$fuzzer" -merge=1 -use_counters=0 -max_len=2048 -rss_limit_mb=4096 -merge_control_file="$kept/control" \
    "$kept/merged" "$found/corpus" "${seeds[@]}"
  tests/fuzz/choose_corpus.py "$kept/control" "$kept/corpus"
  # Inputs with names of their own are regressions: they stay.
  find tests/fuzz/corpus -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
  cp "$kept"/corpus/* tests/fuzz/corpus/
  exit
fi

# Without entropic scheduling: with this many edges it takes half the time.
exec "$fuzzer" -max_total_time="$seconds" -max_len=2048 -timeout=5 -rss_limit_mb=4096 -entropic=0 -print_final_stats=1 \
  -dict=tests/fuzz/dictionary.txt -artifact_prefix="$found/" "$@" "$found/corpus" "${seeds[@]}"
