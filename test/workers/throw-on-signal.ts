// Preloaded into a worker: lets a test throw an error there that nobody catches.
process.on("SIGUSR2", () => {
  throw new Error("Thrown on SIGUSR2");
});
