/** Attacks, fuzzing and h2spec: `npm run test:hostile`. */
export default {
  files: ["test/hostile/**/*.test.ts"],
  extensions: ["ts"],
  // What one costs in memory and time is not to be mixed up with another.
  concurrency: 1,
  timeout: "120s",
};
