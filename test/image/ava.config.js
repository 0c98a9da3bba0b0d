/** Tests of the image in containers: `npm run test:image`. One at a time, because every start of a container copies its files. */
export default {
  files: ["test/image/*.test.ts"],
  extensions: ["ts"],
  serial: true,
  timeout: "60s",
};
