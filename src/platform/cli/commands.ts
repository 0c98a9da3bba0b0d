import type { Command } from "commander";
import { buildInfoJson, formatBuildInfo, readBuildInfo } from "../build-info.ts";
import { readConfig, readSetting, type Config } from "../config/config.ts";
import { duration } from "../config/parsers.ts";
import type { Settings } from "../config/setting.ts";
import { platformSettings } from "../config/settings.ts";
import type { Output } from "../telemetry/log.ts";
import { addOutput, addSetting, flagsOf, type OutputFlag } from "./options.ts";
import type { AddCommand } from "./program.ts";
import { asUsageError, usage } from "./usage.ts";

/** Serves until the process is told to stop, and returns the exit code. */
type Serve<S extends Settings> = (config: Config<S>, output: Output) => Promise<number>;

/**
 * Creates the command `serve`.
 * @param settings every setting, those of the services too
 * @param loadServe loads the composition root
 */
export function serveCommand<S extends Settings>(settings: S, loadServe: () => Promise<Serve<S>>): AddCommand {
  return (program, io) => {
    const command = program
      .command("serve")
      .description("serve over HTTP and gRPC until SIGINT or SIGTERM")
      .action(async (_: unknown, self: Command) => {
        const config = usage(() => readConfig(settings, flagsOf(self), io));
        const serve = await loadServe();
        io.exitWith(await serve(config, io.stdout).catch(asUsageError));
      });
    for (const setting of Object.values(settings)) addSetting(command, setting);
  };
}

/** Adds the command `check-health`. */
export const checkHealthCommand: AddCommand = (program, io) => {
  const command = program
    .command("check-health")
    .description("ask the service on this machine whether it is ready: exit code 0 if so, otherwise 1")
    .option("--timeout <duration>", "timeout of the answer", "2s")
    .action(async ({ timeout }: { timeout: string }, self: Command) => {
      const address = usage(() => readSetting(platformSettings.adminAddr, flagsOf(self)["adminAddr"], io));
      const timeoutMs = usage(() => duration(timeout, "--timeout"));
      const { checkHealth } = await import("../admin/check-health.ts");
      await checkHealth(address, timeoutMs).catch(asUsageError);
      io.stdout.write("serving\n");
    });
  addSetting(command, platformSettings.adminAddr);
};

/** Adds the command `version`. */
export const versionCommand: AddCommand = (program, { stdout }) => {
  const command = program
    .command("version")
    .description("print the build information of this program")
    .action(async ({ output }: OutputFlag) => {
      const buildInfo = await readBuildInfo();
      stdout.write(output === "json" ? `${buildInfoJson(buildInfo)}\n` : formatBuildInfo(buildInfo));
    });
  addOutput(command);
};
