/** Floods, fuzzing and h2spec: `npm run test:hostile`. */
export default {
  files: ["test/hostile/**/*.test.ts"],
  extensions: ["ts"],
  // One at a time, because tests measure memory and time.
  concurrency: 1,
  timeout: "120s",
};
