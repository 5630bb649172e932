#!/bin/sh
# Installs Strata under a prefix, or makes a Debian package of it:
#
#   ./bazelw run //:install -- PREFIX           e.g. /usr/local; made where it is missing
#   ./bazelw run //:deb -- [FOLDER]             writes FOLDER/strata_VERSION_ARCH.deb; DEBFULLNAME and DEBEMAIL are its maintainer
#
# What comes: the program, the headers for plugins with files for pkg-config, CMake and Bazel, the manual page, completion
# scripts, models and documentation. A folder for plugins, lib/strata/plugins, is made.
set -eu

what=$1
shift
# Bazel starts this among the files that it needs; the user's folder is another one.
here=$(pwd)

usage() {
  echo "usage: bazel run //:install -- PREFIX" >&2
  exit 2
}

caller=${BUILD_WORKING_DIRECTORY:-$here}
absolute() {
  case $1 in
    /*) printf '%s\n' "$1" ;;
    *) printf '%s/%s\n' "$caller" "$1" ;;
  esac
}

put() { # FILE TARGET [MODE]
  mkdir -p "$(dirname "$2")"
  rm -f "$2"
  install -m "${3:-644}" "$here/$1" "$2"
}

# install_to ROOT PREFIX: the files go below ROOT/PREFIX and speak of PREFIX.
install_to() {
  target=$1$2
  put framework/app/trainer "$target/bin/trainer" 755
  for header in framework/plugin/*.h framework/tensor/*.h; do
    put "$header" "$target/include/strata/$header"
  done
  version=$("$target/bin/trainer" version | sed -n '1s/^[^0-9]*\([0-9][0-9.]*\).*/\1/p')
  mkdir -p "$target/lib/pkgconfig" "$target/lib/cmake/Strata" "$target/lib/strata/plugins" \
    "$target/share/man/man1" "$target/share/bash-completion/completions" "$target/share/zsh/site-functions"
  cat >"$target/lib/pkgconfig/strata.pc" <<END
prefix=$2
trainer=\${prefix}/bin/trainer
plugindir=\${prefix}/lib/strata/plugins

Name: strata
Description: headers for plugins of the machine-learning framework Strata
Version: $version
Cflags: -I\${prefix}/include/strata
END
  sed "s/@VERSION@/$version/" framework/install/StrataConfig.cmake.in >"$target/lib/cmake/Strata/StrataConfig.cmake"
  cat >"$target/lib/cmake/Strata/StrataConfigVersion.cmake" <<END
# Headers of a version serve plugins that ask for this one or an older one.
set(PACKAGE_VERSION "$version")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
END
  # For Bazel: local_repository(name = "strata", path = "PREFIX/share/strata/bazel").
  put .bazel/offline_rules.bzl "$target/share/strata/bazel/offline_rules.bzl"
  ln -sfn ../../../include/strata/framework "$target/share/strata/bazel/framework"
  echo 'workspace(name = "strata")' >"$target/share/strata/bazel/WORKSPACE"
  cat >"$target/share/strata/bazel/BUILD" <<END
# The headers for plugins: @strata//:sdk.
cc_library(
    name = "sdk",
    hdrs = glob(["framework/**/*.h"]),
    includes = ["."],
    visibility = ["//visibility:public"],
)
END
  "$target/bin/trainer" man >"$target/share/man/man1/trainer.1"
  "$target/bin/trainer" completion bash >"$target/share/bash-completion/completions/trainer"
  "$target/bin/trainer" completion zsh >"$target/share/zsh/site-functions/_trainer"
  for file in models/*; do put "$file" "$target/share/strata/$file"; done
  for file in README.md CHANGELOG.md docs/* docs/pictures/*; do [ -f "$file" ] && put "$file" "$target/share/doc/strata/$file"; done
  put LICENSE "$target/share/doc/strata/copyright"
}

# document_package FOLDER: the two files that Debian wants of every package, in its formats.
document_package() {
  cat >"$1/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Strata

Files: *
Copyright: 2026 The authors of Strata
License: Apache-2.0

Files: usr/share/strata/models/penguins.csv
Copyright: 2020 A. M. Horst, A. P. Hill and K. B. Gorman
License: CC0-1.0

License: Apache-2.0
 On Debian systems the text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.

License: CC0-1.0
 On Debian systems the text of CC0 1.0 is in
 /usr/share/common-licenses/CC0-1.0.
END
  gzip -9n >"$1/changelog.gz" <<END
strata ($version) unstable; urgency=medium

  * What changed is in CHANGELOG.md beside this file.

 -- $maintainer  $(date -R ${SOURCE_DATE_EPOCH:+-d "@$SOURCE_DATE_EPOCH"})
END
}

case $what in
  install)
    [ $# -eq 1 ] || usage
    prefix=$(absolute "$1")
    mkdir -p "$prefix"
    prefix=$(cd "$prefix" && pwd)
    install_to "" "$prefix"
    echo "installed under $prefix"
    case :$PATH: in
      *:"$prefix/bin":*) ;;
      *) echo "  export PATH=\"$prefix/bin:\$PATH\"" ;;
    esac
    ;;
  deb)
    [ $# -le 1 ] || usage
    folder=$(absolute "${1:-.}")
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    chmod 755 "$root"
    umask 022
    install_to "$root" /usr
    gzip -9n "$root/usr/share/man/man1/trainer.1"
    strip --strip-unneeded --remove-section=.comment --remove-section=.note "$root/usr/bin/trainer"
    mkdir -p "$root/usr/share/zsh/vendor-completions" "$root/DEBIAN"
    mv "$root/usr/share/zsh/site-functions/_trainer" "$root/usr/share/zsh/vendor-completions/"
    rmdir "$root/usr/share/zsh/site-functions"
    arch=$(dpkg --print-architecture)
    # The packages whose libraries the program is linked with.
    depends=$(ldd "$root/usr/bin/trainer" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | while read -r library; do
      library=$(readlink -f "$library")
      dpkg-query -S "$library" "*${library#/usr}" 2>/dev/null | sed -n 's/^\([^:,]*\).*/\1/p' | head -n 1
    done | sort -u | paste -sd, | sed 's/,/, /g')
    # Whoever makes the package vouches for it; the variables are those of Debian's own tools.
    maintainer="${DEBFULLNAME:-The authors of Strata} <${DEBEMAIL:-strata@example.org}>"
    document_package "$root/usr/share/doc/strata"
    cat >"$root/DEBIAN/control" <<END
Package: strata
Version: $version
Architecture: $arch
Maintainer: $maintainer
Depends: $depends
Recommends: g++
Section: science
Priority: optional
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Description: machine-learning framework with a declarative model language
 A text file describes a model, plugins supply everything it names, and one
 program, trainer, checks the file, compiles it to a plan and trains it.
 The headers for plugins are part of the package.
END
    (cd "$root" && find usr -type f -exec md5sum {} + >DEBIAN/md5sums)
    mkdir -p "$folder"
    dpkg-deb --root-owner-group --build "$root" "$folder/strata_${version}_$arch.deb"
    ;;
esac
