import type { Seen } from "./attack.ts";
import type { Case } from "./cases.ts";

/** What became of a case, as its peer saw it. */
export interface Outcome {
  how: "answered" | "refused" | "closed" | "reset" | "timed out";
  /** By which word it was refused. */
  reason?: string;
  /** What no peer should ever see. */
  wrong?: string;
}

/** Reads what a peer was answered, by what it asked. */
export function outcomeOf({ port, tls, reads }: Case, { bytes, end }: Seen): Outcome {
  if (!reads || bytes.length === 0) return { how: end };
  if (tls === "instead of handshake") return ofTls(bytes, end);
  return port === "http" ? ofHttp(bytes, end) : ofHttp2(bytes, end);
}

function ofHttp(bytes: Buffer, end: Seen["end"]): Outcome {
  const text = bytes.toString("latin1");
  if (!/^HTTP\/1\.1 [1-4]\d\d /.test(text))
    return { how: end, wrong: `An answer begins ${JSON.stringify(text.slice(0, 40))}` };
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => status!);
  const broken = statuses.find((status) => status.startsWith("5"));
  if (broken !== undefined) return { how: "refused", reason: broken, wrong: `Answered ${broken}` };
  if (statuses.some((status) => /^[23]/.test(status))) return { how: "answered" };
  return { how: "refused", reason: statuses.at(-1)! };
}

/** The names of HTTP/2's error codes, by number (https://www.rfc-editor.org/rfc/rfc9113#section-7). */
const errors =
  "NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY HTTP_1_1_REQUIRED".split(
    " ",
  );

function ofHttp2(bytes: Buffer, end: Seen["end"]): Outcome {
  const frames = framesOf(bytes);
  const [first] = frames;
  if (first && first.type !== 4) return { how: end, wrong: `The first frame has the type ${first.type}` };
  // A message, and not only a status: HPACK hides which.
  if (frames.some(({ type, payload }) => type === 0 && payload.length > 0)) return { how: "answered" };
  const closing = frames.find(({ type, payload }) => type === 7 && payload.readUInt32BE(4) !== 0);
  if (closing) return { how: "refused", reason: `GOAWAY ${errors[closing.payload.readUInt32BE(4)]}` };
  if (frames.some(({ type }) => type === 1)) return { how: "refused", reason: "a status" };
  const reset = frames.find(({ type }) => type === 3);
  if (reset) return { how: "refused", reason: `RST_STREAM ${errors[reset.payload.readUInt32BE(0)]}` };
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

/** Alerts of TLS that are common (https://www.rfc-editor.org/rfc/rfc8446#section-6). */
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
  if (type === 21 && bytes.length >= 7) return { how: "refused", reason: `alert ${alerts[bytes[6]!] ?? bytes[6]}` };
  if (type === 22) return { how: "answered" };
  return { how: end, wrong: `An answer is no TLS: ${bytes.subarray(0, 20).toString("hex")}` };
}
