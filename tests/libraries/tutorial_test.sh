#!/bin/bash
# Follows docs/tutorial.md to the letter, outside of the source tree, against an installed copy: once with GCC, once with
# clang where it is installed. Every "Save this as" is saved, every block of `sh` is run. Then the kinds of `plugin new`.
set -eu

install=$1
page=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
export HOME=$top LC_ALL=C.UTF-8
unset STRATA_PLUGIN_PATH XDG_DATA_HOME BUILD_WORKING_DIRECTORY || true
umask 022
"$install" install "$top/strata" >/dev/null

# The page as a script: files are written, commands are said and run.
awk '
  /^```/ && inside { inside = 0; if (file) print "END_OF_FILE"; file = ""; next }
  /^```sh$/        { inside = 1; run = 1; next }
  /^```/           { inside = 1; run = 0; if (wanted) { file = wanted; print "cat >" file " <<\"END_OF_FILE\"" } wanted = ""; next }
  inside && (run || file) { print; next }
  inside           { next }
  { if (match($0, /[Ss]ave this as `[^`]+`/)) { wanted = substr($0, RSTART, RLENGTH); gsub(/^[^`]*`|`$/, "", wanted) } }
' "$page" >"$top/followed.sh"
[ "$(grep -c '^cat >' "$top/followed.sh")" -ge 6 ]
[ "$(grep -c '^trainer ' "$top/followed.sh")" -ge 10 ]

follow() { # FOLDER CC CXX [FLAG…]
  mkdir "$top/$1"
  rm -rf "$top/.local"
  sed "s/^g++ /${*:3} /; s/^gcc /$2 /" "$top/followed.sh" >"$top/$1.sh"
  (cd "$top/$1" && CXX="${*:3}" bash -eu "$top/$1.sh") >"$top/$1.log" 2>&1 || {
    echo "FAILED: the tutorial with ${*:3}"
    tail -n 40 "$top/$1.log"
    exit 1
  }
  [ "$(grep -c 'it conforms' "$top/$1.log")" = 5 ]
  echo "the tutorial works with ${*:3}"
}
follow gcc gcc g++
if command -v clang++ >/dev/null; then
  follow clang clang clang++
else
  echo "clang++ is not installed: left out"
fi
if echo '#include <vector>' | clang++ -stdlib=libc++ -x c++ -fsyntax-only - 2>/dev/null; then
  follow libcxx clang clang++ -stdlib=libc++
else
  echo "clang++ with libc++ is not installed: left out"
fi
rm -rf "$top/.local"

# A folder of each kind builds, conforms and has a sound model; with make, and one with CMake.
export PATH=$top/strata/bin:$PATH
mkdir "$top/kinds"
runfiles=$PWD
cd "$top/kinds"
for kind in layer loss metric optimizer schedule initializer dataset transform; do
  trainer plugin new "my_$kind" --kind "$kind" >/dev/null
  (cd "my_$kind" && make -s CXXFLAGS=-O2 check >log 2>&1 &&
    trainer train "my_$kind.model" --plugin-dir . train.epochs=1 >>log 2>&1) || {
    echo "FAILED: plugin new --kind $kind"
    tail -n 40 "my_$kind/log"
    exit 1
  }
done
echo "plugin new works for every kind"
if command -v cmake >/dev/null; then
  (cd my_layer && cmake -B build -DCMAKE_PREFIX_PATH="$top/strata" && cmake --build build &&
    ctest --test-dir build --output-on-failure) >"$top/cmake.log" 2>&1 || {
    echo "FAILED: CMake"
    tail -n 40 "$top/cmake.log"
    exit 1
  }
  echo "CMake builds and tests it"
fi
# Without a network, as where there is nothing but Debian's Bazel 4.
if command -v bazel >/dev/null; then
  (cd my_layer && bazel --output_user_root="$top/bazel" test check) >"$top/bazel.log" 2>&1 || {
    echo "FAILED: Bazel"
    tail -n 40 "$top/bazel.log"
    (cd my_layer && bazel --output_user_root="$top/bazel" shutdown)
    exit 1
  }
  (cd my_layer && bazel --output_user_root="$top/bazel" shutdown)
  chmod -R u+w "$top/bazel"
  echo "Bazel builds and tests it"
fi
if command -v pkg-config >/dev/null; then
  flags=$(PKG_CONFIG_PATH=$top/strata/lib/pkgconfig pkg-config --cflags strata)
  [ "${flags% }" = "-I$top/strata/include/strata" ]
  echo "pkg-config knows it"
fi

# What is installed is whole.
for file in bin/trainer include/strata/framework/plugin/abi.h include/strata/framework/tensor/shape.h share/man/man1/trainer.1 \
  share/bash-completion/completions/trainer share/zsh/site-functions/_trainer share/strata/models/spirals.model \
  share/doc/strata/docs/tutorial.md share/doc/strata/CHANGELOG.md lib/strata/plugins; do
  [ -e "$top/strata/$file" ] || {
    echo "FAILED: $file is not installed"
    exit 1
  }
done

# The Debian package has the same.
cd "$runfiles"
if command -v dpkg-deb >/dev/null; then
  "$install" deb "$top" >/dev/null
  package=$(echo "$top"/strata_*.deb)
  dpkg-deb --info "$package" | grep -q '^ Package: strata$'
  dpkg-deb --info "$package" | grep -q '^ Depends: .*libc6'
  dpkg-deb --extract "$package" "$top/deb"
  "$top/deb/usr/bin/trainer" version | grep -q strata
  [ -e "$top/deb/usr/include/strata/framework/plugin/abi.h" ]
  grep -q '^prefix=/usr$' "$top/deb/usr/lib/pkgconfig/strata.pc"
  grep -q '^License: Apache-2.0$' "$top/deb/usr/share/doc/strata/copyright"
  gzip -dc "$top/deb/usr/share/doc/strata/changelog.gz" | grep -q '^strata ([0-9.]*) '
  if command -v lintian >/dev/null; then
    # It tells root that this is unwise, and that is no fault of the package.
    lintian --fail-on error "$package" >"$top/lintian.log" 2>&1 || {
      echo "FAILED: lintian"
      cat "$top/lintian.log"
      exit 1
    }
  fi
  echo "the Debian package is whole"
fi
