// Runs the exported models of a folder (write_cases.cc) with ONNX Runtime: NAME.in to NAME.ort.
//
//   node run_onnx.js FOLDER_WITH_NODE_MODULES FOLDER
'use strict';

const fs = require('fs');
const path = require('path');

const [packages, folder] = process.argv.slice(2);
const ort = require(path.resolve(packages, 'node_modules/onnxruntime-node'));

// Batches of all samples, and of the first one alone: the batch axis is open.
async function main() {
  for (const {name, batch, input: inputName, output, in: shape} of JSON.parse(fs.readFileSync(path.join(folder, 'cases.json')))) {
    const session = await ort.InferenceSession.create(path.join(folder, name + '.onnx'));
    const bytes = fs.readFileSync(path.join(folder, name + '.in'));
    const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const outputs = [];
    for (const count of [batch, 1]) {
      const size = shape.reduce((a, b) => a * b, count);
      const input = new ort.Tensor('float32', values.slice(0, size), [count, ...shape]);
      outputs.push((await session.run({[inputName]: input}))[output].data);
    }
    const all = new Float32Array(outputs[0].length + outputs[1].length);
    all.set(outputs[0], 0);
    all.set(outputs[1], outputs[0].length);
    fs.writeFileSync(path.join(folder, name + '.ort'), Buffer.from(all.buffer));
  }
}

main().catch((error) => {
  console.error(error.message || error);
  process.exit(1);
});
