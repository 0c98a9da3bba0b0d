import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { text } from "node:stream/consumers";
import { root } from "../readme.ts";

export const monitoring = `${root}/deploy/monitoring`;

/** Resolves when a program has ended; rejects when there is no such program, and says how to get it. */
export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", (cause) =>
      reject(new Error(`Can't run ${child.spawnfile}: expected Debian's package prometheus; run .ci/setup`, { cause })),
    );
  });
}

/** Runs promtool on some input, and tells how it ended and what it wrote. */
export async function promtool(args: string[], input = ""): Promise<{ code: number | null; output: string }> {
  const child = spawn("promtool", args);
  // It may have ended before it has read everything; its exit code tells why.
  child.stdin.on("error", () => {}).end(input);
  const [code, ...outputs] = await Promise.all([ended(child), text(child.stdout), text(child.stderr)]);
  return { code, output: outputs.join("") };
}
