import type { Seen } from "./attack.ts";
import type { Case } from "./cases.ts";

/** Outcome of a case, from its peer's point of view. */
export interface Outcome {
  how: "answered" | "rejected" | "closed" | "reset" | "timed out";
  /** Status or error of the rejection. */
  reason?: string;
  /** Description of an invalid response. */
  wrong?: string;
}

/** Classifies the response to a case. */
export function outcomeOf({ port, tls, reads }: Case, { bytes, end }: Seen): Outcome {
  if (!reads || bytes.length === 0) return { how: end };
  if (tls === "instead of handshake") return ofTls(bytes, end);
  return port === "http" ? ofHttp(bytes, end) : ofHttp2(bytes, end);
}

function ofHttp(bytes: Buffer, end: Seen["end"]): Outcome {
  const text = bytes.toString("latin1");
  if (!/^HTTP\/1\.1 [1-4]\d\d /.test(text))
    return { how: end, wrong: `A response starts with ${JSON.stringify(text.slice(0, 40))}` };
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => status!);
  const broken = statuses.find((status) => status.startsWith("5"));
  if (broken !== undefined) return { how: "rejected", reason: broken, wrong: `Responded ${broken}` };
  if (statuses.some((status) => /^[23]/.test(status))) return { how: "answered" };
  return { how: "rejected", reason: statuses.at(-1)! };
}

/** Names of HTTP/2's error codes, by number (https://www.rfc-editor.org/rfc/rfc9113#section-7). */
const errors =
  "NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY HTTP_1_1_REQUIRED".split(
    " ",
  );

function ofHttp2(bytes: Buffer, end: Seen["end"]): Outcome {
  const frames = framesOf(bytes);
  const [first] = frames;
  if (first && first.type !== 4) return { how: end, wrong: `The first frame has the type ${first.type}` };
  // DATA means a message. The status is compressed by HPACK, so it is not read.
  if (frames.some(({ type, payload }) => type === 0 && payload.length > 0)) return { how: "answered" };
  const closing = frames.find(({ type, payload }) => type === 7 && payload.readUInt32BE(4) !== 0);
  if (closing) return { how: "rejected", reason: `GOAWAY ${errors[closing.payload.readUInt32BE(4)]}` };
  if (frames.some(({ type }) => type === 1)) return { how: "rejected", reason: "a status" };
  const reset = frames.find(({ type }) => type === 3);
  if (reset) return { how: "rejected", reason: `RST_STREAM ${errors[reset.payload.readUInt32BE(0)]}` };
  return { how: end };
}

function framesOf(bytes: Buffer): { type: number; payload: Buffer }[] {
  const frames = [];
  for (let position = 0; position + 9 <= bytes.length;) {
    const start = position + 9;
    position = start + bytes.readUIntBE(start - 9, 3);
    if (position <= bytes.length) frames.push({ type: bytes[start - 6]!, payload: bytes.subarray(start, position) });
  }
  return frames;
}

/** Common alerts of TLS (https://www.rfc-editor.org/rfc/rfc8446#section-6). */
const alerts: Record<number, string> = {
  10: "unexpected_message",
  20: "bad_record_mac",
  22: "record_overflow",
  40: "handshake_failure",
  47: "illegal_parameter",
  50: "decode_error",
  51: "decrypt_error",
  70: "protocol_version",
  80: "internal_error",
  109: "missing_extension",
  110: "unsupported_extension",
  120: "no_application_protocol",
};

function ofTls(bytes: Buffer, end: Seen["end"]): Outcome {
  const [type] = bytes;
  if (type === 21 && bytes.length >= 7) return { how: "rejected", reason: `alert ${alerts[bytes[6]!] ?? bytes[6]}` };
  if (type === 22) return { how: "answered" };
  return { how: end, wrong: `A response is not TLS: ${bytes.subarray(0, 20).toString("hex")}` };
}
