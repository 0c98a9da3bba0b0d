import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";

/** Reads the id of a process, waits until the pipe is closed, and sends the process a signal. Ctrl-C in a terminal does not end it. */
const watchdogScript = `trap "" HUP INT TERM; read -r pid && { read -r closed; kill -s "$0" "$pid"; }`;

/**
 * Starts a child process that ends when this process ends, even by SIGKILL, so that a test run that is killed leaves no servers behind.
 * A watchdog process waits for the end of this process: the kernel then closes the pipe between the two.
 * @param start starts the child
 * @param signal signal that ends the child
 */
export function endWithParent<Child extends ChildProcess>(start: () => Child, signal: "KILL" | "TERM" = "KILL"): Child {
  // Started first, so that the child never runs without it.
  const watchdog = spawn("sh", ["-c", watchdogScript, signal], { stdio: ["pipe", "ignore", "ignore"] });
  const child = start();
  watchdog.stdin.on("error", () => {});
  watchdog.stdin.write(`${child.pid ?? ""}\n`);
  const stop = (): void => void watchdog.kill("SIGKILL");
  child.once("exit", stop).once("error", stop);
  // Neither must keep this process running.
  watchdog.unref();
  (watchdog.stdin as Socket).unref();
  return child;
}
