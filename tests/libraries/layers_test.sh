#!/bin/bash
# Every layer of plugins/layers built outside of this repository, against an installed copy's headers alone: it passes
# conformance and gives the same bits as the one that is built in; an activation takes as long.
set -eu

install=$1
same_bits=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
shift 2
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
export HOME=$top LC_ALL=C.UTF-8
unset STRATA_PLUGIN_PATH XDG_DATA_HOME BUILD_WORKING_DIRECTORY || true
umask 022
"$install" install "$top/strata" >/dev/null
mkdir -p "$top/layers" "$top/plugins/support"
for file in "$@"; do
  case $file in
    *.h) cp "$file" "$top/plugins/support/" ;;
    *) cp "$file" "$top/layers/" ;;
  esac
done
cd "$top/layers"
cat >plugin.cc <<'END'
#include "framework/plugin/registration.h"

STRATA_PLUGIN("layers", "1.0");
END
# The flags of this repository: the same arithmetic.
printf '%s\0' *.cc | xargs -0 -P 2 -n 1 g++ -std=c++20 -c -fPIC -fvisibility=hidden -O3 -march=native \
  -ffp-contract=off -fno-math-errno -fno-trapping-math "-I$top/strata/include/strata" "-I$top"
g++ -shared ./*.o -o layers.so
timed=ReLU
[ -e silu.cc ] && timed=SiLU
exec "$same_bits" "$top/layers/layers.so" "$timed"
