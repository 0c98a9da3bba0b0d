// Preloaded, it makes every greeting wait for something, as in a service with a database behind it.
import { standIn } from "./stand-in.ts";

standIn("/src/greeter/greeter.ts", new URL("slow-greeter.ts", import.meta.url));
