/** Tests of TLS with certificates from openssl: `npm run test:tls`. */
export default {
  files: ["test/tls/*.test.ts"],
  extensions: ["ts"],
  timeout: "60s",
};
