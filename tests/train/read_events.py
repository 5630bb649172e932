"""Reads TensorBoard event files with Google's protocol-buffer library and a CRC-32C of its own.

Independent of the writer: prints one JSON line for each event. Exits with 77 where the library is missing.
Messages as in TensorFlow's event.proto and summary.proto.
"""
import json
import struct
import sys

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError:
    print("python3-protobuf is not installed: event files are not read back", file=sys.stderr)
    sys.exit(77)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def event_class():
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="t", syntax="proto3")

    def message(name, *fields):
        m = file.message_type.add(name=name)
        for fname, number, kind, label, of in fields:
            f = m.field.add(name=fname, number=number, type=kind, label=label)
            if of:
                f.type_name = ".t." + of

    one, many = field.LABEL_OPTIONAL, field.LABEL_REPEATED
    message("Value", ("tag", 1, field.TYPE_STRING, one, None), ("simple_value", 2, field.TYPE_FLOAT, one, None))
    message("Summary", ("value", 1, field.TYPE_MESSAGE, many, "Value"))
    message("SessionLog", ("status", 1, field.TYPE_INT32, one, None))
    message(
        "Event",
        ("wall_time", 1, field.TYPE_DOUBLE, one, None),
        ("step", 2, field.TYPE_INT64, one, None),
        ("file_version", 3, field.TYPE_STRING, one, None),
        ("summary", 5, field.TYPE_MESSAGE, one, "Summary"),
        ("session_log", 7, field.TYPE_MESSAGE, one, "SessionLog"),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("t.Event")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def main():
    event_type = event_class()
    for path in sys.argv[1:]:
        data = open(path, "rb").read()
        at = 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            assert struct.unpack_from("<I", data, at + 8)[0] == masked(data[at : at + 8]), "checksum of a length"
            body = data[at + 12 : at + 12 + length]
            assert len(body) == length, "cut off"
            assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked(body), "checksum of an event"
            event = event_type()
            event.ParseFromString(body)
            assert not hasattr(event, "UnknownFields") or len(event.UnknownFields()) == 0
            assert 1.6e9 < event.wall_time < 1e10, event.wall_time
            print(
                json.dumps(
                    {
                        "step": event.step,
                        "version": event.file_version,
                        "session": event.session_log.status,
                        "values": {v.tag: v.simple_value for v in event.summary.value},
                    }
                )
            )
            at += 16 + length


main()
