// Preloaded, it makes every call be looked at a moment later.
import { standIn } from "../../bench/stand-in.ts";

standIn("/src/grpc/calls.ts", new URL("late-calls.ts", import.meta.url));
