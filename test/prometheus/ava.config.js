/** Tests of the metrics and of deploy/monitoring with Prometheus: `npm run test:prometheus`. */
export default {
  files: ["test/prometheus/*.test.ts"],
  extensions: ["ts"],
  timeout: "60s",
  // All at once, because they mostly wait: a new Prometheus takes five seconds to discover its targets.
  concurrency: 5,
};
