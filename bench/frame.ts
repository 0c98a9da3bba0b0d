/**
 * Returns an uncompressed message with gRPC's prefix (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 * @param message encoded message, in hexadecimal
 */
export function frame(message = ""): Buffer {
  const body = Buffer.from(message, "hex");
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}
