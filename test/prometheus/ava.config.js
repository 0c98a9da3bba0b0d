/** What Prometheus makes of the service, and of what is in deploy/monitoring: `npm run test:prometheus`. */
export default {
  files: ["test/prometheus/*.test.ts"],
  extensions: ["ts"],
  timeout: "60s",
};
