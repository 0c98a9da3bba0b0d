#!/usr/bin/env node
import "./platform/lifecycle/signals.ts";
import { run } from "./cli.ts";

// A reader that closes the pipe is no failure. Any other write error is one, but does not end the service.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") process.exitCode = 1;
  });
}

/**
 * Runs the command, writes its output completely, and exits. Anything that still runs is not waited for: an exporter that cannot reach its
 * collector would retry.
 */
async function main(): Promise<void> {
  const exitCode = await run(process.argv.slice(2), process);
  process.exitCode ||= exitCode;
  process.stdout.write("", () => process.stderr.write("", () => process.exit()));
}

void main();
