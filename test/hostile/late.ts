// Preloaded, it makes every call be looked at a moment later.
import { standIn } from "../../bench/stand-in.ts";

standIn("/src/platform/grpc/admission-gate.ts", new URL("late-calls.ts", import.meta.url));
