/** Milliseconds in each unit of a timeout. */
const units = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Maximum timeout of grpc-js, which keeps milliseconds as a signed 32-bit integer and treats a longer one as expired. */
const LONGEST = "596H";

/**
 * Bounds the timeout of a call, in gRPC's form (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: up to eight digits and a unit).
 * @param asked timeout of the caller; a malformed one is returned as it is, for grpc-js to reject
 * @param maxMs default and maximum, in milliseconds; Infinity for a long-lived stream
 */
export function boundedTimeout(asked: string | undefined, maxMs: number): string | undefined {
  if (asked === undefined) return maxMs === Infinity ? undefined : inMilliseconds(maxMs);
  const [, amount, unit] = /^(\d{1,8})([HMSmun])$/.exec(asked) ?? [];
  if (amount === undefined) return asked;
  const milliseconds = Number(amount) * units[unit as keyof typeof units];
  if (milliseconds > maxMs) return inMilliseconds(maxMs);
  return milliseconds >= 2 ** 31 ? LONGEST : asked;
}

function inMilliseconds(milliseconds: number): string {
  // Nine digits are more than a day, so whole seconds are exact enough.
  return milliseconds < 1e8 ? `${milliseconds}m` : `${Math.floor(milliseconds / 1000)}S`;
}
