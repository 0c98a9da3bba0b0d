// `npm run fuzz`: sends malformed HTTP/1.1, HTTP/2, gRPC and TLS to the running service, beside a well-behaved client. Fails and names the
// case if the service ends, hangs, leaks, logs an error, or gives that client a wrong or late response.
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { createAuthority } from "../tls/certificates.ts";
import { campaign } from "./fuzz/campaign.ts";
import { keyOf } from "./fuzz/findings.ts";
import type { Finding } from "./fuzz/findings.ts";
import { describe, replay } from "./fuzz/replay.ts";

const usage = `Usage: npm run fuzz -- [options]

Sends malformed HTTP/1.1, HTTP/2, gRPC and TLS to the service, beside a well-behaved client.

Options:
  --seconds <count>  duration (default: 30)
  --seed <number>    seed of all cases (default: random, and printed)
  --case <number>    send and print only this case of the seed
  --program <file>   program to start instead of the checkout, for example dist/greeter.cjs
  --help             show this help
`;

function fail(reason: string): never {
  process.stderr.write(`fuzz: ${reason}\n\n${usage}`);
  process.exit(2);
}

function wholeNumber(flag: string, text: string): number {
  return /^\d{1,10}$/.test(text) ? Number(text) : fail(`invalid ${flag} "${text}": expected a whole number`);
}

function parse(): {
  seconds: number;
  seed: number;
  only: number | undefined;
  program: string | undefined;
  help: boolean;
} {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: "string", default: "30" },
        seed: { type: "string", default: String(randomInt(2 ** 32)) },
        case: { type: "string" },
        program: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    return {
      seconds: wholeNumber("--seconds", values.seconds),
      seed: wholeNumber("--seed", values.seed),
      only: values.case === undefined ? undefined : wholeNumber("--case", values.case),
      program: values.program,
      help: values.help,
    };
  } catch (error) {
    return fail((error as Error).message);
  }
}

const { seconds, seed, only, program, help } = parse();
if (help) {
  process.stdout.write(usage);
  process.exit();
}

const cleanups: (() => unknown)[] = [];
const authority = createAuthority({ teardown: (cleanup) => void cleanups.push(cleanup) });
process.on("exit", () => {
  for (const cleanup of cleanups) cleanup();
});
// An interrupt cleans up too.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    process.stderr.write(`fuzz: stopped by ${signal}\n`);
    process.exit(1);
  });
}
const options = { seed, program, authority };

/** Maximum number of findings whose cause is searched for by replay. */
const MAX_SEARCHES = 3;
let searches = 0;

/** Number of replays of each candidate, because some faults are intermittent. */
const REPLAYS = 3;

/** Maximum number of candidates in the output. */
const MAX_SHOWN = 20;

/** Finds the case that causes a finding alone, and describes it. */
async function causeOf({ what, candidates }: Finding): Promise<string> {
  if (candidates.length === 1) return `case ${candidates[0]}`;
  if (candidates.length === 0) return "no single case";
  if (searches++ < MAX_SEARCHES) {
    process.stderr.write(`fuzz: replaying ${candidates.length} cases to find the cause\n`);
    const rounds = Array.from({ length: REPLAYS }, () => candidates).flat();
    const { cause } = await replay(options, rounds, (found) => keyOf(found) === keyOf(what));
    if (cause !== undefined) return `case ${cause}`;
  }
  const shown = candidates.slice(0, MAX_SHOWN).join(", ");
  return `one or more of the cases ${shown}${candidates.length > MAX_SHOWN ? "…" : ""}`;
}

async function fuzz(): Promise<Finding[]> {
  if (only !== undefined) {
    const { findings } = await replay(options, [only], undefined, (replayed, { how, reason = "" }) => {
      process.stdout.write(`Case ${only} of seed ${seed}: ${describe(replayed)}\nOutcome: ${how} ${reason}\n`);
    });
    return findings.map((finding) => ({ ...finding, candidates: [only] }));
  }
  process.stderr.write(`fuzz: seed ${seed}, ${seconds} s\n`);
  const { report, findings } = await campaign({ ...options, seconds });
  process.stdout.write(`${report}\n`);
  return findings;
}

const findings = await fuzz();
for (const finding of findings) {
  process.stdout.write(`FAILED (seed ${seed}, ${await causeOf(finding)}), ${finding.count} times: ${finding.what}\n`);
}
process.stdout.write(
  findings.length === 0 ? "No findings\n" : `To repeat: npm run fuzz -- --seed ${seed} --case <case>\n`,
);
process.exitCode = findings.length > 0 ? 1 : 0;
