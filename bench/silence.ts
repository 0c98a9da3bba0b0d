// Preload that disables the service's telemetry.
import { standIn } from "./stand-in.ts";

standIn("/src/platform/telemetry/telemetry.ts", new URL("silent-telemetry.ts", import.meta.url));
