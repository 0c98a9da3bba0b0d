import type { Io } from "../src/platform/cli/program.ts";

/** End of a command line. */
export interface CommandEnd {
  code: number;
  out: string;
  err: string;
}

/** Runs a program in this process, and returns its exit code and its output. */
export async function capture(program: (io: Io) => Promise<number>, env: NodeJS.ProcessEnv = {}): Promise<CommandEnd> {
  let out = "";
  let err = "";
  const stdout = { write: (text: string) => (out += text) };
  const stderr = { write: (text: string) => (err += text) };
  const code = await program({ stdout, stderr, env });
  return { code, out, err };
}
