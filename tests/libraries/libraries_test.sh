#!/bin/bash
# Libraries that are broken or hostile: each is refused or stopped with a sentence and an exit code, and none takes the
# trainer down. Sound ones are listed, explained, required by version, and used.
# Needs a C and a C++ compiler, as whoever writes a plugin has.
set -u

trainer=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
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

# library FOLDER NAME FLAGS…: builds the C layer with a fault.
library() {
  local folder=$1 name=$2
  shift 2
  mkdir -p "$folder"
  gcc -std=c11 -D_GNU_SOURCE -pedantic -Wall -Wextra -Wno-unused -Werror -fPIC -shared -O2 -I"$include" "$@" \
    "$sources/faulty.c" -o "$folder/$name.so" || bad "$name: does not compile"
}
# cpp_library FOLDER NAME FLAGS…: the same of NAME.cc.
cpp_library() {
  local folder=$1 name=$2
  shift 2
  mkdir -p "$folder"
  g++ -std=c++20 -Wall -Wextra -fPIC -shared -O1 -I"$include" "$@" "$sources/$name.cc" \
    -o "$folder/$name.so" || bad "$name: does not compile"
}

# expect CODE TEXT COMMAND…: the exit code, and an extended regular expression that the output has. Never a signal.
expect() {
  local code=$1 text=$2 got output
  shift 2
  cases=$((cases + 1))
  output=$("$@" 2>&1)
  got=$?
  if [ "$got" != "$code" ]; then
    bad "exit code $got, not $code: $*"
    printf '%s\n' "$output" | head -n 20
  elif ! printf '%s' "$output" | grep -qE "$text"; then
    bad "says nothing of '$text': $*"
    printf '%s\n' "$output" | head -n 20
  fi
}

cat >model.model <<'END'
format 1

model m(point: [2]) -> logits {
  point -> Dense(8) -> Faulty -> Dense(3) as logits
}

data points = Synthetic(kind = "spirals", samples = 200, val_samples = 20, classes = 3)

train {
  loss       = CrossEntropy(logits, label)
  optimizer  = Adam
  batch_size = 20
  epochs     = 1
}
END
sed 's/-> Faulty/-> Throwing/' model.model >throwing.model
sed 's/^format 1$/format 1\n\nrequire "faulty" >= 1.0/' model.model >required.model
sed 's/>= 1.0/>= 1.10/' required.model >newer.model
sed 's/Faulty/Faulti/' model.model >slip.model
sed -e 's/ -> Faulty//' -e 's/classes = 3)/& -> OldNothing/' -e 's/= Adam/= OldDescent/' \
  -e '/batch_size/i \  schedule   = OldHalf' model.model >older.model
sed 's/-> Faulty/-> Faulty(first = 3.0)/' model.model >range.model

# ---- a sound one, whose table of options has longer elements than ours
library sound faulty
sound=$top/sound/faulty.so
expect 0 'it conforms' "$trainer" plugin check "$sound"
expect 0 '"conforms": true' "$trainer" plugin check "$sound" --json
expect 0 '^    NaN that are fed in: they come out$' "$trainer" plugin check "$sound"
expect 0 '"nan": "propagated"' "$trainer" plugin check "$sound" --json
expect 0 'faulty +1\.0 +.*sound/faulty\.so' "$trainer" plugins --plugin-dir sound
expect 0 '"plugin": "faulty"' "$trainer" plugins --plugin-dir sound --json
expect 0 'second: int, default 3' "$trainer" explain Faulty --plugin-dir sound
expect 0 '### Faulty' "$trainer" reference --plugin-dir sound
expect 0 '' "$trainer" check required.model --plugin-dir sound
expect 0 'results are in' "$trainer" train required.model --plugin-dir sound
expect 3 'did you mean .Faulty' "$trainer" check slip.model --plugin-dir sound
expect 3 '.first. must be from 0 to 1, not 3' "$trainer" check range.model --plugin-dir sound
expect 5 'version 1\.0, and this file wants >= 1\.10' "$trainer" check newer.model --plugin-dir sound
expect 3 'no layer or block is called .Faulty' "$trainer" check model.model
expect 5 'plugin .faulty. is not loaded' "$trainer" check required.model
STRATA_PLUGIN_PATH=/nowhere:$top/sound expect 0 '' "$trainer" check required.model
mkdir -p .local/share/strata/plugins && cp "$sound" .local/share/strata/plugins/
expect 0 '' "$trainer" check required.model
XDG_DATA_HOME=$top/elsewhere expect 5 'is not loaded' "$trainer" check required.model
rm -r .local
expect 5 'there is no folder nowhere' "$trainer" check model.model --plugin-dir nowhere
expect 5 'no such file' "$trainer" plugin check nowhere.so
expect 5 'there is no folder model.model' "$trainer" check model.model --plugin-dir model.model
mkdir -m 0 locked
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  chmod 755 "$top"
  expect 5 'the plugin folder .*/locked cannot be read: Permission denied' \
    setpriv --reuid 65534 --regid 65534 --clear-groups "$trainer" plugins --plugin-dir locked
  STRATA_PLUGIN_PATH=$top/locked expect 0 'a plugin is left out: the plugin folder .*/locked cannot be read' \
    setpriv --reuid 65534 --regid 65534 --clear-groups "$trainer" explain Dense
