// `npm run fuzz`: sends malformed HTTP/1.1, HTTP/2, gRPC and TLS to the running service, while a well-behaved client goes on beside it.
// Fails when the service dies, hangs, leaks, logs an error or gives that client anything but right answers, and names the case.
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { createAuthority } from "../tls/certificates.ts";
import { campaign } from "./fuzz/campaign.ts";
import { keyOf } from "./fuzz/findings.ts";
import type { Finding } from "./fuzz/findings.ts";
import { describe, replay } from "./fuzz/replay.ts";

const usage = `Usage: npm run fuzz -- [options]

Sends malformed HTTP/1.1, HTTP/2, gRPC and TLS to the service, while a well-behaved client goes on beside it.

Options:
  --seconds <count>  how long to send (default: 30)
  --seed <number>    what all the cases follow from (default: a random one, which is told)
  --case <number>    send only this case of the seed, and show it
  --program <file>   what to start in place of the checkout, for example dist/greeter.cjs
  --help             show this
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
// Whoever interrupts it leaves nothing behind, either.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    process.stderr.write(`fuzz: stopped by ${signal}\n`);
    process.exit(1);
  });
}
const options = { seed, program, authority };

/** How many cases are looked for among their suspects. */
const MAX_SEARCHES = 3;
let searches = 0;

/** How often each of them is tried: some things go wrong only now and then. */
const ROUNDS = 3;

/** How many suspects are told of where none of them did it alone. */
const MAX_SHOWN = 20;

/** The one among several suspects that does it alone. */
async function culpritOf({ what, suspects }: Finding): Promise<string> {
  if (suspects.length === 1) return `case ${suspects[0]}`;
  if (suspects.length === 0) return "no single case";
  if (searches++ < MAX_SEARCHES) {
    process.stderr.write(`fuzz: replaying ${suspects.length} cases, to find the one\n`);
    const rounds = Array.from({ length: ROUNDS }, () => suspects).flat();
    const { culprit } = await replay(options, rounds, (found) => keyOf(found) === keyOf(what));
    if (culprit !== undefined) return `case ${culprit}`;
  }
  const shown = suspects.slice(0, MAX_SHOWN).join(", ");
  return `one or more of the cases ${shown}${suspects.length > MAX_SHOWN ? "…" : ""}`;
}

async function fuzz(): Promise<Finding[]> {
  if (only !== undefined) {
    const { findings } = await replay(options, [only], undefined, (replayed, { how, reason = "" }) => {
      process.stdout.write(`Case ${only} of seed ${seed}: ${describe(replayed)}\nThe peer saw: ${how} ${reason}\n`);
    });
    return findings.map((finding) => ({ ...finding, suspects: [only] }));
  }
  process.stderr.write(`fuzz: seed ${seed}, ${seconds} s\n`);
  const { report, findings } = await campaign({ ...options, seconds });
  process.stdout.write(`${report}\n`);
  return findings;
}

const findings = await fuzz();
for (const finding of findings) {
  process.stdout.write(`FAILED (seed ${seed}, ${await culpritOf(finding)}), ${finding.count} times: ${finding.what}\n`);
}
process.stdout.write(
  findings.length === 0 ? "Nothing was found\n" : `Again: npm run fuzz -- --seed ${seed} --case <case>\n`,
);
process.exitCode = findings.length > 0 ? 1 : 0;
