// Runs before everything else, for its effect, so it imports nothing: until somebody else handles signals, each ends the process at
// once, with the code of a shell. They do that without a handler, too, but not to process 1 of a container: it never hears of a
// signal that it does not handle.
// A worker hears from its primary process when to stop; a terminal, and systemd, send the signal to all of them.
for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15 })) {
  process.on(signal, () => {
    if (process.env["GREETER_WORKER"] === undefined) process.exit(128 + number);
  });
}
