/** In-place upgrades on shared ports: `npm run test:handover`. */
export default {
  files: ["test/handover/*.test.ts"],
  extensions: ["ts"],
  timeout: "90s",
};
