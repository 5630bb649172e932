// ONNX Runtime's side of the inference benchmark: one thread, all graph optimizations, the CPU.
//
//   npm install --prefix FOLDER --ignore-scripts onnxruntime-node@1.30.0
//   node tests/benchmarks/onnxruntime_inference.js FOLDER network.onnx images.f32
//
// images.f32 holds 1024 samples of 784 floats. Prints one JSON object: latency of single samples in microseconds, samples a
// second in batches of 1024, and the logits of the first sample. What counts is a call of the native session, which returns
// when the result is there; `api` is the same through the public interface, which goes around the event loop.
'use strict';

const fs = require('fs');
const path = require('path');

const [folder, network, images] = process.argv.slice(2);
const runtime = path.resolve(folder, 'node_modules/onnxruntime-node');
const ort = require(runtime);
const {binding, initOrt} = require(path.join(runtime, 'dist/binding.js'));

const FEATURES = 784, BATCH = 1024, SINGLES = 5000, WARM_UP = 500, SECONDS = 1.5;
const options = {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
};

const now = () => Number(process.hrtime.bigint());
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

function latencies(nanoseconds) {
  const sorted = Float64Array.from(nanoseconds).sort();
  return {p50: quantile(sorted, 0.5) / 1000, p99: quantile(sorted, 0.99) / 1000};
}

async function main() {
  const bytes = fs.readFileSync(images);
  const data = new Float32Array(bytes.buffer, bytes.byteOffset, BATCH * FEATURES);
  initOrt();
  const session = new binding.InferenceSession();
  session.loadModel(network, options);
  const run = (feeds) => session.run(feeds, {logits: null}, {});
  const one = {image: new ort.Tensor('float32', data.slice(0, FEATURES), [1, FEATURES])};
  const many = {image: new ort.Tensor('float32', data, [BATCH, FEATURES])};

  for (let i = 0; i < WARM_UP; ++i) run(one);
  const times = new Float64Array(SINGLES);
  for (let i = 0; i < SINGLES; ++i) {
    const begin = now();
    run(one);
    times[i] = now() - begin;
  }

  for (let i = 0; i < 10; ++i) run(many);
  const batches = [];
  for (const end = now() + SECONDS * 1e9; now() < end;) {
    const begin = now();
    run(many);
    batches.push(now() - begin);
  }
  batches.sort((a, b) => a - b);

  const open = await ort.InferenceSession.create(network, options);
  for (let i = 0; i < WARM_UP; ++i) await open.run(one);
  const through = new Float64Array(SINGLES);
  for (let i = 0; i < SINGLES; ++i) {
    const begin = now();
    await open.run(one);
    through[i] = now() - begin;
  }

  const logits = (await open.run(one)).logits.data;
  console.log(JSON.stringify({
    version: require(path.join(runtime, 'package.json')).version,
    single_microseconds: latencies(times),
    api_single_microseconds: latencies(through),
    samples_per_second: BATCH / quantile(batches, 0.5) * 1e9,
    logits: Array.from(logits),
  }));
}

main();
