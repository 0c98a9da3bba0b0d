/** Milliseconds in each unit of a timeout. */
const units = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** The longest timeout that grpc-js can keep, in hours: it takes milliseconds for a signed 32-bit integer, and a longer one for a passed one. */
const LONGEST = "596H";

/**
 * The timeout of a call, as gRPC writes it (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: up to eight digits and a unit).
 * @param asked what the caller asks for; what is malformed is left for grpc-js to refuse
 * @param maxMs how long a call may take that asks for more, or does not say, in milliseconds; Infinity for a stream that has no end
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
  // More digits than eight are more than a day.
  return milliseconds < 1e8 ? `${milliseconds}m` : `${Math.floor(milliseconds / 1000)}S`;
}
