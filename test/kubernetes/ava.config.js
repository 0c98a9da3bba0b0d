/** Validates the manifests as an API server does: `npm run test:kubernetes`. */
export default {
  files: ["test/kubernetes/*.test.ts"],
  extensions: ["ts"],
  timeout: "60s",
};