elif [ "$(id -u)" != 0 ]; then
  expect 5 'the plugin folder .*/locked cannot be read: Permission denied' "$trainer" plugins --plugin-dir locked
fi
mkdir pipes && mkfifo pipes/faulty.so
expect 5 'pipes/faulty.so is not a file' "$trainer" plugins --plugin-dir pipes
expect 5 'is not a file' "$trainer" plugin check pipes/faulty.so

# ---- refused before any code of it runs
refused() { # TEXT FOLDER: by check, by a model that requires it, and by a folder of the command line
  expect 5 "$1" "$trainer" plugin check "$2/faulty.so"
  expect 5 "$1" "$trainer" check required.model --plugin-dir "$2"
  STRATA_PLUGIN_PATH=$2 expect 5 "cannot be used: .*($1)|is not loaded" "$trainer" check required.model
  STRATA_PLUGIN_PATH=$2 expect 0 "a plugin is left out: .*($1)" "$trainer" explain Dense
}
library no_tag faulty -DNO_TAG
refused 'no symbol strata_plugin_tag' no_tag
library wrong_major faulty -DWRONG_MAJOR
refused 'version 0\.9 of the plugin boundary, and this program has 1\.1' wrong_major
library next_major faulty -DNEXT_MAJOR
refused 'version 2\.0 of the plugin boundary' next_major
library newer_minor faulty -DNEWER_MINOR
refused 'version 1\.2 of the plugin boundary' newer_minor
mkdir -p cut text empty other folder
size=$(stat -c %s "$sound")
for part in 10 63 64 400 $((size / 2)) $((size - 1)); do
  head -c "$part" "$sound" >cut/faulty.so
  expect 5 'is damaged: it is cut off|is no shared library' "$trainer" plugin check cut/faulty.so
done
refused 'is damaged: it is cut off' cut
echo 'this is a text' >text/faulty.so
refused 'is no shared library' text
: >empty/faulty.so
refused 'is empty' empty
cp "$sound" other/faulty.so
printf '\267\000' | dd of=other/faulty.so bs=1 seek=18 conv=notrunc status=none # EM_AARCH64
refused 'is built for AArch64, and this is x86-64' other
mkdir -p folder/faulty.so
refused 'is not a file|is a folder' folder
library bad_name faulty '-DPLUGIN="../../etc"'
expect 5 'calls itself' "$trainer" plugin check bad_name/faulty.so
long=$(printf 'a%.0s' $(seq 64))
library long_name faulty "-DPLUGIN=\"$long\""
expect 5 'long_name/faulty\.so has a name of more than 63 letters' "$trainer" plugin check long_name/faulty.so
expect 2 "a plugin's name has at most 63 letters, and this one has 64" "$trainer" plugin new "$long"
library long_version faulty '-DVERSION="1.000000000000000000000000000000"'
expect 5 'long_version/faulty\.so has a version of more than 31 letters' "$trainer" plugin check long_version/faulty.so
expect 5 '/mem cannot be read: Input/output error' "$trainer" plugin check /proc/self/mem
expect 5 'status (is no ordinary file|grows while it is read)' "$trainer" plugin check /proc/self/status
library bad_version faulty '-DVERSION="new"'
expect 5 'has the version .new.' "$trainer" plugin check bad_version/faulty.so
cp -r sound writable && chmod 777 writable
expect 5 'plugin folder .*writable can be changed by anybody' "$trainer" check required.model --plugin-dir writable
mkdir -p open/deep && cp -r sound open/deep/folder && chmod 777 open
expect 5 'plugin folder .*/open/deep/folder can be replaced by anybody on this machine, as .*/open is open to all' \
  "$trainer" check required.model --plugin-dir open/deep/folder
