import { run } from "../src/cli.ts";

/** Runs a command line in this process, and tells its exit code and what it wrote. */
export async function greeter(
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const stdout = { write: (text: string) => (out += text) };
  const stderr = { write: (text: string) => (err += text) };
  const code = await run(args, { stdout, stderr, env });
  return { code, out, err };
}
