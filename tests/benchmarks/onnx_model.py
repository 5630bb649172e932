#!/usr/bin/python3
"""Writes the batch-norm perceptron of models/mnist_mlp_bn.model as an ONNX file, with weights that `trainer init` or a run made.

  trainer init models/mnist_mlp_bn.model --out weights.safetensors
  tests/benchmarks/onnx_model.py weights.safetensors network.onnx

Input image [batch, 784], output logits [batch, 10]: Gemm, BatchNormalization and Relu, as PyTorch's exporter writes them for
inference. The few messages of onnx.proto3 that this takes are encoded here, so neither onnx nor protobuf is needed; Python's
own library does.
"""

import argparse
import json
import pathlib
import struct

FLOAT, INT = 1, 7  # TensorProto.DataType.FLOAT, INT64
EPS = 1e-5  # BatchNorm's default, here and in ONNX


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """One field of a message: an int, a float, or what is sent as bytes (text, a message, packed numbers)."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, shape, data):  # TensorProto: dims, data_type, name, raw_data
    return b"".join(field(1, dim) for dim in shape) + field(2, FLOAT) + field(8, name) + field(9, data)


def attribute(name, value):  # AttributeProto: name, f or i, type FLOAT = 1 or INT = 2
    return field(1, name) + (field(2, value) + field(20, 1) if isinstance(value, float) else field(3, value) + field(20, 2))


def node(kind, inputs, output, **attributes):  # NodeProto: input, output, name, op_type, attribute
    return (b"".join(field(1, name) for name in inputs) + field(2, output) + field(3, output) + field(4, kind) +
            b"".join(field(5, attribute(name, value)) for name, value in attributes.items()))


def value_info(name, features):  # ValueInfoProto, TypeProto.Tensor, TensorShapeProto
    batch, width = field(1, field(2, "batch")), field(1, field(1, features))
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, batch + width)))


def read_safetensors(path):
    """Shape and bytes of each f32 tensor by name."""
    data = path.read_bytes()
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:begin])
    return {name: (entry["shape"], data[begin + entry["data_offsets"][0]:begin + entry["data_offsets"][1]])
            for name, entry in header.items() if name != "__metadata__" and entry["dtype"] == "F32"}


def model(weights):
    nodes, used = [], []
    value = "image"
    for layer in (1, 2, 3):
        dense = "logits" if layer == 3 else f"dense{layer}"  # `as logits` names the layer
        names = [f"{dense}.weight", f"{dense}.bias"]
        nodes.append(node("Gemm", [value, *names], dense, alpha=1.0, beta=1.0, transB=1))
        used += names
        if layer < 3:
            names = [f"batch_norm{layer}.{name}" for name in ("weight", "bias", "running_mean", "running_var")]
            nodes.append(node("BatchNormalization", [dense, *names], f"batch_norm{layer}", epsilon=EPS))
            nodes.append(node("Relu", [f"batch_norm{layer}"], f"relu{layer}"))
            used += names
            value = f"relu{layer}"
    graph = (b"".join(field(1, one) for one in nodes) + field(2, "mnist_mlp_bn") +
             b"".join(field(5, tensor(name, *weights[name])) for name in used) +
             field(11, value_info("image", 784)) + field(12, value_info("logits", 10)))
    # ModelProto: ir_version, producer_name, graph, opset_import
    return field(1, 8) + field(2, "strata benchmark") + field(7, graph) + field(8, field(1, "") + field(2, 15))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    args = parser.parse_args()
    args.output.write_bytes(model(read_safetensors(args.weights)))


if __name__ == "__main__":
    main()
