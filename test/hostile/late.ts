// Preload that delays every call.
import { standIn } from "../../bench/stand-in.ts";

standIn("/src/platform/grpc/admission-gate.ts", new URL("late-calls.ts", import.meta.url));
