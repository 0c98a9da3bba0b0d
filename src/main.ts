#!/usr/bin/env node
import "./platform/lifecycle/signals.ts";
import { run } from "./cli.ts";

// Whoever reads the output may stop reading: that is no failure. What can't be written otherwise is one, but ends no service.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") process.exitCode = 1;
  });
}

/**
 * Everything is done when the command is, and what it has written is out. What still runs then is not waited for: an exporter that
 * does not reach its collector would go on trying.
 */
async function main(): Promise<void> {
  const exitCode = await run(process.argv.slice(2), process);
  process.exitCode ||= exitCode;
  process.stdout.write("", () => process.stderr.write("", () => process.exit()));
}

void main();
