// Preloaded, it makes the service run without its telemetry.
import { standIn } from "./stand-in.ts";

standIn("/src/platform/telemetry/telemetry.ts", new URL("silent-telemetry.ts", import.meta.url));
