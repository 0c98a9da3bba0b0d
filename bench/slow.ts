// Preload that delays every greeting, as a database would.
import { standIn } from "./stand-in.ts";

standIn("/src/greeter/greeter.ts", new URL("slow-greeter.ts", import.meta.url));