chmod 1777 open  # as /tmp: who may write there may not move what others own
expect 0 'required.model' "$trainer" check required.model --plugin-dir open/deep/folder
cp -r sound writable_file && chmod 666 writable_file/faulty.so
refused 'can be changed by anybody' writable_file

# ---- refused as it is loaded
library undefined faulty -DUNDEFINED
refused 'undefined symbol: no_such_function' undefined
library no_entries faulty -DNO_ENTRIES
refused 'has no function strata_plugin_entries' no_entries
library cannot_say faulty -DCANNOT_SAY
refused 'the moon is full' cannot_say
library offers_nothing faulty -DOFFERS_NOTHING
refused 'offers nothing' offers_nothing
library empty_schema faulty -DEMPTY_SCHEMA
refused 'has an empty schema' empty_schema
library default_range faulty -DDEFAULT_OUT_OF_RANGE
refused 'option .first. of .Faulty. has a default that it does not accept itself' default_range
library option_twice faulty -DOPTION_TWICE
refused 'option .first. of .Faulty. is there twice' option_twice
library null_name faulty -DNULL_NAME
refused 'has no name' null_name
library null_function faulty -DNULL_FUNCTION
refused 'lacks a function' null_function
library unknown_kind faulty -DUNKNOWN_KIND
refused 'is of a kind that does not exist' unknown_kind
library shadow faulty '-DLAYER="Dense"'
refused 'offers the layer .Dense., which is built in' shadow

# ---- two of one name
library twice one
library twice two
expect 5 'two plugins are called .faulty.: .*twice/one\.so and .*twice/two\.so' \
  "$trainer" check model.model --plugin-dir twice
library same_layer one
library same_layer two '-DPLUGIN="another"'
expect 5 'two plugins offer the layer .Faulty.: .*one\.so and .*two\.so' \
  "$trainer" plugins --plugin-dir same_layer
mkdir linked && ln -s ../sound/faulty.so linked/a.so && ln -s ../sound/faulty.so linked/b.so
expect 0 '' "$trainer" check required.model --plugin-dir linked --plugin-dir sound

mkdir linked_out && ln -s ../writable/faulty.so linked_out/faulty.so
expect 5 'plugin folder .*/writable can be changed by anybody' "$trainer" plugins --plugin-dir linked_out
expect 5 'plugin folder .*/writable can be changed by anybody' "$trainer" check required.model --plugin-dir linked_out

# ---- a folder full of other things is a few notes, and a count
mkdir crowd
for i in $(seq 1000 1099); do echo 'no library' >crowd/$i.so; done
STRATA_PLUGIN_PATH=$top/crowd "$trainer" explain Dense >/dev/null 2>crowd.txt || bad 'a folder full of other things stops it'
[ "$(grep -c 'a plugin is left out: .*crowd/100[0-4]\.so is no shared library' crowd.txt)" = 5 ] || bad 'the first ones are not noted'
expect 0 "^note: 95 more plugins are left out: \`.*trainer plugins\` lists them$" cat crowd.txt
[ "$(wc -l <crowd.txt)" = 6 ] || { bad 'it takes more than 6 lines'; cat crowd.txt; }
[ "$("$trainer" plugins --plugin-dir crowd 2>&1 >/dev/null | grep -c 'is no shared library')" = 100 ] || bad 'plugins lists not all'

