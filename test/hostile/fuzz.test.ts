import { execFile } from "node:child_process";
import test from "ava";
import { caseOf } from "./fuzz/cases.ts";

const SEED = 1;

/** Runs the fuzzer, and resolves with its exit code and its output. */
function fuzz(flags: string[], fault?: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = [`${import.meta.dirname}/fuzz.ts`, "--seed", String(SEED), ...flags];
  const env = { ...process.env, ...(fault !== undefined && { FAULT: fault }) };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : Number(error !== null), stdout, stderr }),
    );
  });
}

test.serial("five seconds of malformed input affect neither the service nor a well-behaved client", async (t) => {
  const { code, stdout, stderr } = await fuzz(["--seconds", "5"]);
  t.is(code, 0, stdout + stderr);
  t.regex(stdout, /^No findings$/m);
  t.log(stdout);
});

const faulty = ["--program", `${import.meta.dirname}/faulty.ts`, "--seconds", "4"];

for (const [fault, finding] of [
  ["crash", /logged fatal: Uncaught error .*Planted/],
  ["wrong", /The well-behaved client: .* got 200 .*Hallo/],
] as const) {
  test.serial(`the fuzzer finds a planted fault, and names the case that triggers it: ${fault}`, async (t) => {
    const { code, stdout, stderr } = await fuzz(faulty, fault);
    t.is(code, 1, stdout + stderr);
    const failure = stdout.split("\n").find((line) => finding.test(line)) ?? "";
    const [, index] = /^FAILED \(seed 1, case (\d+)\)/.exec(failure) ?? t.fail(stdout) ?? [];
    const { pieces } = caseOf(SEED, Number(index));
    t.regex(Buffer.concat(pieces).toString("latin1"), /^expect:/im);

    const again = await fuzz([...faulty, "--case", index!], fault);
    t.is(again.code, 1, again.stdout);
    t.regex(again.stdout, finding);
  });
}

test.serial("the fuzzer finds a memory leak", async (t) => {
  const { code, stdout, stderr } = await fuzz(faulty, "leak");
  t.is(code, 1, stdout + stderr);
  t.regex(stdout, /^FAILED .*plaintext uses \d+ MiB/m);
});

test("the same seed and index generate the same case", (t) => {
  for (let index = 0; index < 500; index++) t.deepEqual(caseOf(SEED, index), caseOf(SEED, index));
  t.notDeepEqual(caseOf(SEED, 0), caseOf(SEED + 1, 0));
});

test("the fuzzer prints its usage for an invalid option", async (t) => {
  for (const flags of [["--seconds", "soon"], ["--case", "-1"], ["--nope"]]) {
    const { code, stderr } = await fuzz(flags);
    t.is(code, 2);
    t.regex(stderr, /^fuzz: [^]*\n\nUsage: npm run fuzz/);
  }
});
