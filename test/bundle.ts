import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/**
 * Builds the bundle into a folder.
 * @returns path of the executable
 */
export async function buildInto(folder: string): Promise<string> {
  await promisify(execFile)("npm", ["run", "build", "--", "--dir", folder], { cwd: join(import.meta.dirname, "..") });
  return join(folder, "greeter.cjs");
}
