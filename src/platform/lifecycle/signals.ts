// Runs before everything else, for its effect, so it imports nothing: until somebody else handles signals, each ends the process at
// once, with the code of a shell. They do that without a handler, too, but not to process 1 of a container: it never hears of a
// signal that it does not handle.
for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15 })) {
  process.on(signal, () => process.exit(128 + number));
}
