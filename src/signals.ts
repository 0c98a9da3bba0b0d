import { constants } from "node:os";

// Imported first, for its effect: until somebody else handles signals, each ends the process at once, with the code of a shell. That is
// what they do without a handler, too, but not to process 1 of a container: it never hears of a signal that it does not handle.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}
