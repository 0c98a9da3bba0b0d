/** Tests behind nginx, with the configuration of deploy/nginx: `npm run test:proxy`. */
export default {
  files: ["test/proxy/*.test.ts"],
  extensions: ["ts"],
  timeout: "120s",
};
