import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { text } from "node:stream/consumers";
import { root } from "../docs.ts";

export const monitoring = `${root}/deploy/monitoring`;

/** Resolves with the exit code of a program. Rejects if the program is not installed. */
export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", (cause) =>
      reject(new Error(`Cannot run ${child.spawnfile}: expected Debian's package prometheus (.ci/setup)`, { cause })),
    );
  });
}

/** Runs promtool on some input, and resolves with its exit code and its output. */
export async function promtool(args: string[], input = ""): Promise<{ code: number | null; output: string }> {
  const child = spawn("promtool", args);
  // It may end before it has read all input. Its exit code then gives the reason.
  child.stdin.on("error", () => {}).end(input);
  const [code, ...outputs] = await Promise.all([ended(child), text(child.stdout), text(child.stderr)]);
  return { code, output: outputs.join("") };
}
