/** What Prometheus makes of the service, and of what is in deploy/monitoring: `npm run test:prometheus`. */
export default {
  files: ["test/prometheus/*.test.ts"],
  extensions: ["ts"],
  timeout: "60s",
  // All at once: most of the time they wait, for a new Prometheus takes five seconds to find what it shall scrape.
  concurrency: 5,
};
