/** TLS, with certificates that openssl makes: `npm run test:tls`. */
export default {
  files: ["test/tls/*.test.ts"],
  extensions: ["ts"],
  timeout: "60s",
};
