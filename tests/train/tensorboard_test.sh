#!/bin/bash
# Event files read back by another library, against metrics.jsonl; also of a run that was resumed.
set -eu
trainer=$PWD/$1 reader=$PWD/$2 model=$PWD/$3
python=/usr/bin/python3
[ -x "$python" ] || { echo "skipped: no python3 on this machine"; exit 0; }
cd "$TEST_TMPDIR"
settings="train.epochs=6 train.log=\"tensorboard\" train.log_steps=5 train.statistics=20"
"$trainer" train "$model" $settings --run whole -q > /dev/null
if ! "$python" "$reader" whole/tensorboard/* > whole.jsonl 2> reader.err; then
  cat reader.err
  grep -q "is not installed" reader.err && { echo "skipped"; exit 0; }
  exit 1
fi
# killed NAME FILES SETTING…: a run that is killed when it has FILES goes on; TensorBoard forgets what came after the checkpoint.
killed() {
  local name=$1 files=$2
  shift 2
  "$trainer" train "$model" $settings "$@" --run "$name" -q > /dev/null &
  child=$!
  for _ in $(seq 200); do compgen -G "$name/$files" > /dev/null && break; sleep 0.02; done
  kill -9 $child 2> /dev/null || true
  wait $child 2> /dev/null || true
  "$trainer" train --resume "$name" -q > /dev/null
  "$python" "$reader" $(ls -tr "$name"/tensorboard/*) > "$name.jsonl"
}
killed parts 'checkpoints/step-*.safetensors' train.checkpoint_steps=7
killed again 'tensorboard/*'  # no checkpoint yet: it begins again
"$python" - <<'PY'
import json, math

def log(path):
    return [json.loads(line) for line in open(path)]

def wanted(folder):
    out = {}
    for event in log(folder + "/metrics.jsonl"):
        if event["event"] == "epoch":
            for key in ("train.loss", "val.accuracy"):
                out[event["step"], key.replace(".", "/")] = event[key]
            out[event["step"], "learning_rate"] = event["learning_rate"]
        if event["event"] == "step":
            out[event["step"], "step/loss"] = event["loss"]
        if event["event"] == "statistics":
            for layer, found in event["layers"].items():
                out[event["step"], "activation_deviation/" + layer] = found["activation"][1]
    return out

def found(path):
    out = {}
    for event in log(path):
        if event["session"] == 1:  # START: later steps are void
            out = {key: value for key, value in out.items() if key[0] < event["step"]}
        for tag, value in event["values"].items():
            assert (event["step"], tag) not in out, (event["step"], tag)
            out[event["step"], tag] = value
    return out

assert log("whole.jsonl")[0]["version"] == "brain.Event:2"
for name in ("whole", "parts", "again"):
    want, have = wanted(name), found(name + ".jsonl")
    assert len(want) > 50, len(want)
    for key, value in want.items():
        assert math.isclose(have[key], value, rel_tol=1e-5, abs_tol=1e-7), (name, key, have.get(key), value)
whole = wanted("whole")
assert whole == wanted("parts") == wanted("again")
print("ok:", len(whole), "values")
PY
