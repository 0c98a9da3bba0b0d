/** Tests with clients in other languages: `npm run test:clients`. */
export default {
  files: ["test/clients/*.test.ts"],
  extensions: ["ts"],
  timeout: "60s",
};
