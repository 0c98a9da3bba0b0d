import { callGate as promptGate } from "../../src/platform/grpc/admission-gate.ts";

/** How long a call waits, in milliseconds: longer than h2spec takes to send its next frame. */
const DELAY = 50;

/** Lets calls in as ever, but not at once. */
export const callGate: typeof promptGate = (surroundings) => {
  const serve = promptGate(surroundings);
  return (stream, ...call) => {
    stream.on("error", () => {});
    let onClose = (): void => {};
    setTimeout(() => {
      if (!stream.destroyed) onClose = serve(stream, ...call);
    }, DELAY);
    return () => onClose();
  };
};
