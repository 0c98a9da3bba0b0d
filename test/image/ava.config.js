/** The image, built and run: `npm run test:image`. One test at a time, for each start of a container copies its files. */
export default {
  files: ["test/image/*.test.ts"],
  extensions: ["ts"],
  serial: true,
  timeout: "60s",
};
