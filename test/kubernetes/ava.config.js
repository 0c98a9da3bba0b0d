/** The manifests, by what an API server would say of them: `npm run test:kubernetes`. */
export default {
  files: ["test/kubernetes/*.test.ts"],
  extensions: ["ts"],
  timeout: "60s",
};
