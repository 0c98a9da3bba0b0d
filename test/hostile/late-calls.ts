import { createAdmissionGate as createPromptGate } from "../../src/platform/grpc/admission-gate.ts";

/** Delay of each call, in milliseconds: longer than h2spec takes to send its next frame. */
const DELAY_MS = 50;

/** Creates the gate of the server, which admits each call only after a delay. */
export const createAdmissionGate: typeof createPromptGate = (...dependencies) => {
  const gate = createPromptGate(...dependencies);
  return (stream, ...call) => {
    stream.on("error", () => {});
    let onClose = (): void => {};
    setTimeout(() => {
      if (!stream.destroyed) onClose = gate(stream, ...call);
    }, DELAY_MS);
    return () => onClose();
  };
};
