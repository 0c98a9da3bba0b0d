// Imported first, for its effect, so it imports nothing: until the lifecycle takes over, a signal ends the process at once, with the exit
// code of a shell. A process without a handler ends too, except process 1 of a container, which the kernel does not signal.
for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15 })) {
  process.on(signal, () => process.exit(128 + number));
}