# ---- what programs read is JSON, whatever the library is and however it is called
is_json() { # CODE COMMAND…
  local code=$1 got
  shift
  cases=$((cases + 1))
  "$@" >out.json 2>/dev/null
  got=$?
  [ "$got" = "$code" ] || bad "exit code $got, not $code: $*"
  /usr/bin/python3 -c 'import json, sys; json.load(open("out.json", encoding="utf-8"))' || bad "no JSON: $*"
}
mkdir bytes && cp "$sound" bytes/$'\xff "two\nlines".so'
is_json 0 "$trainer" plugins --plugin-dir bytes --json
is_json 0 "$trainer" explain Faulty --plugin-dir bytes --json
is_json 0 "$trainer" plugin check bytes/*.so --json
expect 0 'faulty +1\.0 +.*bytes/. "two.lines"\.so' "$trainer" plugins --plugin-dir bytes
for path in nowhere.so folder '' cut/faulty.so pipes/faulty.so; do
  is_json 5 "$trainer" plugin check "$path" --json
  grep -q '"conforms": false' out.json || bad "no verdict on '$path'"
done

# ---- stopped where it is used
used() { # CODE TEXT FOLDER [MODEL]
  expect "$1" "$2" "$trainer" train "${4:-model.model}" --plugin-dir "$3" --threads 2
}
library wrong_shape faulty -DWRONG_SHAPE
used 5 'its output 0 has a shape of 9 axes' wrong_shape
expect 5 'does not conform' "$trainer" plugin check wrong_shape/faulty.so
library negative_shape faulty -DNEGATIVE_SHAPE
used 5 'an axis cannot have the extent -4' negative_shape
library huge_buffer faulty -DHUGE_BUFFER
used 5 'a buffer of an impossible size' huge_buffer
library null_state faulty -DNULL_STATE
used 5 'a state has no name' null_state
library no_output faulty -DNO_OUTPUT
used 5 'it has no output' no_output
library silent faulty -DFAILS_IN_SILENCE
used 5 'failed without a word' silent
library no_instance faulty -DNO_INSTANCE
used 5 'hands no instance over' no_instance
library forks faulty -DFORKS
used 0 'results are in' forks
[ "$("$trainer" plugin check forks/faulty.so | grep -c 'layer Faulty')" = 1 ] || bad 'the copy of a library that forks is heard'
library nan faulty -DWRITES_NAN
used 6 'diverged' nan
expect 5 'an output is not finite' "$trainer" plugin check nan/faulty.so
cpp_library create throwing -DTHROWS_IN_CREATE
used 5 'created on a bad day' create throwing.model
expect 5 'cannot be created' "$trainer" plugin check create/throwing.so
cpp_library infer throwing -DTHROWS_IN_INFER
used 5 'inferred on a bad day' infer throwing.model
cpp_library forward throwing -DTHROWS_IN_FORWARD
used 5 'task 1 had a bad day' forward throwing.model
expect 5 'task 1 had a bad day' "$trainer" plugin check forward/throwing.so
cpp_library raw throwing -DTHROWS_RAW
used 5 'an exception came out of it: thrown through C' raw throwing.model

# ---- found by `plugin check`, which survives it
library varying faulty -DNOT_DETERMINISTIC
expect 5 'the same call gives other outputs' "$trainer" plugin check varying/faulty.so
library crash faulty -DCRASHES
expect 5 'it crashed \(Segmentation fault\); layer .Faulty.: Faulty\(' "$trainer" plugin check crash/faulty.so
library overrun_crash faulty -DOVERRUNS_AND_CRASHES
expect 5 'layer Faulty: not sound, ' "$trainer" plugin check overrun_crash/faulty.so
expect 5 '^    - .*batch 2: writes outside of its buffers in training$' "$trainer" plugin check overrun_crash/faulty.so
expect 5 'it crashed \(Segmentation fault\); layer .Faulty.: Faulty\(' "$trainer" plugin check overrun_crash/faulty.so
library loading faulty -DDIES_LOADING
expect 5 'it crashed \(Aborted\); as it is loaded' "$trainer" plugin check loading/faulty.so
library hang faulty -DHANGS
expect 5 'it does not end: nothing for 1 seconds' "$trainer" plugin check hang/faulty.so --timeout 1
library ends faulty -DENDS
expect 5 'it ended the process \(code 0\)' "$trainer" plugin check ends/faulty.so
library stops faulty -DSTOPS_LOADING
expect 5 'problem: it stopped the process \(SIGSTOP\); as it is loaded' \
  timeout 60 "$trainer" plugin check stops/faulty.so
library closes faulty -DCLOSES_EVERYTHING
expect 5 'problem: it closed files that it had not opened; as it is loaded' "$trainer" plugin check closes/faulty.so
for signal in SIGKILL SIGTERM; do
  library parent faulty -DSIGNALS_PARENT=$signal
  expect 5 "problem: it sent $signal to the process that had started it\$" \
    timeout 60 "$trainer" plugin check parent/faulty.so
done
library parent faulty -DSIGNALS_PARENT=SIGSTOP
expect 5 'problem: it sent SIGSTOP to the process that had started it$' timeout 60 "$trainer" plugin check parent/faulty.so
library group faulty -DSIGNALS_GROUP=SIGKILL
expect 5 'problem: (it sent SIGKILL to the process that had started it|it crashed \(Killed\); as it is loaded)$' \
  "$trainer" plugin check group/faulty.so
is_json 5 "$trainer" plugin check group/faulty.so --json
library fast faulty -ffast-math
expect 5 'changes the processor.s arithmetic, as -ffast-math makes it, for the whole program when it is loaded' \
  "$trainer" plugin check fast/faulty.so
expect 0 'changes the processor.s arithmetic, .* that was undone' "$trainer" check model.model --plugin-dir fast

# ---- libraries are listed in columns, however long their paths are
library columns short
library columns of_a_longer_name '-DPLUGIN="another"' '-DLAYER="Another"'
[ "$("$trainer" plugins --plugin-dir columns | grep -cE '^  (faulty |another)  1\.0  /')" = 2 ] || bad 'paths of libraries begin at different places'

# ---- what a library prints spoils no result
library prints faulty -DPRINTS
is_json 0 "$trainer" plugins --plugin-dir prints --json
is_json 0 "$trainer" plugin check prints/faulty.so --json
is_json 0 "$trainer" explain Dense --plugin-dir prints --json
[ "$("$trainer" fmt --plugin-dir prints model.model 2>/dev/null)" = "$("$trainer" fmt model.model)" ] || bad 'what it prints is in a result'
expect 0 'thank you for loading Faulty' "$trainer" plugins --plugin-dir prints

# ---- each check has its fault: one library that is wrong in nothing else
only() { # NAME TEXT FLAG…: the verdict names that, and all that it names is that
  local name=$1 text=$2 found
  shift 2
  library "$name" faulty "$@"
  expect 5 "^    - .*($text)" "$trainer" plugin check "$name/faulty.so"
  found=$("$trainer" plugin check "$name/faulty.so" 2>&1 | grep '^    - ' | grep -vE "$text|and [0-9]+ more: --json shows them")
  [ -z "$found" ] || bad "$name: finds more than that: $found"
}
only gradient 'the gradient of input 0 in (training|inference) is .* at element [0-9]+, and differences say' -DWRONG_GRADIENT
only accumulation 'gradient 0 is not added to what was there' -DOVERWRITES_GRADIENT
only precision 'output 0 differs by 0\.0[0-9]+ between f32 and f64' -DDEPENDS_ON_PRECISION
only threads 'gives other bits on [248] threads' -DDEPENDS_ON_THREADS
only round_trip 'gives other bits in a new instance that has what was saved in training' -DKEEPS_HISTORY
only arithmetic 'changes the processor.s arithmetic: rounding, or what becomes of subnormal numbers' -DCHANGES_ARITHMETIC
only locale 'changes the locale for the whole program' -DCHANGES_LOCALE
only signals 'changes how SIGTERM is handled for the whole program' -DHANDLES_SIGNALS
only current_folder 'changes the current folder for the whole program' -DCHANGES_FOLDER
only mask 'changes the permissions of new files for the whole program' -DCHANGES_MASK
only output 'changes standard output for the whole program' -DCLOSES_OUTPUT
only nan 'swallows a NaN in input 0 in (training|inference): an output depends on element [0-9]+ and is 0$' -DSWALLOWS_NAN
expect 5 '^    NaN that are fed in: they are swallowed$' "$trainer" plugin check nan/faulty.so
only nan_overrun 'batch|with a? ?NaN: writes outside of its buffers in' -DOVERRUNS_AT_NAN
library nan_crash faulty -DCRASHES_AT_NAN
expect 5 'it crashed \(Segmentation fault\); layer .Faulty.: Faulty\(.*\) on \[5\], with a NaN' "$trainer" plugin check nan_crash/faulty.so
only overrun 'writes outside of its (f32 )?buffers' -DOVERRUNS

# A fusion is compared with its layers.
cpp_library quarter halving
expect 0 '^  fusion Quarter: sound, [0-9]+ facts in 3 cases' "$trainer" plugin check quarter/halving.so
cpp_library wrong_forward halving -DWRONG_FORWARD
expect 5 'on \[8\]: does not compute what its layers compute: after 3 steps .* in place of' "$trainer" plugin check wrong_forward/halving.so
cpp_library wrong_backward halving -DWRONG_BACKWARD
expect 5 'does not compute what its layers compute: after 3 steps `dense1\.' "$trainer" plugin check wrong_backward/halving.so
cpp_library failing halving -DFAILS
expect 5 'on \[8\]: fails where its layers do not: .*a quarter is too little' "$trainer" plugin check failing/halving.so

# ---- what a run records of a library, and what it says where it goes on with another one
library record faulty
expect 0 'results are in' "$trainer" train required.model --plugin-dir record --run recorded
grep -qE '"plugins":\[\{"name":"faulty","version":"1\.0","path":"[^"]*faulty.so","sha256":"[0-9a-f]{64}"' recorded/metrics.jsonl ||
  bad 'the start event says nothing of the plugin'
[ "$(sha256sum record/faulty.so | cut -c1-64)" = "$(grep -o '"sha256":"[0-9a-f]*' recorded/metrics.jsonl | head -n 1 | cut -c11-)" ] ||
  bad 'the start event has another SHA-256'
expect 0 'done' "$trainer" train --resume recorded --plugin-dir record train.epochs=2
expect 5 'plugin .faulty. is not loaded' "$trainer" train --resume recorded train.epochs=3
library record faulty '-DVERSION="1.1"'
expect 0 'with plugin faulty: 1\.0 -> 1\.1' "$trainer" train --resume recorded --plugin-dir record train.epochs=3
library record faulty '-DVERSION="1.1"' -O0
expect 0 'with plugin faulty: another build of 1\.1' "$trainer" train --resume recorded --plugin-dir record train.epochs=4

# ---- a library of the published boundary, built with the header of that time
mkdir -p old/framework/plugin published
for header in "$sources"/published/abi-*.h; do
  [ -e "$header" ] || continue
  cp "$header" old/framework/plugin/abi.h
  gcc -std=c11 -D_GNU_SOURCE -pedantic -Wall -Wextra -Werror -fPIC -shared -O2 -Iold "$sources/faulty.c" \
    -o published/faulty.so || bad "$header: does not compile"
  expect 0 'it conforms' "$trainer" plugin check published/faulty.so
  expect 0 'results are in' "$trainer" train required.model --plugin-dir published
  rm published/faulty.so
  # Of that time, not later: a C table that is shorter than today's ends where it says.
  gcc -std=c11 -pedantic -Wall -Wextra -Wno-missing-field-initializers -Werror -fPIC -shared -O2 -Iold \
    "$sources/older.c" -o published/older.so || bad "$header: older.c does not compile"
  expect 0 'it conforms' "$trainer" plugin check published/older.so
  expect 0 'results are in' "$trainer" train older.model --plugin-dir published
  rm published/older.so
done

echo "$cases cases, $failures failures"
[ "$failures" = 0 ]
