import { create, fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";

/** Encoder and decoder of one message type. */
export interface Codec {
  /** @param message a message, or the initial values of one */
  encode: (message: object) => Buffer;
  /** @throws {Error} the bytes are malformed */
  decode: (bytes: Buffer) => Message;
}

/**
 * Creates the codec of a message type: protobuf-es, with a faster path for types whose fields are all short strings. The faster path uses
 * Node's buffer pool, where protobuf-es allocates several ArrayBuffers that the garbage collector must track. It saves an eighth of a
 * whole call (measured in bench/README.md). Longer strings, unknown fields and malformed input are left to protobuf-es.
 */
export function codecOf(schema: DescMessage): Codec {
  const general: Codec = {
    encode: (message) => {
      const bytes = toBinary(schema, create(schema, message as Strings));
      // grpc-js requires a Buffer: this one shares the memory.
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    decode: (bytes) => fromBinary(schema, bytes),
  };
  const { fields } = schema;
  if (!fields.every(isString)) return general;
  return {
    encode: (message) => encodeStrings(fields, message as Strings) ?? general.encode(message),
    decode: (bytes) => decodeStrings(fields, bytes, create(schema) as Message & Strings) ?? general.decode(bytes),
  };
}

type Strings = Record<string, unknown>;

/** Maximum length of a string on the faster path, in bytes: its length takes one byte, as its tag does. */
const MAX_LENGTH_BYTES = 0x7f;

function isString({ fieldKind, number, oneof, presence, ...field }: DescField): boolean {
  if (fieldKind !== "scalar" || !("scalar" in field) || field.scalar !== ScalarType.STRING) return false;
  return number < 16 && oneof === undefined && presence !== Presence.LEGACY_REQUIRED && field.utf8Validation;
}

/** Field number and wire type LEN (https://protobuf.dev/programming-guides/encoding/#structure). */
function tagOf({ number }: DescField): number {
  return (number << 3) | 2;
}

/** Returns the value of a field to encode. An empty string, or a default on the message's prototype, may not count as set. */
function valueOf(message: Strings, { localName, presence }: DescField): unknown {
  if (presence !== Presence.EXPLICIT) return message[localName] === "" ? undefined : message[localName];
  return Object.hasOwn(message, localName) ? message[localName] : undefined;
}

function encodeStrings(fields: DescField[], message: Strings): Buffer | undefined {
  if (message["$unknown"] !== undefined) return undefined;
  const bytes = Buffer.allocUnsafe(fields.length * (MAX_LENGTH_BYTES + 2));
  let position = 0;
  for (const field of fields) {
    const value = valueOf(message, field);
    if (value === undefined) continue;
    if (typeof value !== "string") return undefined;
    const length = Buffer.byteLength(value);
    if (length > MAX_LENGTH_BYTES) return undefined;
    bytes[position] = tagOf(field);
    bytes[position + 1] = length;
    position += 2 + bytes.write(value, position + 2);
  }
  return bytes.subarray(0, position);
}

function decodeStrings<Into extends Strings>(fields: DescField[], bytes: Buffer, message: Into): Into | undefined {
  let position = 0;
  while (position < bytes.length) {
    const field = fields.find((candidate) => tagOf(candidate) === bytes[position]);
    const length = bytes[position + 1] ?? Infinity;
    const end = position + 2 + length;
    if (field === undefined || length > MAX_LENGTH_BYTES || end > bytes.length) return undefined;
    const value = bytes.toString("utf8", position + 2, end);
    // Malformed UTF-8 decodes to this character. protobuf-es distinguishes it from the character itself.
    if (value.includes("\uFFFD")) return undefined;
    (message as Strings)[field.localName] = value;
    position = end;
  }
  return message;
}
